/* SPDX-License-Identifier: Apache-2.0 */
#include "ring/poly.h"

#include <string.h>

#include "base/require.h"

size_t ring_poly_bytes(const struct ring *ring, unsigned level)
{
	const struct ring_prime *last;

	REQUIRE(level >= 1 && level <= ring->count);
	last = &ring->primes[level - 1];
	return last->offset + arena_room(ring_prime_bytes(last));
}

void ring_poly_init(
	struct ring_poly *a, const struct ring *ring, unsigned level, enum ring_format format, void *data)
{
	REQUIRE(level >= 1 && level <= ring->count && (uintptr_t)data % 64 == 0);
	*a = (struct ring_poly){.ring = ring, .level = level, .room = level, .format = format, .data = data};
}

/* dst becomes what the result of an operation on a is. */
static void take_shape(struct ring_poly *dst, const struct ring_poly *a)
{
	REQUIRE(dst->ring == a->ring && dst->room >= a->level);
	dst->level = a->level;
	dst->format = a->format;
}

void ring_poly_copy(struct ring_poly *dst, const struct ring_poly *a)
{
	take_shape(dst, a);
	if (dst->data != a->data)
		memcpy(dst->data, a->data, ring_poly_bytes(a->ring, a->level));
}

void ring_poly_transform(struct ring_poly *a, enum ring_format format)
{
	if (a->format == format)
		return;
	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &a->ring->primes[i];

		if (format == RING_EVALUATION)
			r->k.ntt_forward(ring_poly_row(a, i), r->table);
		else
			r->k.ntt_inverse(ring_poly_row(a, i), r->table, KERNELS_PLAIN);
	}
	a->format = format;
}

static void require_alike(const struct ring_poly *a, const struct ring_poly *b)
{
	REQUIRE(a->ring == b->ring && a->level == b->level && a->format == b->format);
}

void ring_poly_add(struct ring_poly *dst, const struct ring_poly *a, const struct ring_poly *b)
{
	require_alike(a, b);
	take_shape(dst, a);
	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &a->ring->primes[i];

		r->k.add(ring_poly_row(dst, i), ring_poly_row(a, i), ring_poly_row(b, i), r->n, &r->p);
	}
}

void ring_poly_sub(struct ring_poly *dst, const struct ring_poly *a, const struct ring_poly *b)
{
	require_alike(a, b);
	take_shape(dst, a);
	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &a->ring->primes[i];

		r->k.sub(ring_poly_row(dst, i), ring_poly_row(a, i), ring_poly_row(b, i), r->n, &r->p);
	}
}

void ring_poly_neg(struct ring_poly *dst, const struct ring_poly *a)
{
	take_shape(dst, a);
	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &a->ring->primes[i];

		r->k.neg(ring_poly_row(dst, i), ring_poly_row(a, i), r->n, &r->p);
	}
}

void ring_poly_mul(struct ring_poly *dst, const struct ring_poly *a, const struct ring_poly *b)
{
	REQUIRE(a->ring == b->ring && a->level <= b->level);
	REQUIRE(a->format == RING_EVALUATION && b->format == RING_EVALUATION);
	take_shape(dst, a);
	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &a->ring->primes[i];

		r->k.mul(ring_poly_row(dst, i), ring_poly_row(a, i), ring_poly_row(b, i), r->n, &r->p);
	}
}

void ring_poly_shift(struct ring_poly *dst, const struct ring_poly *a, int shift)
{
	REQUIRE(a->format == RING_COEFFICIENT);
	take_shape(dst, a);
	for (unsigned i = 0; i < a->level; i++)
		ring_shift(&a->ring->primes[i], ring_poly_row(dst, i), ring_poly_row(a, i), shift);
}

bool ring_poly_is_zero_vartime(const struct ring_poly *a)
{
	for (unsigned i = 0; i < a->level; i++) {
		const uint8_t *row = ring_poly_row(a, i);
		const size_t size = ring_prime_bytes(&a->ring->primes[i]);

		if (row[0] || memcmp(row, row + 1, size - 1) != 0)
			return false;
	}
	return true;
}
