/* SPDX-License-Identifier: Apache-2.0 */
#include "rlwe/modswitch.h"

#include "base/require.h"

/* The rest of the division is the residue c mod q, or that less q where it is above q's half: no tie, q is
 * odd.
 */
static void divide_coefficients(
	struct ring_poly *dst, const struct ring_poly *a, const void *last, unsigned by)
{
	const struct ring_prime *from = &a->ring->primes[by];

	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &a->ring->primes[i];

		r->k.sub_mul(ring_poly_row(dst, i), ring_poly_row(a, i), last, r->n,
			ring_inverse(a->ring, by, i), from->p.q / 2, &r->p, &from->p);
	}
}

/* The same of values: the rest, (c + h mod q) - h with h = (q-1)/2, is transformed first. */
static void divide_values(
	struct ring_poly *dst, const struct ring_poly *a, void *last, unsigned by, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	const struct ring_prime *from = &a->ring->primes[by];
	void *rest = arena_take(scratch, ring_row_room(a->ring));

	from->k.ntt_inverse(last, from->table, KERNELS_PLAIN);
	from->k.affine(last, last, from->n, 1, from->p.q / 2, &from->p, &from->p);
	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &a->ring->primes[i];

		r->k.affine(rest, last, r->n, 1, (r->p.q - from->p.q / 2 % r->p.q) % r->p.q, &r->p, &from->p);
		r->k.ntt_forward(rest, r->table);
		r->k.sub_mul(ring_poly_row(dst, i), ring_poly_row(a, i), rest, r->n,
			ring_inverse(a->ring, by, i), r->p.q, &r->p, &r->p);
	}
	arena_release(scratch, mark);
}

void rlwe_modswitch_divide(
	struct ring_poly *dst, const struct ring_poly *a, void *last, unsigned by, struct arena *scratch)
{
	REQUIRE(dst->ring == a->ring && dst->room >= a->level && by >= a->level && by < a->ring->count);
	dst->level = a->level;
	dst->format = a->format;
	if (a->format == RING_EVALUATION)
		divide_values(dst, a, last, by, scratch);
	else
		divide_coefficients(dst, a, last, by);
}

void rlwe_modswitch_drop_poly(struct ring_poly *a, struct arena *scratch)
{
	REQUIRE(a->level >= 2);
	a->level--;
	rlwe_modswitch_divide(a, a, ring_poly_row(a, a->level), a->level, scratch);
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
