/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/public.h"

#include <string.h>

#include "base/ct.h"
#include "base/drbg.h"
#include "base/require.h"
#include "bfv/eval.h"
#include "ring/prime.h"
#include "secret/encrypt.h"

#define WIDE 16 /* bytes of a flooding coefficient */

static size_t errors(const struct ring *ring)
{
	return (ring->n + 31) / 32 * 32;
}

size_t secret_public_scratch(const struct bfv_context *ctx)
{
	const struct ring *ring = ctx->ring;

	return 2 * arena_room(errors(ring)) + ring_row_room(ring) + arena_room(WIDE * ring->n) +
	       3 * ring_poly_bytes(ring, ring->count) + secret_sample_scratch() +
	       secret_encrypt_scratch(ring) + bfv_plain_scratch(ctx);
}

void secret_public_key_generate(const struct bfv_context *ctx, const struct secret_key *key,
	struct rlwe_ciphertext *pk, const struct rng *rng, struct drbg *drbg, struct secret_stream *stream,
	struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	struct ring_poly b;
	uint8_t seed[RING_SEED_BYTES];

	REQUIRE(key->ring == ctx->ring && rlwe_ciphertext_format(pk) == RING_EVALUATION);
	ring_poly_init(&b, ctx->ring, rlwe_ciphertext_level(pk), RING_COEFFICIENT,
		arena_take(scratch, ring_poly_bytes(ctx->ring, rlwe_ciphertext_level(pk))));
	rng_fill(rng, seed, sizeof seed);
	rlwe_ciphertext_expand(pk, seed, drbg);
	secret_encrypt_zero(key, &b, &pk->poly[1], stream, scratch);
	ring_poly_transform(&b, RING_EVALUATION);
	ct_unpoison(b.data, ring_poly_bytes(ctx->ring, b.level));
	ring_poly_copy(&pk->poly[0], &b);
	arena_release(scratch, mark);
}

/* poly = pk u + e in coefficient format; u in evaluation format. */
static void hide(struct ring_poly *poly, const struct ring_poly *pk, const struct ring_poly *u,
	struct secret_stream *stream, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	const struct ring *ring = u->ring;
	int8_t *small = arena_take(scratch, errors(ring));
	void *error = arena_take(scratch, ring_row_room(ring));

	secret_sample_cbd21(small, errors(ring), stream, scratch);
	ring_poly_mul(poly, u, pk);
	ring_poly_transform(poly, RING_COEFFICIENT);
	for (unsigned i = 0; i < poly->level; i++) {
		const struct ring_prime *r = &ring->primes[i];

		secret_lift(r, error, small);
		r->k.add(ring_poly_row(poly, i), ring_poly_row(poly, i), error, r->n, &r->p);
	}
	arena_release(scratch, mark);
}

static struct ring_poly take(const struct bfv_context *ctx, unsigned level, struct arena *scratch)
{
	struct ring_poly poly;

	ring_poly_init(&poly, ctx->ring, level, RING_COEFFICIENT,
		arena_take(scratch, ring_poly_bytes(ctx->ring, level)));
	return poly;
}

/* c[2] = an encryption of zero. */
static void encrypt_zero(const struct rlwe_ciphertext *pk, struct ring_poly c[2], struct ring_poly *u,
	struct secret_stream *stream, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	const struct ring *ring = u->ring;
	int8_t *small = arena_take(scratch, errors(ring));

	REQUIRE(pk->count == 2 && rlwe_ciphertext_format(pk) == RING_EVALUATION);
	secret_sample_ternary(small, ring->n, stream, scratch);
	for (unsigned i = 0; i < u->level; i++)
		secret_lift(&ring->primes[i], ring_poly_row(u, i), small);
	ring_poly_transform(u, RING_EVALUATION);
	for (unsigned k = 0; k < 2; k++)
		hide(&c[k], &pk->poly[k], u, stream, scratch);
	arena_release(scratch, mark);
}

void secret_public_encrypt(const struct bfv_context *ctx, const struct rlwe_ciphertext *pk,
	struct rlwe_ciphertext *ct, const void *plaintext, struct secret_stream *stream,
	struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	const enum ring_format format = rlwe_ciphertext_format(ct);
	const unsigned level = rlwe_ciphertext_level(ct);
	struct ring_poly c[2] = {take(ctx, level, scratch), take(ctx, level, scratch)},
			 u = take(ctx, level, scratch);

	encrypt_zero(pk, c, &u, stream, scratch);
	if (plaintext)
		bfv_add_scaled(ctx, &c[0], plaintext, scratch);
	ct->count = 2;
	ct->seeded = false;
	for (unsigned k = 0; k < 2; k++) {
		ct_unpoison(c[k].data, ring_poly_bytes(ctx->ring, level));
		ring_poly_copy(&ct->poly[k], &c[k]);
	}
	rlwe_ciphertext_transform(ct, format);
	arena_release(scratch, mark);
}

/* poly += uniform in [-2^bits, 2^bits). */
static void add_uniform(
	struct ring_poly *poly, unsigned bits, struct secret_stream *stream, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch), n = poly->ring->n;
	uint8_t *bytes = arena_take(scratch, WIDE * n);
	void *row = arena_take(scratch, ring_row_room(poly->ring));

	REQUIRE(bits >= 1 && bits <= 126);
	keystream_read(stream->ks, bytes, WIDE * n);
	ct_poison(bytes, WIDE * n);
	for (size_t i = 0; i < WIDE * n; i++) {
		const unsigned at = 8 * (i % WIDE), kept = bits + 1;

		bytes[i] &= kept >= at + 8 ? 0xff : kept <= at ? 0 : (uint8_t)((1u << (kept - at)) - 1);
	}
	for (unsigned i = 0; i < poly->level; i++) {
		const struct ring_prime *r = &poly->ring->primes[i];
		void *to = ring_poly_row(poly, i);

		r->k.remainder(row, bytes, n, &r->p);
		r->k.mul_add(to, to, row, n, 1, (r->p.q - prime_pow(2, bits, r->p.q)) % r->p.q, &r->p, &r->p);
	}
	arena_release(scratch, mark);
}

void secret_public_flood(const struct bfv_context *ctx, const struct rlwe_ciphertext *pk,
	struct rlwe_ciphertext *ct, unsigned bits, struct secret_stream *stream, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	const enum ring_format format = rlwe_ciphertext_format(ct);
	const unsigned level = rlwe_ciphertext_level(ct);
	struct ring_poly c[2] = {take(ctx, level, scratch), take(ctx, level, scratch)},
			 u = take(ctx, level, scratch);

	REQUIRE(ct->count == 2);
	encrypt_zero(pk, c, &u, stream, scratch);
	add_uniform(&c[0], bits, stream, scratch);
	ct->seeded = false;
	for (unsigned k = 0; k < 2; k++) {
		ct_unpoison(c[k].data, ring_poly_bytes(ctx->ring, level));
		ring_poly_transform(&c[k], format);
		ring_poly_add(&ct->poly[k], &ct->poly[k], &c[k]);
	}
	arena_release(scratch, mark);
}
