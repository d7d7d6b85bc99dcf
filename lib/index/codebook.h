/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDEX_CODEBOOK_H
#define INDEX_CODEBOOK_H

#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

#define INDEX_MAX_SHARDS (1u << 20)

/** The centroids of the shards: unit vectors. What a client needs to choose a shard. */
struct index_codebook {
	uint32_t shards;
	uint32_t dim;
	float *centroids; /* [shards][dim], owned */
};

/** Bytes: "VEILCBK1", le32 shards, le32 dim, then shards*dim little-endian float32. The size is a function of
 * shards and dim. */
size_t index_codebook_bytes(uint32_t shards, uint32_t dim);
void index_codebook_write(const struct index_codebook *cb, uint8_t *out);
/** Untrusted bytes: VEIL_E_MALFORMED says what is wrong (magic, size, a value that is not finite). */
enum veil_status index_codebook_read(
	struct index_codebook *cb, const void *data, size_t size, struct veil_error *err) VEIL_MUST_CHECK;
void index_codebook_clear(struct index_codebook *cb);

/** The `probes` nearest shards to a unit vector, nearest first (largest inner product; ties to the lower
 * shard). */
void index_codebook_nearest(
	const struct index_codebook *cb, const float *vector, uint32_t *shards, uint32_t probes);

#endif
