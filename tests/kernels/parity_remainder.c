/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "base/u128.h"
#include "parity.h"
#include "support/test.h"

#define MAX_NUMBERS 257
#define AROUND 256 /* poisoned bytes before and after */

/* Edges: 0, 2^128 - 1, words of all ones, and what is next to the multiple of q just below 2^128. */
static uint128 edge(const struct rng *rng, uint64_t q)
{
	uint128 x;

	rng_fill(rng, &x, sizeof x);
	switch (test_below(rng, 5)) {
	case 0:
		return test_below(rng, 2) ? 0 : (uint128)-1;
	case 1:
		return (uint128)UINT32_MAX << 32 * test_below(rng, 4);
	case 2:
		return (uint128)-1 / q * q + test_below(rng, 3) - 1;
	default:
		return x;
	}
}

static bool differs(const struct kernels *reference, const struct kernels *candidate,
	const struct kernels_prime *p, size_t n, const struct rng *rng)
{
	_Alignas(64) uint8_t want[MAX_NUMBERS * 8 + 2 * AROUND], got[sizeof want];
	const size_t offset = AROUND / 2 + test_below(rng, 17) * p->width;
	uint8_t *bytes = malloc(16 * n); /* of just that size: a sanitizer sees what is read past it */

	REQUIRE(bytes);
	for (size_t i = 0; i < n; i++) {
		uint128 x = edge(rng, p->q);

		memcpy(bytes + 16 * i, &x, sizeof x);
	}
	memset(want, 0xa5, sizeof want);
	memset(got, 0xa5, sizeof got);
	reference->remainder(want + offset, bytes, n, p);
	candidate->remainder(got + offset, bytes, n, p);
	free(bytes);
	return memcmp(want, got, sizeof want) != 0;
}

unsigned parity_check_remainder(const struct kernels *reference, const struct kernels *candidate,
	const struct kernels_prime *p, const struct rng *rng)
{
	unsigned differences = 0;

	for (size_t n = 1; n <= MAX_NUMBERS; n += n < 40 ? 1 : 31) {
		if (!differs(reference, candidate, p, n, rng))
			continue;
		fprintf(stderr, "# %s is not %s, q=%llu: remainder, n=%zu\n", candidate->name,
			reference->name, (unsigned long long)p->q, n);
		differences++;
	}
	return differences;
}
