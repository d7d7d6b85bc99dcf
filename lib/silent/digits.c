/* SPDX-License-Identifier: Apache-2.0 */
#include "silent/digits.h"

#include "base/u128.h"

void silent_digits(int32_t out[RLWE_MAX_DIGITS], uint64_t a, uint64_t q, const struct rlwe_gadget *g)
{
	int64_t z = a > q / 2 ? (int64_t)a - (int64_t)q : (int64_t)a, half = (int64_t)1 << (g->bits - 1);

	z = (z + ((int64_t)1 << (g->drop - 1))) >> g->drop;
	for (unsigned l = 0; l + 1 < g->digits; l++) {
		int64_t low = ((z + half) & (2 * half - 1)) - half;

		out[l] = (int32_t)low;
		z = (z - low) >> g->bits;
	}
	out[g->digits - 1] = (int32_t)z;
}

uint64_t silent_lift(uint64_t x, unsigned bits, uint64_t q)
{
	uint64_t r = (uint64_t)(((uint128)x * q + ((uint64_t)1 << (bits - 1))) >> bits);

	return r == q ? 0 : r;
}
