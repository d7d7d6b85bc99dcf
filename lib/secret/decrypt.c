/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/decrypt.h"

#include <string.h>

#include "base/ct.h"
#include "base/require.h"

size_t secret_phase_scratch(const struct ring *ring)
{
	return ring_row_room(ring);
}

/* By Horner: ((poly[2] s) + poly[1]) s + poly[0], in evaluation format but for the last sum of a ciphertext
 * in coefficient format. */
static void phase_row(
	const struct secret_key *key, void *phase, const struct rlwe_ciphertext *ct, unsigned i, void *values)
{
	const bool transform = rlwe_ciphertext_format(ct) == RING_COEFFICIENT;
	const struct ring_prime *r = &key->ring->primes[i];
	unsigned j = ct->count - 1;

	memcpy(phase, ring_poly_row(&ct->poly[j], i), ring_prime_bytes(r));
	if (transform)
		r->k.ntt_forward(phase, r->table);
	r->k.mul(phase, phase, key->s[i], r->n, &r->p);
	while (--j > 0) {
		const void *row = ring_poly_row(&ct->poly[j], i);

		if (transform) {
			row = memcpy(values, row, ring_prime_bytes(r));
			r->k.ntt_forward(values, r->table);
		}
		r->k.add(phase, phase, row, r->n, &r->p);
		r->k.mul(phase, phase, key->s[i], r->n, &r->p);
	}
	if (transform)
		r->k.ntt_inverse(phase, r->table, KERNELS_PLAIN);
	r->k.add(phase, phase, ring_poly_row(&ct->poly[0], i), r->n, &r->p);
	if (!transform)
		r->k.ntt_inverse(phase, r->table, KERNELS_PLAIN);
	/* MSan does not follow the high half of a product, which is what mul keeps of the secret. */
	ct_poison(phase, ring_prime_bytes(r));
}

void secret_phase(const struct secret_key *key, struct ring_poly *phase, const struct rlwe_ciphertext *ct,
	struct arena *scratch)
{
	const unsigned level = rlwe_ciphertext_level(ct);
	const size_t mark = arena_mark(scratch);
	void *values = arena_take(scratch, ring_row_room(key->ring));

	REQUIRE(ct->poly[0].ring == key->ring && phase->ring == key->ring && phase->room >= level);
	for (unsigned i = 0; i < level; i++)
		phase_row(key, ring_poly_row(phase, i), ct, i, values);
	phase->level = level;
	phase->format = RING_COEFFICIENT;
	arena_release(scratch, mark);
}
