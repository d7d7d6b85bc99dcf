/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/require.h"
#include "nn/answer.h"
#include "nn/layout.h"
#include "nn/shard.h"
#include "secret/search.h"
#include "state.h"

/* The search, from request bytes to reply bytes. "bytes" of an answer are those that travel, up and down,
 * labels and framing left out. */

/* One index with one shard, and one query for it. */
struct shop {
	struct nn_context *ctx;
	uint8_t *rows, *shard, *reply, *ciphertexts;
	struct keystream *ks;
	struct arena scratch;
	struct nn_query query;
	struct rng_seeded state;
	struct rng rng;
	float vector[NN_MAX_DIM];
};

static void must(enum veil_status st, const struct veil_error *err)
{
	if (st != VEIL_OK)
		fprintf(stderr, "veil-bench: %s\n", err->text);
	REQUIRE(st == VEIL_OK);
}

static void open_shop(struct shop *s, struct bench *b, uint32_t rows, uint32_t dim, uint32_t terms)
{
	/* random bytes have a norm of 74 sqrt(dim), and 20% more happens to no row */
	struct nn_spec spec = {.params = rlwe_params_find("search_n2048_q28"),
		.dim = dim,
		.rows = rows,
		.terms = terms,
		.row_norm = (uint32_t)(90 * sqrt(dim)),
		.scale = (float)(74 * sqrt(dim))};
	struct secret_search *search;
	struct veil_error err;

	memset(s, 0, sizeof *s);
	s->rng = rng_seeded_init_u64(&s->state, 1);
	must(nn_context_create(&s->ctx, &spec, bench_features(b), &err), &err);
	s->rows = malloc((size_t)rows * dim);
	/* as the server keeps its shards */
	s->shard =
		mmap(NULL, s->ctx->shard_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(s->shard != MAP_FAILED);
	madvise(s->shard, s->ctx->shard_bytes, MADV_HUGEPAGE);
	s->reply = malloc(s->ctx->reply_bytes);
	s->ciphertexts = malloc(s->ctx->query_bytes);
	s->ks = keystream_create();
	REQUIRE(s->rows && s->reply && s->ciphertexts && s->ks);
	must(arena_init(&s->scratch, s->ctx->answer_scratch), &err);
	rng_fill(&s->rng, s->rows, (size_t)rows * dim);
	nn_shard_transform(s->ctx, s->shard, (const int8_t *)s->rows, rows, &s->scratch);
	for (uint32_t j = 0; j < dim; j++)
		s->vector[j] = (float)j - 40.5f;
	must(secret_search_create(&search, s->ctx, s->vector, &s->rng, &err), &err);
	secret_search_write(search, s->query.seed, s->ciphertexts);
	secret_search_destroy(search);
	s->query.ciphertexts = s->ciphertexts;
}

static void close_shop(struct shop *s)
{
	munmap(s->shard, s->ctx->shard_bytes);
	nn_context_destroy(s->ctx);
	free(s->rows), free(s->reply), free(s->ciphertexts);
	keystream_destroy(s->ks);
	arena_clear(&s->scratch);
}

static void answer(void *arg)
{
	struct shop *s = arg;
	enum veil_status status;
	struct veil_error err;

	must(nn_answer(s->ctx, &s->reply, &status, &s->query, 1, s->shard, s->ks, &s->scratch, &err), &err);
}

/* What no implementation on this machine beats: it reads the shard, and multiplies twice a word of it and
 * thrice a butterfly. */
static double limit_us(struct bench *b, const struct nn_context *ctx, double shard_words, double transforms)
{
	double n = (double)ctx->prime->n, butterflies = transforms * n / 2 * ctx->prime->log_n;
	double read = bench_limit_read_us(b, ctx->shard_bytes, (size_t)shard_words * ctx->prime->p.width);

	return fmax(read, bench_limit_mul_us(b, 2 * shard_words + 3 * butterflies));
}

static void run_answer(struct bench *b, const char *name, struct shop *s)
{
	const struct nn_context *ctx = s->ctx;
	double words = (double)ctx->shard_bytes / ctx->prime->p.width;
	char note[96];

	snprintf(note, sizeof note, "up %.1f KiB, down %.1f KiB; bytes: both",
		(double)ctx->query_bytes / 1024, (double)ctx->reply_bytes / 1024);
	bench_run(b, name, answer, s, limit_us(b, ctx, words, ctx->terms + ctx->replies),
		(double)(ctx->query_bytes + ctx->reply_bytes), note);
}

/* --- the stages of an answer, each by itself on the same data */

struct stages {
	struct shop *shop;
	void *poly, *b, *a, *c0, *c1;
};

static void stage_unpack(void *arg)
{
	struct stages *s = arg;
	const struct nn_context *ctx = s->shop->ctx;
	const struct ring_prime *r = ctx->prime;

	for (uint32_t k = 0; k < ctx->terms; k++)
		REQUIRE(r->k.unpack(s->poly, s->shop->ciphertexts + k * (ctx->query_bytes / ctx->terms), r->n,
			ctx->spec.params->upload_bits, ctx->drop, &r->p));
}

static void stage_xof(void *arg)
{
	struct stages *s = arg;
	const struct nn_context *ctx = s->shop->ctx;

	ring_uniform(ctx->prime, s->a, ctx->terms * ctx->prime->n, s->shop->ks, ctx->domain,
		s->shop->query.seed, 0);
}

static void stage_ntt(void *arg)
{
	struct stages *s = arg;
	const struct nn_context *ctx = s->shop->ctx;
	const struct ring_prime *r = ctx->prime;

	for (uint32_t k = 0; k < ctx->terms; k++) {
		r->k.ntt_forward(s->poly, r->table);
		r->k.interleave(s->b, s->poly, r->n, ctx->terms, k);
	}
}

static void stage_mac(void *arg)
{
	struct stages *s = arg;
	const struct nn_context *ctx = s->shop->ctx;
	const struct ring_prime *r = ctx->prime;
	void *const out[] = {s->c0, s->c1};
	const void *const in[] = {s->b, s->a};

	r->k.mac(out, s->shop->shard, in, 2, r->n, ctx->replies, ctx->terms, &r->p);
}

static void stage_c1(void *arg)
{
	struct stages *s = arg;
	const struct nn_context *ctx = s->shop->ctx;
	const struct ring_prime *r = ctx->prime;
	unsigned bits = ctx->spec.params->reply_c1_bits;

	for (uint32_t o = 0; o < ctx->replies; o++) {
		uint8_t *poly = (uint8_t *)s->c1 + o * ring_prime_bytes(r);

		r->k.ntt_inverse(poly, r->table, KERNELS_MONTGOMERY);
		r->k.round(s->poly, poly, r->n, bits, &r->p);
		r->k.pack(s->shop->reply + o * (ctx->c1_bytes / ctx->replies), s->poly, r->n, bits);
	}
}

static void stage_c0(void *arg)
{
	struct stages *s = arg;
	const struct nn_context *ctx = s->shop->ctx;
	const struct ring_prime *r = ctx->prime;
	unsigned bits = ctx->spec.params->reply_c0_bits;

	for (uint32_t o = 0; o < ctx->replies; o++) {
		nn_layout_scores(
			ctx, s->poly, (uint8_t *)s->c0 + o * ring_prime_bytes(r), KERNELS_MONTGOMERY);
		r->k.round(s->poly, s->poly, ctx->rows_per_poly, bits, &r->p);
		r->k.pack(s->shop->reply + ctx->c1_bytes + o * (ctx->c0_bytes / ctx->replies), s->poly,
			ctx->rows_per_poly, bits);
	}
}

static void run_stages(struct bench *b, struct shop *shop)
{
	static const struct {
		const char *name, *note;
		void (*fn)(void *arg);
	} list[] = {
		{"unpack", "16 polynomials of 23 bits", stage_unpack},
		{"xof", "32768 residues of AES-128-CTR", stage_xof},
		{"ntt", "16 forward, interleaved", stage_ntt},
		{"mac", "two vectors", stage_mac},
		{"c1", "16 inverse, rounded, packed", stage_c1},
		{"c0", "16 folded, inverse of 256, rounded, packed", stage_c0},
	};
	const struct nn_context *ctx = shop->ctx;
	size_t poly = ring_prime_bytes(ctx->prime);
	struct arena arena;
	struct stages s = {.shop = shop};

	REQUIRE(arena_init(&arena, 2 * arena_room(poly) * (ctx->terms + ctx->replies) + arena_room(poly)) ==
		VEIL_OK);
	s.poly = arena_take(&arena, poly);
	s.b = arena_take(&arena, poly * ctx->terms);
	s.a = arena_take(&arena, poly * ctx->terms);
	s.c0 = arena_take(&arena, poly * ctx->replies);
	s.c1 = arena_take(&arena, poly * ctx->replies);
	stage_unpack(&s), stage_xof(&s), stage_ntt(&s), stage_mac(&s);
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		char name[64];

		snprintf(name, sizeof name, "nn/answer/4096x128/g16/stage/%s", list[i].name);
		bench_run(b, name, list[i].fn, &s, 0, 0, list[i].note);
	}
	arena_clear(&arena);
}

