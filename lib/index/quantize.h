/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDEX_QUANTIZE_H
#define INDEX_QUANTIZE_H

#include <stdint.h>

/* Unit vectors to int8 with ONE scale for a whole index, so that the scores of all its rows compare. */

/** Divides by the L2 norm; the vector is finite and not zero (index_vectors_read). */
void index_normalise(float *vector, uint32_t dim);

/** The largest |coordinate|. */
float index_max_abs(const float *vector, uint32_t dim);

/** 127 / (largest |coordinate| of all unit vectors): nothing is clipped. */
float index_scale(float max_abs);

/** round(scale * vector), ties to even, within [-127, 127]. */
void index_quantise(int8_t *out, const float *vector, uint32_t dim, float scale);

/** Square of the L2 norm, at most 4096 * 127^2. */
uint32_t index_norm2(const int8_t *row, uint32_t dim);

/** The smallest integer whose square is at least `norm2`. */
uint32_t index_norm_ceil(uint32_t norm2);

#endif
