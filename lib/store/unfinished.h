/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_UNFINISHED_H
#define STORE_UNFINISHED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "index/codebook.h"
#include "store/file.h"
#include "store/manifest.h"

/* What lets a build that was cut off go on, beside the files of the version in `building`:
 *   plan    "VEILPLN1", 32 bytes of key (the builder's: a hash of its input and options), SHA-256 of
 *           codebook.bin. Comes to be at one instant, after the codebook has reached the disk.
 *   shards  "VEILPLS1", 32 bytes of key (of all that the shards follow from), then a record for each shard
 *           whose files have reached the disk: le32 number, le32 rows in use, SHA-256 of its two files. A
 *           record that was not finished does not count.
 * Nothing of it is believed: whatever is taken over is hashed again. Both are gone before the version gets
 * its name. */

/** The codebook of a build with that key, and its SHA-256. VEIL_E_NOT_FOUND: nobody left a plan;
 * VEIL_E_CORRUPT: it is of another build, or damaged; then nothing in `building` is of use. */
enum veil_status store_unfinished_read(struct index_codebook *codebook, uint8_t hash[HASH_BYTES],
	const struct store_dir *building, const uint8_t key[HASH_BYTES],
	struct veil_error *err) VEIL_MUST_CHECK;
enum veil_status store_unfinished_write(const struct store_dir *building, const uint8_t key[HASH_BYTES],
	const uint8_t codebook_hash[HASH_BYTES], struct veil_error *err) VEIL_MUST_CHECK;

/** Finds the shards under `key` that are whole, sets m->shard[i] and done[i] for each, and removes the files
 * of all others. m->spec, shards and label_bytes say what they have to be; done[] is all false. */
enum veil_status store_unfinished_shards(bool *done, struct store_manifest *m,
	const struct store_dir *building, const uint8_t key[HASH_BYTES],
	struct veil_error *err) VEIL_MUST_CHECK;
/** Shard i has reached the disk. */
enum veil_status store_unfinished_add(const struct store_dir *building, uint32_t i,
	const struct store_entry *entry, struct veil_error *err) VEIL_MUST_CHECK;

/** The version is complete: removes `plan` and `shards`. */
enum veil_status store_unfinished_end(
	const struct store_dir *building, struct veil_error *err) VEIL_MUST_CHECK;

#endif
