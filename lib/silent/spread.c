/* SPDX-License-Identifier: Apache-2.0 */
#include "silent/spread.h"

#include <string.h>

static uint32_t reverse(uint32_t x, unsigned bits)
{
	uint32_t r = 0;

	for (unsigned i = 0; i < bits; i++)
		r |= (x >> i & 1) << (bits - 1 - i);
	return r;
}

/* Output j of the transform is the value at X^(2 brv(j) + 1), as in kernels.h. */
size_t silent_spread_index(unsigned log_n, uint32_t g)
{
	return reverse(((2u << log_n) - g - 1) / 2, log_n);
}

/* (u, v) = (u + X^e v, u - X^e v), 0 <= e < n */
static void turn_and_add(int64_t *restrict u, int64_t *restrict v, size_t n, size_t e, int64_t *restrict copy)
{
	memcpy(copy, v, n * sizeof *v);
	for (size_t k = 0; k < e; k++) {
		int64_t x = copy[n - e + k];

		v[k] = u[k] + x;
		u[k] -= x;
	}
	for (size_t k = e; k < n; k++) {
		int64_t x = copy[k - e];

		v[k] = u[k] - x;
		u[k] += x;
	}
}

void silent_spread(int64_t *p, unsigned log_n, int64_t *scratch)
{
	const size_t n = (size_t)1 << log_n;

	for (size_t m = 1, t = n / 2; m < n; m *= 2, t /= 2)
		for (size_t i = 0; i < m; i++)
			for (size_t j = 2 * i * t; j < (2 * i + 1) * t; j++)
				turn_and_add(p + j * n, p + (j + t) * n, n, reverse((uint32_t)(m + i), log_n),
					scratch);
}

/* (u, v) = (u + v, X^-e (u - v)), 0 <= e < n */
static void add_and_turn(int32_t *restrict u, int32_t *restrict v, size_t n, size_t e, int32_t *restrict copy)
{
	for (size_t k = 0; k < n; k++) {
		copy[k] = u[k] - v[k];
		u[k] += v[k];
	}
	memcpy(v, copy + e, (n - e) * sizeof *v);
	for (size_t k = 0; k < e; k++)
		v[n - e + k] = -copy[k];
}

void silent_gather(int32_t *z, unsigned log_n, int32_t *scratch)
{
	const size_t n = (size_t)1 << log_n;

	for (size_t m = n / 2, t = 1; m > 0; m /= 2, t *= 2)
		for (size_t i = 0; i < m; i++)
			for (size_t j = 2 * i * t; j < (2 * i + 1) * t; j++)
				add_and_turn(z + j * n, z + (j + t) * n, n, reverse((uint32_t)(m + i), log_n),
					scratch);
}
