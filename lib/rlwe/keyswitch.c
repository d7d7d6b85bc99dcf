/* SPDX-License-Identifier: Apache-2.0 */
#include "rlwe/keyswitch.h"

#include <string.h>

#include "base/require.h"
#include "rlwe/modswitch.h"

/* The primes that a digit is known modulo: those of its level, then the special one. */
static unsigned prime_of(const struct ring *ring, unsigned level, unsigned j)
{
	return j < level ? j : ring->count - 1;
}

static void *digit_row(const struct rlwe_digits *d, unsigned i, unsigned j)
{
	return (uint8_t *)d->data + (i * (d->level + 1) + j) * ring_row_room(d->ring);
}

size_t rlwe_digits_bytes(const struct ring *ring, unsigned level)
{
	return level * (level + 1) * ring_row_room(ring);
}

void rlwe_digits_init(struct rlwe_digits *d, const struct ring *ring, unsigned level, void *data)
{
	REQUIRE(level >= 1 && level < ring->count && (uintptr_t)data % 64 == 0);
	*d = (struct rlwe_digits){ring, level, data};
}

/* The coefficients of row i plus h = (q_i - 1)/2 mod q_i: less h, they are centred. */
static void raise_digit(void *raised, const struct ring_poly *a, unsigned i)
{
	const struct ring_prime *from = &a->ring->primes[i];
	const void *row = ring_poly_row(a, i);

	if (a->format == RING_EVALUATION) {
		memcpy(raised, row, ring_prime_bytes(from));
		from->k.ntt_inverse(raised, from->table, KERNELS_PLAIN);
		row = raised;
	}
	from->k.affine(raised, row, from->n, 1, from->p.q / 2, &from->p, &from->p);
}

void rlwe_decompose(struct rlwe_digits *d, const struct ring_poly *a, struct arena *scratch)
{
	const struct ring *ring = d->ring;
	const size_t mark = arena_mark(scratch);
	void *raised = arena_take(scratch, ring_row_room(ring));

	REQUIRE(a->ring == ring && a->level == d->level);
	for (unsigned i = 0; i < d->level; i++) {
		const struct ring_prime *from = &ring->primes[i];

		raise_digit(raised, a, i);
		for (unsigned j = 0; j <= d->level; j++) {
			const struct ring_prime *r = &ring->primes[prime_of(ring, d->level, j)];
			void *row = digit_row(d, i, j);

			if (i == j && a->format == RING_EVALUATION) {
				memcpy(row, ring_poly_row(a, i), ring_prime_bytes(r));
				continue;
			}
			r->k.affine(row, raised, r->n, 1, r->p.q - from->p.q / 2 % r->p.q, &r->p, &from->p);
			r->k.ntt_forward(row, r->table);
		}
	}
	arena_release(scratch, mark);
}

size_t rlwe_wide_bytes(const struct ring *ring, unsigned level)
{
	return 2 * (ring_poly_bytes(ring, level) + ring_row_room(ring));
}

void rlwe_wide_init(struct rlwe_wide *w, const struct ring *ring, unsigned level, void *data)
{
	uint8_t *at = data;

	REQUIRE(level >= 1 && level < ring->count);
	for (unsigned k = 0; k < 2; k++) {
		ring_poly_init(&w->poly[k], ring, level, RING_EVALUATION, at);
		at += ring_poly_bytes(ring, level);
		w->special[k] = at;
		at += ring_row_room(ring);
	}
}

static void *wide_row(const struct rlwe_wide *w, unsigned k, unsigned j)
{
	return j < w->poly[k].level ? ring_poly_row(&w->poly[k], j) : w->special[k];
}

void rlwe_switch(struct rlwe_wide *w, const struct rlwe_digits *d, const struct rlwe_switch_key *key,
	const uint32_t *map, struct arena *scratch)
{
	const struct ring *ring = d->ring;
	const size_t mark = arena_mark(scratch);
	const void *digits[RING_MAX_PRIMES], *keys[RING_MAX_PRIMES];
	void *moved[RING_MAX_PRIMES];

	REQUIRE(w->poly[0].ring == ring && w->poly[0].level == d->level && d->level <= key->count);
	for (unsigned i = 0; map && i < d->level; i++)
		moved[i] = arena_take(scratch, ring_row_room(ring));
	for (unsigned j = 0; j <= d->level; j++) {
		const unsigned prime = prime_of(ring, d->level, j);
		const struct ring_prime *r = &ring->primes[prime];

		for (unsigned i = 0; i < d->level; i++) {
			digits[i] = digit_row(d, i, j);
			if (!map)
				continue;
			r->k.permute(moved[i], digits[i], map, r->n);
			digits[i] = moved[i];
		}
		for (unsigned k = 0; k < 2; k++) {
			for (unsigned i = 0; i < d->level; i++)
				keys[i] = ring_poly_row(&key->ct[i].poly[k], prime);
			r->k.dot(wide_row(w, k, j), digits, keys, d->level, r->n, &r->p);
		}
	}
	w->poly[0].format = w->poly[1].format = RING_EVALUATION;
	arena_release(scratch, mark);
}

void rlwe_wide_add(struct rlwe_wide *dst, const struct rlwe_wide *a)
{
	const struct ring *ring = a->poly[0].ring;
	const struct ring_prime *special = &ring->primes[ring->count - 1];

	for (unsigned k = 0; k < 2; k++) {
		ring_poly_add(&dst->poly[k], &dst->poly[k], &a->poly[k]);
		special->k.add(dst->special[k], dst->special[k], a->special[k], special->n, &special->p);
	}
}

void rlwe_wide_add_poly(struct rlwe_wide *w, unsigned k, const struct ring_poly *a)
{
	const struct ring *ring = a->ring;
	const uint64_t p = ring->primes[ring->count - 1].p.q;

	REQUIRE(a->format == RING_EVALUATION && w->poly[k].ring == ring && w->poly[k].level == a->level);
	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &ring->primes[i];
		void *row = ring_poly_row(&w->poly[k], i);

		r->k.mul_add(row, row, ring_poly_row(a, i), r->n, p % r->p.q, 0, &r->p, &r->p);
	}
}

void rlwe_wide_divide(
	struct rlwe_ciphertext *ct, struct rlwe_wide *w, enum ring_format format, struct arena *scratch)
{
	const struct ring *ring = w->poly[0].ring;
	const struct ring_prime *special = &ring->primes[ring->count - 1];

	ct->count = 2;
	ct->seeded = false;
	for (unsigned k = 0; k < 2; k++) {
		if (format == RING_COEFFICIENT) {
			ring_poly_transform(&w->poly[k], format);
			special->k.ntt_inverse(w->special[k], special->table, KERNELS_PLAIN);
		}
		rlwe_modswitch_divide(&ct->poly[k], &w->poly[k], w->special[k], ring->count - 1, scratch);
	}
}

size_t rlwe_switch_room(const struct ring *ring, unsigned level)
{
	return arena_room(rlwe_digits_bytes(ring, level)) + arena_room(rlwe_wide_bytes(ring, level)) +
	       (level + 1) * ring_row_room(ring);
}
