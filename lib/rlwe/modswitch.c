/* SPDX-License-Identifier: Apache-2.0 */
#include "rlwe/modswitch.h"

#include "base/require.h"

/* The rest of the division is the residue c mod q, or that less q where it is above q's half: no tie, q is
 * odd.
 */
static void drop_coefficients(struct ring_poly *a, const void *last, const struct ring_prime *from)
{
	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &a->ring->primes[i];

		r->k.sub_mul(ring_poly_row(a, i), ring_poly_row(a, i), last, r->n,
			ring_inverse(a->ring, a->level, i), from->p.q / 2, &r->p, &from->p);
	}
}

/* The same of values: the rest, (c + h mod q) - h with h = (q-1)/2, is transformed first. */
static void drop_values(struct ring_poly *a, void *last, const struct ring_prime *from, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	void *rest = arena_take(scratch, ring_row_room(a->ring));

	from->k.ntt_inverse(last, from->table, KERNELS_PLAIN);
	from->k.affine(last, last, from->n, 1, from->p.q / 2, &from->p, &from->p);
	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &a->ring->primes[i];

		r->k.affine(rest, last, r->n, 1, r->p.q - from->p.q / 2 % r->p.q, &r->p, &from->p);
		r->k.ntt_forward(rest, r->table);
		r->k.sub_mul(ring_poly_row(a, i), ring_poly_row(a, i), rest, r->n,
			ring_inverse(a->ring, a->level, i), r->p.q, &r->p, &r->p);
	}
	arena_release(scratch, mark);
}

void rlwe_modswitch_drop_poly(struct ring_poly *a, struct arena *scratch)
{
	const struct ring_prime *from;

	REQUIRE(a->level >= 2);
	from = &a->ring->primes[--a->level];
	if (a->format == RING_EVALUATION)
		drop_values(a, ring_poly_row(a, a->level), from, scratch);
	else
		drop_coefficients(a, ring_poly_row(a, a->level), from);
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
