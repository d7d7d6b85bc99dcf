/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apple/pnns_answer.h"
#include "apple/pnns_pack.h"
#include "base/require.h"
#include "bench.h"
#include "ring/packed.h"
#include "secret/pnns.h"
#include "support/bfv.h"

/* Nearest neighbours on BFV: a whole answer, from ciphertexts in evaluation format to replies. The limit is
 * the reading of the packed database once, or its products, whichever takes longer. */

struct case_pnns {
	struct test_bfv b;
	struct pnns_context *ctx;
	struct rlwe_evalkey keys;
	struct arena arena, secret;
	size_t chunks;
	uint8_t *packed, *prepared;
	struct rlwe_ciphertext *query, reply;
};

static void answer(void *arg)
{
	struct case_pnns *c = arg;

	for (unsigned j = 0; j < c->ctx->query_count; j++)
		pnns_prepare(c->ctx, c->prepared, 0, j, &c->query[j], &c->keys, &c->arena);
	for (size_t i = 0; i < c->chunks; i++)
		pnns_answer(c->ctx, &c->reply, c->prepared, c->packed + i * c->ctx->chunk_bytes, &c->keys,
			&c->arena);
}

static void must(enum veil_status st, const struct veil_error *err)
{
	if (st != VEIL_OK)
		fprintf(stderr, "%s\n", err->text);
	REQUIRE(st == VEIL_OK);
}

static void start(struct case_pnns *c, struct bench *bench, const struct pnns_spec *spec, size_t rows)
{
	struct veil_error err = {"no memory"};
	struct pnns_context *ctx;
	size_t room, n;
	int32_t *values;

	memset(c, 0, sizeof *c);
	must(pnns_context_create(&c->ctx, spec, bench_features(bench), &err), &err);
	ctx = c->ctx;
	n = ctx->ring->n;
	c->chunks = pnns_chunks(ctx, rows);
	test_bfv_init(&c->b, spec->params, 1, 1, bench_features(bench));
	arena_reset(&c->b.arena); /* the secret is of the context's ring */
	secret_key_generate(&c->b.key, ctx->ring, &c->b.stream, &c->b.arena);
	must(arena_init(&c->b.keys, rlwe_evalkey_room(ctx->ring, ctx->key_count, false)), &err);
	rlwe_evalkey_init(&c->keys, ctx->ring, ctx->keys, ctx->key_count, false, &c->b.keys);
	secret_evalkey_generate(&c->keys, &c->b.key, &c->b.rng, c->b.drbg, &c->b.stream, &c->b.arena);
	room = c->chunks * ctx->chunk_bytes + pnns_prepared_bytes(ctx) + pnns_answer_scratch(ctx) +
	       pnns_pack_scratch(ctx) +
	       (ctx->query_count + 1) * rlwe_ciphertext_bytes(ctx->ring, 2, ctx->level);
	must(arena_init(&c->arena, room), &err);
	must(arena_init_secret(&c->secret, secret_pnns_scratch(ctx)), &err);
	values = calloc(n * spec->dim, sizeof *values);
	c->query = calloc(ctx->query_count, sizeof *c->query);
	REQUIRE(values && c->query);
	for (size_t i = 0; i < n * spec->dim; i++)
		values[i] = (int32_t)(i * 2654435761u % 31) - 15;
	c->packed = arena_take(&c->arena, c->chunks * ctx->chunk_bytes);
	c->prepared = arena_take(&c->arena, pnns_prepared_bytes(ctx));
	for (size_t i = 0; i < c->chunks; i++) {
		const size_t left = rows - i * n;

		pnns_pack_chunk(
			ctx, c->packed + i * ctx->chunk_bytes, values, left < n ? left : n, &c->arena);
	}
	for (unsigned i = 0; i < ctx->query_count; i++)
		rlwe_ciphertext_init(&c->query[i], ctx->ring, 2, ctx->level, RING_EVALUATION,
			arena_take(&c->arena, rlwe_ciphertext_bytes(ctx->ring, 2, ctx->level)));
	rlwe_ciphertext_init(&c->reply, ctx->ring, 2, 1, RING_COEFFICIENT,
		arena_take(&c->arena, rlwe_ciphertext_bytes(ctx->ring, 2, 1)));
	secret_pnns_encrypt(ctx, &c->b.key, c->query, values, &c->b.rng, c->b.drbg, &c->b.stream, &c->secret);
	free(values);
}

