/* SPDX-License-Identifier: Apache-2.0 */
#include "ring/galois.h"

#include <stdlib.h>
#include <string.h>

#include "base/require.h"

#define GENERATOR 3 /* of the group of rotations */

/* A rotation to the left by this many of N/2 slots. */
static uint32_t left_of(unsigned log_n, int step)
{
	const int row = 1 << log_n >> 1;

	REQUIRE(log_n >= 2 && log_n <= RING_MAX_LOG_N && step > -row && step < row);
	return (uint32_t)(step > 0 ? row - step : -step);
}

uint32_t ring_galois_element_rotate(unsigned log_n, int step)
{
	const uint32_t mask = ((uint32_t)2 << log_n) - 1;
	uint32_t element = 1;

	for (uint32_t i = left_of(log_n, step); i > 0; i--)
		element = element * GENERATOR & mask;
	return element;
}

uint32_t ring_galois_element_swap(unsigned log_n)
{
	return ((uint32_t)2 << log_n) - 1;
}

size_t ring_galois_plan_words(unsigned log_n)
{
	return (size_t)1 << log_n;
}

/* Breadth first from no rotation: by[r] is one more than the step that came to rotation r. */
bool ring_galois_plan(
	unsigned *times, unsigned log_n, const int *steps, unsigned count, int step, uint32_t *scratch)
{
	const uint32_t row = (uint32_t)1 << log_n >> 1, want = left_of(log_n, step);
	uint32_t *queue = scratch, *by = scratch + row, head = 0, tail = 0;

	memset(by, 0, row * sizeof *by);
	memset(times, 0, count * sizeof *times);
	for (queue[tail++] = 0; head < tail && !(want && by[want]); head++) {
		for (unsigned i = 0; i < count; i++) {
			const uint32_t to = (queue[head] + left_of(log_n, steps[i])) % row;

			if (to == 0 || by[to])
				continue;
			by[to] = i + 1;
			queue[tail++] = to;
		}
	}
	if (want && !by[want])
		return false;
	for (uint32_t at = want; at; at = (at + row - left_of(log_n, steps[by[at] - 1])) % row)
		times[by[at] - 1]++;
	return true;
}

static uint32_t reverse(uint32_t x, unsigned bits)
{
	uint32_t r = 0;

	for (unsigned b = 0; b < bits; b++)
		r |= (x >> b & 1) << (bits - 1 - b);
	return r;
}

void ring_galois_map(uint32_t *map, unsigned log_n, uint32_t element, enum ring_format format)
{
	const uint32_t n = (uint32_t)1 << log_n, mask = 2 * n - 1;

	REQUIRE(element % 2 == 1 && element < 2 * n);
	for (uint32_t i = 0; i < n; i++) {
		if (format == RING_EVALUATION) {
			/* the image's value at x is the value at x^element; value i is that at the power 2
			 * brv(i) + 1 of the root */
			uint32_t power = (2 * reverse(i, log_n) + 1) * element & mask;

			map[i] = 2 * reverse(power >> 1, log_n);
		} else {
			/* X^i becomes X^(i element), and X^(n + j) is -X^j */
			uint32_t power = i * element & mask;

			map[power & (n - 1)] = 2 * i + (power >= n);
		}
	}
}

static void apply_row(
	const struct ring_prime *r, void *dst, const void *src, const uint32_t *map, enum ring_format format)
{
	const uint64_t q = r->p.q;

	for (size_t i = 0; i < r->n; i++) {
		uint64_t x = ring_get(r, src, map[i] >> 1);

		if (format == RING_COEFFICIENT) {
			const uint64_t negate = 0 - (uint64_t)(map[i] & 1), zero = (x - 1) >> 63;

			x ^= negate & (x ^ ((q - x) & (zero - 1)));
		}
		ring_set(r, dst, i, x);
	}
}

void ring_galois_apply(struct ring_poly *dst, const struct ring_poly *a, const uint32_t *map)
{
	REQUIRE(dst->ring == a->ring && dst->room >= a->level && dst->data != a->data);
	dst->level = a->level;
	dst->format = a->format;
	for (unsigned i = 0; i < a->level; i++)
		apply_row(&a->ring->primes[i], ring_poly_row(dst, i), ring_poly_row(a, i), map, a->format);
}
