/* SPDX-License-Identifier: Apache-2.0 */
#include "support/bfv.h"

#include <stdio.h>

#include "base/require.h"

static void must(enum veil_status st, const struct veil_error *err)
{
	if (st != VEIL_OK)
		fprintf(stderr, "%s\n", err->text);
	REQUIRE(st == VEIL_OK);
}

void test_bfv_init(
	struct test_bfv *b, const struct rlwe_params *params, unsigned room, uint64_t seed, unsigned features)
{
	struct veil_error err = {.text = "no memory"};
	const struct ring *ring;

	*b = (struct test_bfv){.drbg = drbg_create()};
	b->rng = rng_seeded_init_u64(&b->state, seed);
	must(bfv_context_create(&b->ctx, params, true, features, &err), &err);
	ring = b->ctx->ring;
	must(arena_init_secret(&b->arena, secret_key_room(ring) + secret_bfv_scratch(b->ctx) +
						  secret_evalkey_scratch(ring) + bfv_plain_scratch(b->ctx) +
						  arena_room(bfv_plaintext_bytes(b->ctx))),
		&err);
	must(arena_init(&b->memory, room * rlwe_ciphertext_bytes(ring, 3, ring->count)), &err);
	must(secret_stream_init(&b->stream, &b->rng), &err);
	REQUIRE(b->drbg);
	secret_key_generate(&b->key, ring, &b->stream, &b->arena);
}

void test_bfv_clear(struct test_bfv *b)
{
	secret_stream_clear(&b->stream);
	drbg_destroy(b->drbg);
	arena_clear(&b->arena);
	arena_clear(&b->keys);
	arena_clear(&b->memory);
	bfv_context_destroy(b->ctx);
	*b = (struct test_bfv){0};
}

void test_bfv_keys(
	struct test_bfv *b, struct rlwe_evalkey *keys, const uint32_t *elements, unsigned count, bool relin)
{
	struct veil_error err = {.text = "no memory"};

	must(rlwe_evalkey_check(b->ctx->params, elements, count, relin, &err), &err);
	must(arena_init(&b->keys, rlwe_evalkey_room(b->ctx->ring, count, relin)), &err);
	rlwe_evalkey_init(keys, b->ctx->ring, elements, count, relin, &b->keys);
	secret_evalkey_generate(keys, &b->key, &b->rng, b->drbg, &b->stream, &b->arena);
}

struct rlwe_ciphertext test_bfv_ciphertext(
	struct test_bfv *b, unsigned count, unsigned level, enum ring_format format)
{
	struct rlwe_ciphertext ct;

	rlwe_ciphertext_init(&ct, b->ctx->ring, count, level, format,
		arena_take(&b->memory, rlwe_ciphertext_bytes(b->ctx->ring, count, level)));
	return ct;
}

struct ring_poly test_bfv_poly(struct test_bfv *b, unsigned level, enum ring_format format)
{
	struct ring_poly poly;

	ring_poly_init(&poly, b->ctx->ring, level, format,
		arena_take(&b->memory, ring_poly_bytes(b->ctx->ring, level)));
	return poly;
}

void *test_bfv_plaintext(struct test_bfv *b)
{
	return arena_take(&b->memory, bfv_plaintext_bytes(b->ctx));
}

struct rlwe_ciphertext test_bfv_encrypt(
	struct test_bfv *b, const uint64_t *values, enum bfv_encoding encoding, enum ring_format format)
{
	struct rlwe_ciphertext ct = test_bfv_ciphertext(b, 2, b->ctx->level, format);
	const size_t mark = arena_mark(&b->memory);
	void *plaintext = test_bfv_plaintext(b);
	struct veil_error err;

	must(bfv_encode(b->ctx, plaintext, values, b->ctx->ring->n, encoding, &err), &err);
	secret_bfv_encrypt(b->ctx, &b->key, &ct, plaintext, &b->rng, b->drbg, &b->stream, &b->arena);
	arena_release(&b->memory, mark);
	return ct;
}

void test_bfv_decrypt(
	struct test_bfv *b, uint64_t *values, const struct rlwe_ciphertext *ct, enum bfv_encoding encoding)
{
	const size_t mark = arena_mark(&b->memory);
	void *plaintext = test_bfv_plaintext(b);

	secret_bfv_decrypt(b->ctx, &b->key, plaintext, ct, &b->arena);
	bfv_decode(b->ctx, values, b->ctx->ring->n, plaintext, encoding, &b->arena);
	arena_release(&b->memory, mark);
}

struct secret_bfv_noise test_bfv_noise(struct test_bfv *b, const struct rlwe_ciphertext *ct)
{
	return secret_bfv_noise_vartime(b->ctx, &b->key, ct, &b->arena);
}
