/* SPDX-License-Identifier: Apache-2.0 */
#include "rlwe/modswitch.h"

#include "base/require.h"

/* round(c / q) = (c + h - (c + h mod q)) / q with h = (q-1)/2: no tie, q is odd. `last` is c + h mod q. */
static void drop_coefficients(struct ring_poly *a, const void *last, const struct ring_prime *from)
{
	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &a->ring->primes[i];

		r->k.sub_mul(ring_poly_row(a, i), ring_poly_row(a, i), last, r->n,
			ring_inverse(a->ring, a->level, i), from->p.q / 2 % r->p.q, &r->p, &from->p);
	}
}

/* The same of values: what is subtracted, (c + h mod q) - h, is transformed first. */
static void drop_values(
	struct ring_poly *a, const void *last, const struct ring_prime *from, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	void *rest = arena_take(scratch, ring_row_room(a->ring));

	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &a->ring->primes[i];

		r->k.affine(rest, last, r->n, 1, r->p.q - from->p.q / 2 % r->p.q, &r->p, &from->p);
		r->k.ntt_forward(rest, r->table);
		r->k.sub_mul(ring_poly_row(a, i), ring_poly_row(a, i), rest, r->n,
			ring_inverse(a->ring, a->level, i), 0, &r->p, &r->p);
	}
	arena_release(scratch, mark);
}

void rlwe_modswitch_drop_poly(struct ring_poly *a, struct arena *scratch)
{
	const struct ring_prime *from;
	void *last;

	REQUIRE(a->level >= 2);
	a->level--;
	from = &a->ring->primes[a->level];
	last = ring_poly_row(a, a->level);
	if (a->format == RING_EVALUATION)
		from->k.ntt_inverse(last, from->table, KERNELS_PLAIN);
	from->k.affine(last, last, from->n, 1, from->p.q / 2, &from->p, &from->p);
	if (a->format == RING_EVALUATION)
		drop_values(a, last, from, scratch);
	else
		drop_coefficients(a, last, from);
}

void rlwe_modswitch_drop(struct rlwe_ciphertext *ct, struct arena *scratch)
{
	for (unsigned i = 0; i < ct->count; i++)
		rlwe_modswitch_drop_poly(&ct->poly[i], scratch);
	ct->seeded = false;
}

void rlwe_modswitch_to(struct rlwe_ciphertext *ct, unsigned level, struct arena *scratch)
{
	REQUIRE(level >= 1 && level <= rlwe_ciphertext_level(ct));
	while (rlwe_ciphertext_level(ct) > level)
		rlwe_modswitch_drop(ct, scratch);
}
