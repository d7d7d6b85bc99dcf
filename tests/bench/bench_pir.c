/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "state.h"
#include "support/silent.h"

/* Silent PIR on tables of 1 GiB and of a million records of 256 bytes, one core. Figures do not depend on
 * what is in a table: its bytes are random, and the matrices of the answers too. "bytes" of an answer are all
 * that travels, the static half of the reply included. */

#define GIB ((size_t)1 << 30)
#define ROWS 32768

struct pir {
	struct silent_shop shop;
	unsigned queries;
	void *words, *keys[SILENT_MAX_QUERIES];
	uint32_t *sums[SILENT_MAX_QUERIES];
	uint64_t *switched[SILENT_MAX_QUERIES];
	uint32_t pack;
};

static void *take(size_t size)
{
	void *p = aligned_alloc(64, arena_room(size));

	REQUIRE(p);
	memset(p, 1, size);
	return p;
}

static void start(struct pir *p, struct bench *b, uint32_t packs)
{
	struct rng_seeded state;
	struct rng rng = rng_seeded_init_u64(&state, 1);
	const struct silent_context *ctx;

	memset(p, 0, sizeof *p);
	silent_shop_init(
		&p->shop, rlwe_params_find("retrieval_n2048_q40"), ROWS, packs, bench_features(b), &rng, 0);
	silent_shop_pretend(&p->shop);
	ctx = p->shop.ctx;
	p->words = take(SILENT_MAX_QUERIES * ROWS * sizeof(uint32_t));
	for (unsigned v = 0; v < SILENT_MAX_QUERIES; v++) {
		p->keys[v] = take(ctx->terms * sizeof(uint64_t));
		p->sums[v] = take(ctx->n * sizeof(uint32_t));
		p->switched[v] = take(ctx->n * sizeof(uint64_t));
	}
}

static void stop(struct pir *p)
{
	for (unsigned v = 0; v < SILENT_MAX_QUERIES; v++)
		free(p->keys[v]), free(p->sums[v]), free(p->switched[v]);
	free(p->words);
	silent_shop_clear(&p->shop);
}

static void scan(void *arg)
{
	struct pir *p = arg;
	const struct silent_context *ctx = p->shop.ctx;

	for (uint32_t k = 0; k < ctx->spec.packs; k++)
		ctx->scan.scan(
			p->sums, p->shop.table + k * ctx->table_bytes, ctx->n, ROWS, p->words, p->queries);
}

static void run_scan(struct bench *b, struct pir *p, const char *name, unsigned queries)
{
	char note[96];

	p->queries = queries;
	snprintf(note, sizeof note, "%u quer%s a pass; bytes: of the table", queries,
		queries > 1 ? "ies" : "y");
	bench_run(b, name, scan, p, bench_limit_read_us(b, GIB, GIB), (double)GIB, note);
}

/* The matrix of one pack, always another one. */
static void apply(void *arg)
{
	struct pir *p = arg;
	const struct silent_context *ctx = p->shop.ctx;
	const struct silent_pack pack = silent_pack_view(
		ctx, p->shop.table, p->shop.material + p->pack++ % ctx->spec.packs * ctx->material_bytes);

	ctx->scan.apply(
		p->switched, pack.matrix, ctx->n, ctx->terms, (const void *const *)p->keys, p->queries);
}

static void run_apply(struct bench *b, struct pir *p, const char *name, unsigned queries)
{
	const size_t bytes = (size_t)p->shop.ctx->n * p->shop.ctx->terms * sizeof(int32_t);

	p->queries = queries;
	bench_run(b, name, apply, p, bench_limit_read_us(b, GIB, bytes), (double)bytes,
		"one pack of 2048 bytes; bytes: of its matrix");
}

struct asked {
	struct silent_shop *shop;
	uint8_t *query, *reply;
};

static void answer(void *arg)
{
	struct asked *a = arg;

	silent_shop_answer(a->shop, &a->reply, (const uint8_t *const *)&a->query, 1);
}

void bench_silent_answer(struct bench *b, struct silent_shop *shop, const char *name)
{
	const struct silent_context *ctx = shop->ctx;
	const size_t packs = ctx->spec.packs, constant = packs * ctx->static_bytes;
	const size_t read = packs * (ctx->table_bytes + (size_t)ctx->n * ctx->terms * sizeof(int32_t));
	struct asked a = {shop, take(ctx->query_bytes), take(ctx->reply_bytes)};
	struct rng_seeded state;
	struct rng rng = rng_seeded_init_u64(&state, 2);
	char note[128];

	rng_fill(&rng, a.query, ctx->query_bytes);
	snprintf(note, sizeof note, "up %zu, down %zu and %zu that a client may hold; bytes: all",
		ctx->query_bytes, ctx->reply_bytes, constant);
	bench_run(b, name, answer, &a, bench_limit_read_us(b, read, read),
		(double)(ctx->query_bytes + ctx->reply_bytes + constant), note);
	free(a.query), free(a.reply);
}

/* Packs are alike: one is timed. */
static void prepare(void *arg)
{
	struct pir *p = arg;

	REQUIRE(silent_offline_pack(p->shop.ctx, p->shop.material, p->shop.table, NULL) == VEIL_OK);
}

static void run_offline(struct bench *b, struct pir *p, const char *name)
{
	const double packs = p->shop.ctx->spec.packs;
	struct bench_time t;

	if (!bench_wanted(b, name))
		return;
	t = bench_time(prepare, p, 1);
	t.min_us *= packs;
	t.median_us *= packs;
	bench_print(b, name, t, 0, packs * (double)p->shop.ctx->material_bytes,
		"16 times one pack; bytes: what is made");
}

void bench_pir(struct bench *b)
{
	static const char *const names[] = {"pir/scan/1GiB/q1", "pir/scan/1GiB/q2", "pir/scan/1GiB/q4",
		"pir/pack", "pir/pack/q4", "pir/answer/1GiB-32KiB", "pir/offline/1GiB"};
	struct pir p;
	int wanted = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		wanted |= bench_wanted(b, names[i]);
	if (wanted) {
		start(&p, b, GIB / ROWS / 2048);
		run_scan(b, &p, names[0], 1);
		run_scan(b, &p, names[1], 2);
		run_scan(b, &p, names[2], 4);
		run_apply(b, &p, names[3], 1);
		run_apply(b, &p, names[4], 4);
		bench_silent_answer(b, &p.shop, names[5]);
		run_offline(b, &p, names[6]);
		stop(&p);
	}
	if (bench_wanted(b, "pir/answer/1Mx256")) {
		start(&p, b, 4); /* 32 records a row: 1048576 */
		bench_silent_answer(b, &p.shop, "pir/answer/1Mx256");
		stop(&p);
	}
}