/* --- multiply-accumulate alone, one vector */

struct mac {
	const struct ring_prime *r;
	void *out;
	const void *w, *x;
	size_t outputs, terms;
};

static void mac_once(void *arg)
{
	struct mac *m = arg;

	m->r->k.mac(&m->out, m->w, &m->x, 1, m->r->n, m->outputs, m->terms, &m->r->p);
}

static void run_mac(struct bench *b, const char *name, const struct shop *s)
{
	const struct ring_prime *r = s->ctx->prime;
	struct mac m = {.r = r, .w = s->shard, .outputs = s->ctx->replies, .terms = s->ctx->terms};
	double words = (double)s->ctx->shard_bytes / r->p.width, limit;
	struct bench_time t;
	char note[96];
	uint32_t *x;

	if (!bench_wanted(b, name))
		return;
	m.x = x = aligned_alloc(64, m.terms * ring_prime_bytes(r));
	m.out = aligned_alloc(64, m.outputs * ring_prime_bytes(r));
	REQUIRE(x && m.out);
	for (size_t i = 0; i < m.terms * r->n; i++)
		x[i] = (uint32_t)(i * 2654435761u % r->p.q);
	limit = bench_limit_read_us(b, s->ctx->shard_bytes, s->ctx->shard_bytes);
	t = bench_time(mac_once, &m, 0.7);
	snprintf(note, sizeof note, "%.2f Gcoef/s, %.0f%% of the read bandwidth; bytes: read",
		words / t.min_us * 1e-3, 100 * limit / t.min_us);
	bench_print(b, name, t, limit, (double)s->ctx->shard_bytes, note);
	free(x);
	free(m.out);
}

