/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VEIL_VECTORS_H
#define VEIL_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Vectors from a file: what embedding models and the field's data sets commonly write. */
struct veil_vectors;

/** Reads a whole file: `.fvecs`, `.npy` (two dimensions; float16, float32, float64 or int8), `.jsonl`; or
 * else text: one vector, its numbers parted by white space or commas, with or without the brackets of a JSON
 * array. VEIL_E_IO, VEIL_E_UNSUPPORTED or VEIL_E_INVALID (a NaN, a zero vector, ...) name
 * the file and the row. */
VEIL_EXPORT enum veil_status veil_vectors_read(
	struct veil_vectors **out, const char *path, struct veil_error *err) VEIL_MUST_CHECK;

VEIL_EXPORT uint32_t veil_vectors_count(const struct veil_vectors *vectors);
VEIL_EXPORT uint32_t veil_vectors_dim(const struct veil_vectors *vectors);

/** The numbers of row `row` < count, dim of them, owned by `vectors`. */
VEIL_EXPORT const float *veil_vectors_row(const struct veil_vectors *vectors, uint32_t row);

/** Accepts NULL. */
VEIL_EXPORT void veil_vectors_destroy(struct veil_vectors *vectors);

#ifdef __cplusplus
}
#endif
#endif