static void end(struct case_pnns *c)
{
	free(c->query);
	arena_clear(&c->arena);
	arena_clear(&c->secret);
	test_bfv_clear(&c->b);
	pnns_context_destroy(c->ctx);
}

/* What travels, in kB. */
static void describe(char *note, size_t size, const struct case_pnns *c, double packed)
{
	const struct ring *ring = c->ctx->ring;
	const double seed = RING_SEED_BYTES, ct = (double)ring_packed_bytes(ring, c->ctx->level, 0) + seed,
		     key = c->ctx->level * ((double)ring_packed_bytes(ring, ring->count, 0) + seed);
	unsigned skip[2];

	rlwe_params_skip_lsbs(c->ctx->spec.params, skip);
	snprintf(note, size,
		"%u ciphertexts and %u keys, %.0f kB; reply %.0f kB; memory %.2f of the packed database",
		c->ctx->query_count, c->ctx->key_count,
		(c->ctx->query_count * ct + c->ctx->key_count * key) / 1000,
		(double)c->chunks *
			(double)(ring_packed_bytes(ring, 1, skip[0]) + ring_packed_bytes(ring, 1, skip[1])) /
			1000,
		(packed + (double)(pnns_prepared_bytes(c->ctx) + pnns_answer_scratch(c->ctx) +
				   c->b.keys.used + 2 * rlwe_ciphertext_bytes(ring, 2, c->ctx->level))) /
			packed);
}

static void run(struct bench *b, const char *name, const struct pnns_spec *spec, size_t rows)
{
	struct case_pnns c;
	double packed, products = 0, read, multiply;
	char note[160];

	if (!bench_wanted(b, name))
		return;
	start(&c, b, spec, rows);
	packed = (double)(c.chunks * c.ctx->chunk_bytes);
	for (unsigned i = 0; i < c.ctx->level; i++)
		products += 2.0 * (double)c.chunks * c.ctx->baby * c.ctx->giant * (double)c.ctx->ring->n;
	read = bench_limit_read_us(b, (size_t)packed, (size_t)packed);
	multiply = bench_limit_mul_us(b, products);
	describe(note, sizeof note, &c, packed);
	bench_run(b, name, answer, &c, multiply > read ? multiply : read, packed, note);
	end(&c);
}

void bench_pnns(struct bench *b)
{
	static const struct {
		const char *name, *params;
		size_t rows;
		uint32_t dim, baby;
		enum pnns_form form;
	} cases[] = {
		{"bfv/pnns/4096x128/t65537", "n_4096_logq_27_28_28_logt_17", 4096, 128, 16, PNNS_SENT},
		{"bfv/pnns/4096x128/t65537_hoisted", "n_4096_logq_27_28_28_logt_17", 4096, 128, 16,
			PNNS_HOISTED},
		{"bfv/pnns/4096x128/t65537_chain", "n_4096_logq_27_28_28_logt_17", 4096, 128, 0, PNNS_CHAIN},
		{"bfv/pnns/100000x128/t65537", "n_4096_logq_27_28_28_logt_17", 100000, 128, 32, PNNS_SENT},
		{"bfv/pnns/100000x128/t65537_hoisted", "n_4096_logq_27_28_28_logt_17", 100000, 128, 32,
			PNNS_HOISTED},
		{"bfv/pnns/4096x768/n8192_3x36", "n_8192_logq_3x36_logt_22", 4096, 768, 0, PNNS_SENT},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct pnns_spec spec = {.params = rlwe_params_find(cases[i].params),
			.moduli = 1,
			.dim = cases[i].dim,
			.baby = cases[i].baby,
			.form = cases[i].form};

		run(b, cases[i].name, &spec, cases[i].rows);
	}
}
