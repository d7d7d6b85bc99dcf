/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "nn/context.h"
#include "veil/status.h"

/* An index on disk:
 *   DIR/current                  one line: the name of the version directory in force (replaced by rename)
 *   DIR/v<16 hex digits>/        a version, complete before `current` names it; the digits are those of its
 * id manifest.json              what it is, and size and SHA-256 of every other file codebook.bin
 * index/codebook.h shard-00000.bin ...        header, then int8 rows [rows][dim], 64-byte aligned; for mmap
 *     labels-00000.bin ...       header, then rows * label_bytes (absent where label_bytes is 0)
 * The id of a version is the SHA-256 of its manifest.json. */

struct store_shard {
	const int8_t *rows; /* [spec.rows][spec.dim], mapped; padding rows are zero */
	const uint8_t *labels; /* [spec.rows][label_bytes], mapped; NULL where label_bytes is 0 */
	uint32_t used; /* rows in use; the rest is padding */
};

/** An opened version: mapped read-only, verified, immutable. */
struct store_index {
	uint8_t id[HASH_BYTES];
	char *name; /* free text from the builder */
	struct nn_spec spec; /* scale, row_norm, dim, rows, terms, params */
	uint32_t shards;
	uint32_t label_bytes; /* 0..24 */
	uint64_t records; /* distinct input rows */
	const uint8_t *codebook; /* bytes of codebook.bin */
	size_t codebook_size;
	uint8_t codebook_hash[HASH_BYTES];
	const struct rlwe_params *sealed; /* of sealed search; NULL: it has none */
	struct store_shard *shard; /* [shards] */
	struct store_files *files; /* mappings, private */
};

/** Opens the current version below `dir` (or a version directory itself). Everything is checked here:
 * manifest schema, sizes, headers, hashes (all bytes are read once), spec sanity. VEIL_E_CORRUPT / VEIL_E_IO
 * / VEIL_E_VERSION name the file and the reason. */
enum veil_status store_index_open(
	struct store_index **out, const char *dir, struct veil_error *err) VEIL_MUST_CHECK;
/** The same, but go_on(state) is asked before each file is read, which takes a while for a large index: once
 * it says no, VEIL_E_TIMEOUT. */
enum veil_status store_index_open_while(struct store_index **out, const char *dir, bool (*go_on)(void *state),
	void *state, struct veil_error *err) VEIL_MUST_CHECK;
void store_index_close(struct store_index *index);

#endif
