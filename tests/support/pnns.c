/* SPDX-License-Identifier: Apache-2.0 */
#include "support/pnns.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/require.h"

static size_t chunk_bytes(const struct test_pnns *p)
{
	return p->ctx->spec.moduli * p->ctx->chunk_bytes;
}

static void take(struct test_pnns *p, struct rlwe_ciphertext *ct, unsigned level, enum ring_format format)
{
	rlwe_ciphertext_init(ct, p->ctx->ring, 2, level, format,
		arena_take(&p->arena, rlwe_ciphertext_bytes(p->ctx->ring, 2, level)));
}

static void make_keys(struct test_pnns *p, uint64_t seed, unsigned features)
{
	const struct pnns_context *ctx = p->ctx;
	struct test_bfv *b = &p->b;

	test_bfv_init(b, ctx->spec.params, 1, seed, features);
	arena_reset(&b->arena);
	secret_key_generate(&b->key, ctx->ring, &b->stream, &b->arena);
	REQUIRE(arena_init(&b->keys, rlwe_evalkey_room(ctx->ring, ctx->key_count, false)) == VEIL_OK);
	rlwe_evalkey_init(&p->keys, ctx->ring, ctx->keys, ctx->key_count, false, &b->keys);
	secret_evalkey_generate(&p->keys, &b->key, &b->rng, b->drbg, &b->stream, &b->arena);
}

void test_pnns_init(
	struct test_pnns *p, const struct pnns_spec *spec, size_t rows, uint64_t seed, unsigned features)
{
	struct veil_error err = {"no memory"};
	const struct pnns_context *ctx;
	enum veil_status st;

	*p = (struct test_pnns){.rows = rows};
	st = pnns_context_create(&p->ctx, spec, features, &err);
	if (st != VEIL_OK)
		fprintf(stderr, "%s\n", err.text);
	REQUIRE(st == VEIL_OK);
	ctx = p->ctx;
	p->chunks = pnns_chunks(ctx, rows);
	make_keys(p, seed, features);
	REQUIRE(arena_init(&p->arena, p->chunks * chunk_bytes(p) + pnns_prepared_bytes(ctx) +
					      pnns_answer_scratch(ctx) + pnns_pack_scratch(ctx) +
					      spec->moduli * (ctx->query_count + 1) *
						      rlwe_ciphertext_bytes(ctx->ring, 2, ctx->level)) ==
		VEIL_OK);
	REQUIRE(arena_init_secret(&p->secret, secret_pnns_scratch(ctx)) == VEIL_OK);
	p->packed = arena_take(&p->arena, p->chunks * chunk_bytes(p));
	p->prepared = arena_take(&p->arena, pnns_prepared_bytes(ctx));
	p->query = calloc(spec->moduli * ctx->query_count, sizeof *p->query);
	REQUIRE(p->query);
	for (unsigned i = 0; i < spec->moduli * ctx->query_count; i++)
		take(p, &p->query[i], ctx->level, RING_EVALUATION);
	for (unsigned m = 0; m < spec->moduli; m++)
		take(p, &p->reply[m], 1, RING_COEFFICIENT);
}

void test_pnns_clear(struct test_pnns *p)
{
	free(p->query);
	arena_clear(&p->arena);
	arena_clear(&p->secret);
	test_bfv_clear(&p->b);
	pnns_context_destroy(p->ctx);
	*p = (struct test_pnns){0};
}

void test_pnns_pack(struct test_pnns *p, size_t chunk, const int32_t *values)
{
	pnns_pack_chunk(
		p->ctx, p->packed + chunk * chunk_bytes(p), values, test_pnns_count(p, chunk), &p->arena);
}

void test_pnns_encrypt(struct test_pnns *p, const int32_t *vector)
{
	secret_pnns_encrypt(
		p->ctx, &p->b.key, p->query, vector, &p->b.rng, p->b.drbg, &p->b.stream, &p->secret);
}

void test_pnns_prepare(struct test_pnns *p)
{
	const unsigned count = p->ctx->query_count;

	for (unsigned i = 0; i < p->ctx->spec.moduli * count; i++)
		pnns_prepare(p->ctx, p->prepared, i / count, i % count, &p->query[i], &p->keys, &p->arena);
}

void test_pnns_answer(struct test_pnns *p, size_t chunk)
{
	pnns_answer(p->ctx, p->reply, p->prepared, p->packed + chunk * chunk_bytes(p), &p->keys, &p->arena);
}
