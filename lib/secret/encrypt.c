/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/encrypt.h"

static size_t widest(const struct ring *ring)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < ring->count; i++)
		if (ring_prime_bytes(&ring->primes[i]) > bytes)
			bytes = ring_prime_bytes(&ring->primes[i]);
	return bytes;
}

size_t secret_encrypt_scratch(const struct ring *ring)
{
	return arena_room(ring->n) + arena_room(widest(ring)) + secret_sample_scratch();
}

void secret_encrypt_zero(const struct secret_key *key, void *const *b, const void *const *a,
	struct secret_stream *stream, struct arena *scratch)
{
	const struct ring *ring = key->ring;
	size_t mark = arena_mark(scratch);
	int8_t *small = arena_take(scratch, ring->n);
	void *error = arena_take(scratch, widest(ring));

	secret_sample_cbd21(small, ring->n, stream, scratch);
	for (unsigned i = 0; i < ring->count; i++) {
		const struct ring_prime *r = &ring->primes[i];

		r->k.mul(b[i], a[i], key->s[i], r->n, &r->p);
		r->k.ntt_inverse(b[i], r->table, KERNELS_PLAIN);
		secret_lift(r, error, small);
		r->k.sub(b[i], error, b[i], r->n, &r->p);
	}
	arena_release(scratch, mark);
}
