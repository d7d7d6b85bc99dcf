/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDEX_NEAREST_H
#define INDEX_NEAREST_H

#include <stdint.h>

#include "base/exec.h"
#include "veil/status.h"

#define INDEX_NEAREST_LANES 16

/** Centroids packed for a search of many rows: [blocks][dim][LANES], zeros past the last one. */
struct index_nearest {
	uint32_t clusters;
	uint32_t dim;
	float *packed; /* owned */
};

enum veil_status index_nearest_init(struct index_nearest *n, const float *centroids, uint32_t clusters,
	uint32_t dim, struct veil_error *err) VEIL_MUST_CHECK;
void index_nearest_clear(struct index_nearest *n);

/** For each of the unit rows [count][dim] the `top` (<= clusters) centroids with the largest inner product,
 * best first, ties to the lower number: clusters [count][top] and their inner products scores [count][top].
 * Every sum runs in the order of the coordinates, so the answer depends on neither threads nor vector width.
 */
void index_nearest_find(const struct index_nearest *n, const float *rows, uint32_t count, uint32_t top,
	uint32_t *clusters, float *scores, const struct exec *exec);

#endif
