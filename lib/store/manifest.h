/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_MANIFEST_H
#define STORE_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "nn/context.h"
#include "veil/status.h"

#define STORE_MAX_NAME_BYTES 127

struct store_entry {
	uint32_t used; /* rows in use */
	uint8_t rows_hash[HASH_BYTES]; /* of shard-00000.bin */
	uint8_t labels_hash[HASH_BYTES]; /* of labels-00000.bin; zeros where label_bytes is 0 */
};

/** What manifest.json says (docs/index-format.md). Sizes follow from the numbers; the file states them too,
 * and they are compared. */
struct store_manifest {
	char *name; /* owned; UTF-8 without control characters */
	struct nn_spec spec;
	uint32_t shards;
	uint32_t label_bytes;
	uint64_t records;
	uint8_t codebook_hash[HASH_BYTES];
	const struct rlwe_params *sealed; /* of sealed search (silent/sealed.h); NULL: it has none */
	struct store_entry *shard; /* [shards], owned */
};

/** Deterministic JSON; *out is malloc'd. */
enum veil_status store_manifest_write(
	char **out, size_t *size, const struct store_manifest *m) VEIL_MUST_CHECK;
/** Untrusted bytes. Unknown, missing, doubled and wrong-typed keys and numbers out of range are named, after
 * `label`. VEIL_E_CORRUPT, or VEIL_E_VERSION for another version of the format. */
enum veil_status store_manifest_read(struct store_manifest *m, const void *data, size_t size,
	const char *label, struct veil_error *err) VEIL_MUST_CHECK;
void store_manifest_clear(struct store_manifest *m);

/** Are the numbers in range and in step with each other? Both directions use it. */
enum veil_status store_manifest_check(
	const struct store_manifest *m, const char *label, struct veil_error *err) VEIL_MUST_CHECK;

#endif
