/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDEX_KMEANS_H
#define INDEX_KMEANS_H

#include <stdint.h>

#include "base/exec.h"
#include "base/rng.h"
#include "veil/status.h"

/** How far training is: `done` of `total` steps. */
struct index_progress {
	void (*step)(void *state, uint64_t done, uint64_t total);
	void *state;
};

/** Spherical mini-batch k-means: unit centroids [clusters][dim] of unit rows [count][dim], count >= clusters
 * >= 1. Seeded by k-means++ (Arthur and Vassilvitskii 2007) on the first batch. A round looks at one batch of
 * max(16384, 64 a cluster) rows, the next one each time, and moves the centroids to the mean of what they
 * caught, in which earlier batches count half with every round (Sculley, "Web-scale k-means
 * clustering", 2010, with forgetting in place of its 1 / n). Batches are taken as they lie: the caller brings
 * the rows in random order. Where all rows are one batch these are rounds of Lloyd.
 *
 * Where a cluster holds more than 1.25 times the average, the centroid of a small one moves into it, and the
 * most balanced state is kept: cells of equal size need the least padding. A large input is trained on a
 * sample: the caller's choice. The result follows from the rows and the rng alone, not from `exec`.
 * `progress` may be NULL. */
enum veil_status index_kmeans(float *centroids, uint32_t clusters, const float *rows, uint32_t count,
	uint32_t dim, const struct rng *rng, const struct exec *exec, const struct index_progress *progress,
	struct veil_error *err) VEIL_MUST_CHECK;

/** Memory that index_kmeans takes beyond its rows and centroids. */
uint64_t index_kmeans_bytes(uint32_t clusters, uint32_t count, uint32_t dim);

#endif
