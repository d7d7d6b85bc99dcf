/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APPLE_PNNS_PACK_H
#define APPLE_PNNS_PACK_H

#include "apple/pnns.h"

/* Rows to what answers are made of. Chunks are of N rows, the last one of fewer. */

/** out[dim] = what apple/swift-homomorphic-encryption makes of a vector: x scale / |x| in floats, rounded,
 * halves away from zero; zeros of a vector of zeros. The values are finite. */
void pnns_quantise(int32_t *out, const float *vector, uint32_t dim, uint64_t scale);

/** Arena room of the functions below. */
size_t pnns_pack_scratch(const struct pnns_context *ctx);

/** Diagonal r < P of a chunk of rows[count][dim], count <= N, for plaintext modulus m: values, at the level
 * of the database. That is a plaintext of Apple's processed databases. */
void pnns_pack_diagonal(const struct pnns_context *ctx, unsigned m, struct ring_poly *factor,
	const int32_t *rows, size_t count, uint32_t r, struct arena *scratch);
/** All of them for every modulus, as the answer reads them: moduli times chunk_bytes, 64-byte aligned. For
 * each modulus and prime [N/16][h][g][16] residues times R (kernels.h, mac). */
void pnns_pack_chunk(const struct pnns_context *ctx, void *chunk, const int32_t *rows, size_t count,
	struct arena *scratch);

#endif