/* --- the client's side */

static void encrypt(void *arg)
{
	struct shop *s = arg;
	struct secret_search *search;
	struct veil_error err;

	must(secret_search_create(&search, s->ctx, s->vector, &s->rng, &err), &err);
	secret_search_write(search, s->query.seed, s->ciphertexts);
	secret_search_destroy(search);
}

static double cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec * 1e-3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* A query decodes once: each sample takes a new one, made outside the clock. */
static void run_decrypt(struct bench *b, const char *name, struct shop *s)
{
	enum { SAMPLES = 400 };
	double us[SAMPLES], *scores = malloc(s->ctx->spec.rows * sizeof *scores);

	if (!bench_wanted(b, name))
		goto out;
	REQUIRE(scores);
	for (int i = 0; i < SAMPLES; i++) {
		struct secret_search *search;
		struct veil_error err;

		must(secret_search_create(&search, s->ctx, s->vector, &s->rng, &err), &err);
		secret_search_write(search, s->query.seed, s->ciphertexts);
		us[i] = -cpu_us();
		secret_search_decode(search, scores, s->reply);
		us[i] += cpu_us();
		secret_search_destroy(search);
	}
	qsort(us, SAMPLES, sizeof us[0], compare);
	bench_print(b, name, (struct bench_time){us[0], us[SAMPLES / 2]},
		limit_us(b, s->ctx, 0, s->ctx->replies), (double)s->ctx->reply_bytes,
		"4096 scores; bytes: of the reply");
out:
	free(scores);
}

void bench_nn(struct bench *b)
{
	struct shop s;

	open_shop(&s, b, 4096, 128, 16);
	run_answer(b, "nn/answer/4096x128/g16/seeded", &s);
	run_stages(b, &s);
	bench_run(b, "nn/encrypt/128/g16", encrypt, &s, limit_us(b, s.ctx, 0, s.ctx->terms + 1),
		(double)s.ctx->query_bytes, "fresh secret included; bytes: of the query");
	run_decrypt(b, "nn/decrypt/4096x128/g16", &s);
	close_shop(&s);

	open_shop(&s, b, 8192, 128, 16);
	run_mac(b, "nn/mac/4MiB", &s);
	close_shop(&s);

	open_shop(&s, b, 65536, 128, 64);
	run_answer(b, "nn/answer/65536x128/g64/seeded", &s);
	run_mac(b, "nn/mac/65536x128", &s);
	close_shop(&s);
}
