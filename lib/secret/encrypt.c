/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/encrypt.h"

#include "base/require.h"

/* The sampler gives a multiple of 32. */
static size_t errors(const struct ring *ring)
{
	return (ring->n + 31) / 32 * 32;
}

size_t secret_encrypt_scratch(const struct ring *ring)
{
	return arena_room(errors(ring)) + ring_row_room(ring) + secret_sample_scratch();
}

void secret_encrypt_zero(const struct secret_key *key, struct ring_poly *b, const struct ring_poly *a,
	struct secret_stream *stream, struct arena *scratch)
{
	const struct ring *ring = key->ring;
	size_t mark = arena_mark(scratch);
	int8_t *small = arena_take(scratch, errors(ring));
	void *error = arena_take(scratch, ring_row_room(ring));

	REQUIRE(a->ring == ring && b->ring == ring && a->format == RING_EVALUATION && b->room >= a->level);
	b->level = a->level;
	b->format = RING_COEFFICIENT;
	secret_sample_cbd21(small, errors(ring), stream, scratch);
	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &ring->primes[i];
		void *row = ring_poly_row(b, i);

		r->k.mul(row, ring_poly_row(a, i), key->s[i], r->n, &r->p);
		r->k.ntt_inverse(row, r->table, KERNELS_PLAIN);
		secret_lift(r, error, small);
		r->k.sub(row, error, row, r->n, &r->p);
	}
	arena_release(scratch, mark);
}
