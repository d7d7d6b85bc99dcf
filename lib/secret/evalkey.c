/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/evalkey.h"

#include "base/ct.h"
#include "base/drbg.h"
#include "base/require.h"
#include "secret/encrypt.h"

size_t secret_evalkey_scratch(const struct ring *ring)
{
	return 2 * ring_poly_bytes(ring, ring->count) + secret_encrypt_scratch(ring);
}

static void generate(struct rlwe_switch_key *out, const struct secret_key *key,
	const struct ring_poly *target, const struct rng *rng, struct drbg *drbg,
	struct secret_stream *stream, struct arena *scratch)
{
	const struct ring *ring = key->ring;
	const size_t mark = arena_mark(scratch), bytes = ring_poly_bytes(ring, ring->count);
	const uint64_t special = ring->primes[ring->count - 1].p.q;
	struct ring_poly b;

	ring_poly_init(&b, ring, ring->count, RING_COEFFICIENT, arena_take(scratch, bytes));
	for (unsigned i = 0; i < out->count; i++) {
		const struct ring_prime *r = &ring->primes[i];
		struct rlwe_ciphertext *ct = &out->ct[i];
		uint8_t seed[RING_SEED_BYTES];
		void *row = ring_poly_row(&b, i);

		rng_fill(rng, seed, sizeof seed);
		rlwe_ciphertext_expand(ct, seed, drbg);
		secret_encrypt_zero(key, &b, &ct->poly[1], stream, scratch);
		ring_poly_transform(&b, RING_EVALUATION);
		r->k.mul_add(row, row, ring_poly_row(target, i), r->n, special % r->p.q, 0, &r->p, &r->p);
		ct_unpoison(b.data, bytes);
		ring_poly_copy(&ct->poly[0], &b);
	}
	arena_release(scratch, mark);
}

void secret_evalkey_generate(struct rlwe_evalkey *out, const struct secret_key *key, const struct rng *rng,
	struct drbg *drbg, struct secret_stream *stream, struct arena *scratch)
{
	const struct ring *ring = key->ring;
	const size_t mark = arena_mark(scratch);
	struct ring_poly target;

	REQUIRE(scratch->secret);
	ring_poly_init(&target, ring, ring->count, RING_EVALUATION,
		arena_take(scratch, ring_poly_bytes(ring, ring->count)));
	for (unsigned g = 0; g < out->galois_count; g++) {
		for (unsigned i = 0; i < ring->count; i++)
			ring->primes[i].k.permute(
				ring_poly_row(&target, i), key->s[i], out->galois[g].map, ring->n);
		generate(&out->galois[g].key, key, &target, rng, drbg, stream, scratch);
	}
	if (out->has_relin) {
		for (unsigned i = 0; i < ring->count; i++)
			ring->primes[i].k.mul(
				ring_poly_row(&target, i), key->s[i], key->s[i], ring->n, &ring->primes[i].p);
		generate(&out->relin, key, &target, rng, drbg, stream, scratch);
	}
	arena_release(scratch, mark);
}
