/* SPDX-License-Identifier: Apache-2.0 */
#include "ring/convert.h"

#include <string.h>

#include "base/require.h"
#include "base/u128.h"
#include "ring/prime.h"

/* The product of the first `count` primes but number `skip`, mod q. */
static uint64_t product_without(const struct ring *ring, unsigned count, unsigned skip, uint64_t q)
{
	uint64_t product = 1 % q;

	for (unsigned i = 0; i < count; i++)
		if (i != skip)
			product = prime_mul(product, ring->primes[i].p.q % q, q);
	return product;
}

void ring_convert_init(struct ring_convert *c, const struct ring *from, unsigned from_count,
	const struct ring *to, unsigned to_count, const uint64_t *scale, bool divide)
{
	REQUIRE(from->n == to->n && from_count >= 1 && from_count <= from->count && to_count <= to->count);
	*c = (struct ring_convert){.from = from, .to = to, .from_count = from_count, .to_count = to_count};
	kernels_prime_init(&c->wraps, 65537);
	for (unsigned j = 0; j < from_count; j++) {
		const uint64_t q = from->primes[j].p.q;

		c->y[j] = prime_inverse(product_without(from, from_count, j, q), q);
		if (scale)
			c->y[j] = prime_mul(c->y[j], scale[j], q);
	}
	for (unsigned k = 0; k < to_count; k++) {
		const uint64_t p = to->primes[k].p.q;
		const uint64_t all = product_without(from, from_count, from_count, p);
		const uint64_t by = divide ? prime_inverse(all, p) : 1;

		for (unsigned j = 0; j < from_count; j++)
			c->w[j][k] = prime_mul(product_without(from, from_count, j, p), by, p);
		c->w[from_count][k] = p - prime_mul(all, by, p);
	}
}

size_t ring_convert_scratch(const struct ring *from)
{
	return arena_room(from->n * sizeof(uint64_t)) + arena_room(from->n * sizeof(uint32_t));
}

#define FRACTION_BITS 58

/* sum[i] += y[i] / q in units of 2^-58, from the 31 high bits of y and of 2^.../q. */
static void add_fractions(uint64_t *sum, const void *y, const struct ring_prime *r)
{
	const unsigned kept = r->p.bits < 31 ? r->p.bits : 31, shift = r->p.bits - kept, up = 31 - kept;
	const uint32_t inverse = (uint32_t)(((uint128)1 << (FRACTION_BITS - 31 + kept + shift)) / r->p.q);

	if (r->p.width == 4) {
		const uint32_t *x = y;

		for (size_t i = 0; i < r->n; i++)
			sum[i] += (uint64_t)x[i] * inverse << up;
	} else {
		const uint64_t *x = y;

		for (size_t i = 0; i < r->n; i++)
			sum[i] += (uint64_t)(uint32_t)(x[i] >> shift) * inverse;
	}
}

static void find_wraps(
	uint32_t *v, const struct ring_convert *c, const struct ring_poly *y, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch), n = c->from->n;
	uint64_t *sum = arena_take(scratch, n * sizeof *sum);

	for (size_t i = 0; i < n; i++)
		sum[i] = (uint64_t)1 << (FRACTION_BITS - 1);
	for (unsigned j = 0; j < c->from_count; j++)
		add_fractions(sum, ring_poly_row(y, j), &c->from->primes[j]);
	for (size_t i = 0; i < n; i++)
		v[i] = (uint32_t)(sum[i] >> FRACTION_BITS);
	arena_release(scratch, mark);
}

void ring_convert(const struct ring_convert *c, struct ring_poly *dst, bool add, struct ring_poly *src,
	struct arena *scratch)
{
	const size_t mark = arena_mark(scratch), n = c->from->n;
	uint32_t *v = arena_take(scratch, n * sizeof *v);

	REQUIRE(src->ring == c->from && src->level == c->from_count && src->format == RING_COEFFICIENT);
	REQUIRE(dst->ring == c->to && dst->room >= c->to_count);
	REQUIRE(!add || (dst->format == RING_COEFFICIENT && dst->level == c->to_count));
	dst->level = c->to_count;
	dst->format = RING_COEFFICIENT;
	for (unsigned j = 0; j < c->from_count; j++) {
		const struct ring_prime *r = &c->from->primes[j];
		void *row = ring_poly_row(src, j);

		r->k.affine(row, row, n, c->y[j], 0, &r->p, &r->p);
	}
	find_wraps(v, c, src, scratch);
	for (unsigned k = 0; k < c->to_count; k++) {
		const struct ring_prime *r = &c->to->primes[k];
		void *row = ring_poly_row(dst, k);

		if (add)
			r->k.mul_add(row, row, v, n, c->w[c->from_count][k], 0, &r->p, &c->wraps);
		else
			r->k.affine(row, v, n, c->w[c->from_count][k], 0, &r->p, &c->wraps);
		for (unsigned j = 0; j < c->from_count; j++)
			r->k.mul_add(row, row, ring_poly_row(src, j), n, c->w[j][k], 0, &r->p,
				&c->from->primes[j].p);
	}
	arena_release(scratch, mark);
}
