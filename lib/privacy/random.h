/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PRIVACY_RANDOM_H
#define PRIVACY_RANDOM_H

#include <stdint.h>

#include "base/rng.h"

/** Exact samples: integers only, no floating point, no modulo; each draw has precisely the law it says, given
 * a perfect generator. How long a draw takes depends on what is drawn, so all of an epoch's are made before
 * anything of it is sent. */
struct privacy_random {
	struct rng rng;
	uint32_t left;
	uint8_t pool[1024]; /* asked of the generator at once; what is used is wiped */
};

void privacy_random_init(struct privacy_random *random, struct rng rng);
/** Wipes. Accepts NULL. */
void privacy_random_clear(struct privacy_random *random);

/** Uniform. */
uint32_t privacy_random_bits(struct privacy_random *random);
/** Uniform below `bound` > 0, by rejection. */
uint64_t privacy_random_below(struct privacy_random *random, uint64_t bound);
/** Poisson with mean `rate` / 2^bits, bits <= 62. One of mean 1 by the method of Duchon and Duvignau
 * ("Preserving the number of cycles of length k in a growing uniform permutation", 2016), once for each whole
 * one; for the rest, each point of one more is kept with that probability. */
uint64_t privacy_random_poisson(struct privacy_random *random, uint64_t rate, uint32_t bits);
/** Logarithmic with p = p32 / 2^32, p32 > 0: P[k] = p^k / (-k ln(1 - p)), k >= 1. A geometric one is accepted
 * with probability 1/k. */
uint32_t privacy_random_logarithmic(struct privacy_random *random, uint32_t p32);

#endif
