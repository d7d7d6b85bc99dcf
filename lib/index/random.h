/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDEX_RANDOM_H
#define INDEX_RANDOM_H

#include "base/rng.h"

/** Uniform below `bound` (> 0). */
static inline uint32_t index_random_below(const struct rng *rng, uint32_t bound)
{
	uint32_t limit = UINT32_MAX - UINT32_MAX % bound, x;

	do
		rng_fill(rng, &x, sizeof x);
	while (x >= limit);
	return x % bound;
}

/** Uniform in [0, 1). */
static inline double index_random_unit(const struct rng *rng)
{
	uint64_t x;

	rng_fill(rng, &x, sizeof x);
	return (double)(x >> 11) * 0x1p-53;
}

/** A random order (Fisher and Yates). */
static inline void index_random_shuffle(const struct rng *rng, uint32_t *items, uint32_t count)
{
	for (uint32_t i = count; i > 1; i--) {
		uint32_t j = index_random_below(rng, i), item = items[i - 1];

		items[i - 1] = items[j];
		items[j] = item;
	}
}

#endif
