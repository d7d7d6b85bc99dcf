/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_BUILDING_H
#define STORE_BUILDING_H

#include "base/hash.h"
#include "store/file.h"
#include "store/format.h"

/** The one writer of an index directory of any kind: it holds the lock and writes a version into
 * DIR/building. */
struct store_building {
	struct store_dir dir;
	struct store_dir files; /* DIR/building, once it is open */
	int lock; /* -1: not ours */
};

#define STORE_BUILDING_NONE                            \
	{                                              \
		STORE_DIR_CLOSED, STORE_DIR_CLOSED, -1 \
	}

/** Creates DIR (its last part) where it is missing, takes its lock and removes what a dead writer left, but
 * for `building`. VEIL_E_BUSY: another writer is at work. VEIL_E_INVALID: DIR holds other things than an
 * index. To be ended in any case. */
enum veil_status store_building_lock(
	struct store_building *b, const char *dir, struct veil_error *err) VEIL_MUST_CHECK;
/** An empty `building`. */
enum veil_status store_building_empty(struct store_building *b, struct veil_error *err) VEIL_MUST_CHECK;
/** The one that an earlier writer left; VEIL_E_NOT_FOUND if none did. */
enum veil_status store_building_left(struct store_building *b, struct veil_error *err) VEIL_MUST_CHECK;

/** A new file, on the disk, and its SHA-256. */
enum veil_status store_building_put(const struct store_building *b, const char *name,
	const struct bytes *parts, size_t count, uint8_t sha256[HASH_BYTES],
	struct veil_error *err) VEIL_MUST_CHECK;

/** What was written becomes version `id` and is put in force. The same input and options give the same
 * version: one that is there and whole(path) stays, one that is not goes. */
enum veil_status store_building_commit(struct store_building *b, const uint8_t id[HASH_BYTES], unsigned keep,
	bool (*whole)(void *state, const char *path), void *state, struct veil_error *err) VEIL_MUST_CHECK;

/** Removes `building` where the lock is ours, and lets go. */
void store_building_end(struct store_building *b);

#endif
