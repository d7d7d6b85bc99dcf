/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "index/codebook.h"
#include "nn/context.h"
#include "veil/status.h"

/* Writes a version beside the one in force. Everything goes to DIR/building, is brought to the disk, renamed
 * to its final name, and only then named by `current`, which is replaced by a rename: whoever is cut off at
 * any instant leaves the old version whole, and the next writer goes on with what is left over, if it builds
 * the same and asks for it, or removes it. */

struct store_writer;

/** What has to be known before the first shard is written. */
struct store_plan {
	const char *name; /* free text, UTF-8, at most 127 bytes */
	struct nn_spec spec; /* of the finished index */
	uint32_t shards;
	uint32_t label_bytes;
	uint64_t records;
	const struct rlwe_params *sealed; /* NULL: none */
	uint8_t key[HASH_BYTES]; /* store_writer_resume: a hash of all that the shards follow from */
};

/** Creates DIR (its last part) where it is missing, takes its lock and removes what a dead writer left.
 * VEIL_E_BUSY: another writer is at work. VEIL_E_INVALID: DIR holds other things than an index. */
enum veil_status store_writer_create(
	struct store_writer **out, const char *dir, struct veil_error *err) VEIL_MUST_CHECK;

/** What store_writer_resume found of an earlier writer. */
enum store_left {
	STORE_LEFT_NOTHING,
	STORE_LEFT_OTHER, /* of another key, or damaged: it was removed */
	STORE_LEFT_CODEBOOK, /* the codebook, and perhaps shards: store_writer_has */
};

/** The same, for a build that goes on where one with the same `key` (a hash of its input and options) was cut
 * off. *codebook is the one that was saved, zeroed unless `left` is STORE_LEFT_CODEBOOK; the caller clears
 * it. */
enum veil_status store_writer_resume(struct store_writer **out, const char *dir,
	const uint8_t key[HASH_BYTES], enum store_left *left, struct index_codebook *codebook,
	struct veil_error *err) VEIL_MUST_CHECK;
/** After store_writer_resume, where it found no codebook: from here on the work up to it is not lost. */
enum veil_status store_writer_save(struct store_writer *w, const struct index_codebook *codebook,
	struct veil_error *err) VEIL_MUST_CHECK;

/** Once, before the shards; in a resumed build with the codebook that was found or saved. VEIL_E_INVALID
 * names what is out of range. */
enum veil_status store_writer_begin(struct store_writer *w, const struct store_plan *plan,
	const struct index_codebook *codebook, struct veil_error *err) VEIL_MUST_CHECK;

/** Each shard once, in any order: int8 rows [spec.rows][dim] and labels [spec.rows][label_bytes] (ignored
 * where label_bytes is 0), of which the first `used` are in use. */
enum veil_status store_writer_shard(struct store_writer *w, uint32_t shard, const int8_t *rows,
	const uint8_t *labels, uint32_t used, struct veil_error *err) VEIL_MUST_CHECK;

/** Is that shard there already? Then it is not written. */
bool store_writer_has(const struct store_writer *w, uint32_t shard);

/** After all shards: puts the version in force and removes all earlier ones but the last `keep`. On an error
 * the old version is still in force, unless the sentence says otherwise. */
enum veil_status store_writer_commit(struct store_writer *w, unsigned keep, uint8_t id[HASH_BYTES],
	struct veil_error *err) VEIL_MUST_CHECK;

/** Bytes of the version so far. */
uint64_t store_writer_bytes(const struct store_writer *w);

/** Removes what was not committed, gives the lock back. Accepts NULL. */
void store_writer_destroy(struct store_writer *w);

#endif
