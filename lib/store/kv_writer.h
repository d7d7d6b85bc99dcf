/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_KV_WRITER_H
#define STORE_KV_WRITER_H

#include "base/exec.h"
#include "silent/collection.h"

/* Writes a version of a collection beside the one in force (store/building.h). A build that was cut off goes
 * on: DIR/building/packs       "VEILPKS1", SHA-256 of the collection's shape, then for each pack that is on
 * the disk le32 table, le32 pack, SHA-256 of its two files Nothing of it is believed: a pack is taken over if
 * its bytes are those of the new table and both files are whole. */

struct store_kv_writer;

/** Takes the lock of `dir`, which is created where it is missing. VEIL_E_BUSY, VEIL_E_INVALID:
 * store/building.h. */
enum veil_status store_kv_writer_create(
	struct store_kv_writer **out, const char *dir, struct veil_error *err) VEIL_MUST_CHECK;
/** What is in force, by its manifest alone; VEIL_E_NOT_FOUND if nothing is, VEIL_E_CORRUPT, VEIL_E_INVALID if
 * it is of another kind. */
enum veil_status store_kv_writer_current(
	struct store_kv_writer *w, struct silent_collection *now, struct veil_error *err) VEIL_MUST_CHECK;
/** The bytes of a table of it, packs one after the other; for a change. VEIL_E_CORRUPT names the file. */
enum veil_status store_kv_writer_load(
	struct store_kv_writer *w, int8_t *table, unsigned t, struct veil_error *err) VEIL_MUST_CHECK;

/** Begins a version of that shape (attempt and static_hash of its tables do not matter yet), or goes on with
 * one that was cut off. */
enum veil_status store_kv_writer_begin(struct store_kv_writer *w, const struct silent_collection *collection,
	struct veil_error *err) VEIL_MUST_CHECK;

struct store_kv_step {
	/** A pack is on the disk, or was already. Called from the threads of `exec`. */
	void (*done)(void *state, uint32_t pack);
	void *state;
};

/** Writes table t: its bytes, what silent_offline_run makes of them, and the static halves. `attempt` is of
 * the filter. *reused is raised by the packs that were taken over. */
enum veil_status store_kv_writer_table(struct store_kv_writer *w, unsigned t,
	const struct silent_context *ctx, const int8_t *table, uint32_t attempt, const struct exec *exec,
	const struct store_kv_step *step, uint32_t *reused, struct veil_error *err) VEIL_MUST_CHECK;
/** Or takes it over as it is in the version in force, whose shape is the same. */
enum veil_status store_kv_writer_share(
	struct store_kv_writer *w, unsigned t, struct veil_error *err) VEIL_MUST_CHECK;

/** All tables are there: writes the manifest and puts the version in force, with `keep` earlier ones kept. */
enum veil_status store_kv_writer_commit(struct store_kv_writer *w, unsigned keep, bool allow_insecure,
	uint8_t id[HASH_BYTES], struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts NULL. Removes what was not committed. */
void store_kv_writer_destroy(struct store_kv_writer *w);

#endif
