/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/key.h"

#include "base/require.h"

size_t secret_key_room(const struct ring *ring)
{
	size_t room = arena_room(ring->n) + secret_sample_scratch();

	for (unsigned i = 0; i < ring->count; i++)
		room += arena_room(ring_prime_bytes(&ring->primes[i]));
	return room;
}

void secret_lift(const struct ring_prime *r, void *dst, const int8_t *small)
{
	size_t n = r->n;

	if (r->p.width == 4) {
		uint32_t *d = dst, q = (uint32_t)r->p.q;

		for (size_t i = 0; i < n; i++)
			d[i] = (uint32_t)small[i] + (q & (uint32_t)(small[i] >> 7));
	} else {
		uint64_t *d = dst, q = r->p.q;

		for (size_t i = 0; i < n; i++)
			d[i] = (uint64_t)small[i] + (q & (uint64_t)(small[i] >> 7));
	}
}

void secret_key_generate(
	struct secret_key *key, const struct ring *ring, struct secret_stream *stream, struct arena *arena)
{
	size_t mark;
	int8_t *small;

	REQUIRE(arena->secret);
	*key = (struct secret_key){.ring = ring};
	for (unsigned i = 0; i < ring->count; i++)
		key->s[i] = arena_take(arena, ring_prime_bytes(&ring->primes[i]));
	mark = arena_mark(arena);
	small = arena_take(arena, ring->n);
	secret_sample_ternary(small, ring->n, stream, arena);
	for (unsigned i = 0; i < ring->count; i++) {
		const struct ring_prime *r = &ring->primes[i];

		secret_lift(r, key->s[i], small);
		r->k.ntt_forward(key->s[i], r->table);
	}
	arena_release(arena, mark);
}
