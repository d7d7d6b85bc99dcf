/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_LAYOUT_H
#define NN_LAYOUT_H

#include "kernels/kernels.h"
#include "nn/context.h"

/* Where things are in a polynomial (docs/protocol.md, Packing). Chunk k of the query x is x_k = sum_j x[kL+j]
 * X^j; chunk k of row v of group r is y_v[kL+j] at X^(vL-j), where X^-j = -X^(N-j). Then the score of row v
 * is coefficient vL of the sum over k of x_k * W[r][k], and nothing else reaches the multiples of L. */

/** dst[N]: the residues of W[r][k] in coefficient order, from rows [count][dim]; rows beyond count are zero.
 */
void nn_layout_pack(const struct nn_context *ctx, void *dst, const int8_t *rows, uint32_t count,
	uint32_t group, uint32_t term);

/** dst[rows_per_poly] = the coefficients at the multiples of L of a polynomial in transform order (times R
 * for KERNELS_MONTGOMERY), by a transform of N/L instead of N: docs/protocol.md, Subring. dst != a, 64-byte
 * aligned. */
void nn_layout_scores(const struct nn_context *ctx, void *dst, const void *a, enum kernels_scale scale);

#endif
