/* SPDX-License-Identifier: Apache-2.0 */
#include "privacy/random.h"

#include "base/bytes.h"
#include "base/ct.h"
#include "base/require.h"

void privacy_random_init(struct privacy_random *random, struct rng rng)
{
	random->rng = rng;
	random->left = 0;
}

void privacy_random_clear(struct privacy_random *random)
{
	if (random)
		wipe(random, sizeof *random);
}

uint32_t privacy_random_bits(struct privacy_random *random)
{
	uint8_t *at;
	uint32_t bits;

	if (random->left == 0) {
		rng_fill(&random->rng, random->pool, sizeof random->pool);
		random->left = sizeof random->pool;
	}
	at = random->pool + sizeof random->pool - random->left;
	bits = load_le32(at);
	store_le32(at, 0);
	random->left -= sizeof bits;
	return bits;
}

static uint64_t bits64(struct privacy_random *random)
{
	uint64_t low = privacy_random_bits(random);

	return low | (uint64_t)privacy_random_bits(random) << 32;
}

/* The fewest bits that hold the bound; too large values are drawn again, half of them at the most. */
uint64_t privacy_random_below(struct privacy_random *random, uint64_t bound)
{
	uint64_t mask, x;

	REQUIRE(bound > 0);
	if (bound == 1)
		return 0;
	mask = UINT64_MAX >> __builtin_clzll(bound - 1);
	do
		x = (mask >> 32 ? bits64(random) : privacy_random_bits(random)) & mask;
	while (x >= bound);
	return x;
}

/* Algorithm of Duchon and Duvignau: the number of fixed points that are never disturbed. */
static uint32_t poisson_one(struct privacy_random *random)
{
	uint32_t count = 1, a = 1, b = 0;

	for (;;) {
		uint32_t j = (uint32_t)privacy_random_below(random, (uint64_t)a + 1);

		if (j < a && j < b)
			return count;
		if (j == a) {
			count++;
		} else {
			count--;
			b = a + 1;
		}
		a++;
	}
}

uint64_t privacy_random_poisson(struct privacy_random *random, uint64_t rate, uint32_t bits)
{
	uint64_t whole = rate >> bits, rest = rate & (((uint64_t)1 << bits) - 1), count = 0;

	for (uint64_t i = 0; i < whole; i++)
		count += poisson_one(random);
	for (uint32_t i = rest ? poisson_one(random) : 0; i > 0; i--)
		count += privacy_random_below(random, (uint64_t)1 << bits) < rest;
	return count;
}

uint32_t privacy_random_logarithmic(struct privacy_random *random, uint32_t p32)
{
	uint32_t k;

	REQUIRE(p32 > 0);
	do {
		k = 1;
		while (privacy_random_bits(random) < p32)
			k++;
	} while (privacy_random_below(random, k) != 0);
	return k;
}
