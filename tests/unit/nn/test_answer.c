/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/u128.h"
#include "nn/answer.h"
#include "nn/layout.h"
#include "nn/shard.h"
#include "support/nn.h"
#include "support/test.h"

/* A context with a random shard and everything that answering takes. */
struct fixture {
	struct nn_context *ctx;
	int8_t *rows;
	void *shard;
	struct keystream *ks;
	struct arena scratch;
};

static void open(struct fixture *f, const char *params, uint32_t dim, uint32_t terms, uint32_t rows,
	unsigned features, uint64_t seed)
{
	struct rng_seeded state;
	struct rng rng = rng_seeded_init_u64(&state, seed);

	f->ctx = test_nn_context(params, dim, terms, rows, features);
	f->rows = malloc((size_t)rows * dim);
	rng_fill(&rng, f->rows, (size_t)rows * dim);
	f->shard = aligned_alloc(64, arena_room(f->ctx->shard_bytes));
	f->ks = keystream_create();
	cr_assert_eq(arena_init(&f->scratch, nn_answer_scratch(f->ctx, KERNELS_MAC_VECTORS / 2)), VEIL_OK);
	nn_shard_transform(f->ctx, f->shard, f->rows, rows, &f->scratch);
}

static void close(struct fixture *f)
{
	keystream_destroy(f->ks);
	arena_clear(&f->scratch);
	free(f->shard);
	free(f->rows);
	nn_context_destroy(f->ctx);
}

static void set_bits(uint8_t *p, size_t at, unsigned bits, uint64_t value)
{
	for (unsigned i = 0; i < bits; i++) {
		size_t bit = at + i;
		unsigned shift = 7 - bit % 8;

		p[bit / 8] =
			(uint8_t)((p[bit / 8] & ~(1u << shift)) | (value >> (bits - 1 - i) & 1) << shift);
	}
}

static uint64_t get_bits(const uint8_t *p, size_t at, unsigned bits)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bits; i++)
		value = value << 1 | (p[(at + i) / 8] >> (7 - (at + i) % 8) & 1);
	return value;
}

static size_t poly_bytes(const struct nn_context *ctx)
{
	return ctx->query_bytes / ctx->terms;
}

/* Puts residue i of term k, shifted down. */
static void set_residue(
	const struct nn_context *ctx, uint8_t *ciphertexts, uint32_t k, size_t i, uint64_t value)
{
	unsigned bits = ctx->spec.params->upload_bits;

	set_bits(ciphertexts + k * poly_bytes(ctx), i * bits, bits, value);
}

static uint8_t *random_ciphertexts(const struct nn_context *ctx, const struct rng *rng)
{
	uint8_t *bytes = calloc(1, ctx->query_bytes);
	uint64_t above = ((ctx->prime->p.q - 1) >> ctx->drop) + 1;

	for (uint32_t k = 0; k < ctx->terms; k++)
		for (size_t i = 0; i < ctx->prime->n; i++)
			set_residue(ctx, bytes, k, i, test_residue(rng, above));
	return bytes;
}

static uint64_t rounded(uint64_t x, unsigned bits, uint64_t q)
{
	return (uint64_t)((((uint128)x << bits) + (q - 1) / 2) / q) & (((uint64_t)1 << bits) - 1);
}

/* sum[N] += (x * w) mod X^N + 1, mod q. */
static void multiply_add(uint64_t *sum, const uint64_t *x, const uint64_t *w, size_t n, uint64_t q)
{
	for (size_t a = 0; a < n; a++) {
		for (size_t b = 0; b < n; b++) {
			uint64_t product = (uint64_t)((uint128)x[a] * w[b] % q);

			if (a + b >= n)
				product = (q - product) % q;
			sum[(a + b) % n] = (sum[(a + b) % n] + product) % q;
		}
	}
}

/* The reply by the definition in docs/protocol.md: coefficients, schoolbook products, 128-bit rounding. */
static void expected_reply(struct fixture *f, uint8_t *reply, const struct nn_query *query)
{
	const struct nn_context *ctx = f->ctx;
	const struct ring_prime *p = ctx->prime;
	const struct rlwe_params *set = ctx->spec.params;
	size_t n = p->n, g = ctx->terms;
	uint64_t(*b)[64] = calloc(g, sizeof *b), (*a)[64] = calloc(g, sizeof *a);
	uint8_t *stream = aligned_alloc(64, g * n * 8);
	_Alignas(64) uint8_t poly[64 * 8];

	ring_uniform(p, stream, g * n, f->ks, ctx->domain, query->seed, 0);
	for (size_t k = 0; k < g; k++) {
		for (size_t i = 0; i < n; i++) {
			b[k][i] = get_bits(query->ciphertexts + k * poly_bytes(ctx), i * set->upload_bits,
					  set->upload_bits)
				  << ctx->drop;
			ring_set(p, poly, i, ring_get(p, stream, (i / 16 * g + k) * 16 + i % 16));
		}
		p->k.ntt_inverse(poly, p->table, KERNELS_PLAIN);
		for (size_t i = 0; i < n; i++)
			a[k][i] = ring_get(p, poly, i);
	}
	memset(reply, 0, ctx->reply_bytes);
	for (uint32_t r = 0; r < ctx->replies; r++) {
		uint64_t c0[64] = {0}, c1[64] = {0};

		for (size_t k = 0; k < g; k++) {
			uint64_t w[64];

			nn_layout_pack(ctx, poly, f->rows, ctx->spec.rows, r, (uint32_t)k);
			for (size_t i = 0; i < n; i++)
				w[i] = ring_get(p, poly, i);
			multiply_add(c0, b[k], w, n, p->p.q);
			multiply_add(c1, a[k], w, n, p->p.q);
		}
		for (size_t i = 0; i < n; i++)
			set_bits(reply + r * (ctx->c1_bytes / ctx->replies), i * set->reply_c1_bits,
				set->reply_c1_bits, rounded(c1[i], set->reply_c1_bits, p->p.q));
		for (size_t v = 0; v < ctx->rows_per_poly; v++)
			set_bits(reply + ctx->c1_bytes + r * (ctx->c0_bytes / ctx->replies),
				v * set->reply_c0_bits, set->reply_c0_bits,
				rounded(c0[v * ctx->chunk], set->reply_c0_bits, p->p.q));
	}
	free(a), free(b), free(stream);
}

Test(answer, equals_the_schoolbook_computation)
{
	static const char *const sets[] = {"insecure_search_n64_q28", "insecure_search_n64_q38_exact"};
	static const uint32_t shapes[][3] = {{1, 1, 1}, {1, 1, 65}, {16, 4, 40}, {13, 13, 70}, {64, 1, 3},
		{100, 2, 4}, {33, 8, 17}, {20, 3, 33}};
	struct rng rng = test_rng();

	for (size_t i = 0; i < 2 * sizeof shapes / sizeof *shapes; i++) {
		const uint32_t *shape = shapes[i / 2];
		struct nn_query query = {.ciphertexts = NULL};
		uint8_t *bytes, *reply, *expected;
		enum veil_status status;
		struct veil_error err;
		struct fixture f;

		open(&f, sets[i % 2], shape[0], shape[1], shape[2], cpu_features(),
			test_below(&rng, 1u << 30));
		rng_fill(&rng, query.seed, sizeof query.seed);
		query.ciphertexts = bytes = random_ciphertexts(f.ctx, &rng);
		reply = malloc(f.ctx->reply_bytes), expected = malloc(f.ctx->reply_bytes);
		memset(reply, 0xee, f.ctx->reply_bytes);
		cr_assert_eq(nn_answer(f.ctx, &reply, &status, &query, 1, f.shard, f.ks, &f.scratch, &err),
			VEIL_OK);
		cr_assert_eq(status, VEIL_OK);
		cr_assert_eq(f.scratch.used, 0);
		expected_reply(&f, expected, &query);
		cr_assert_eq(memcmp(reply, expected, f.ctx->reply_bytes), 0, "%s %u %u %u", sets[i % 2],
			shape[0], shape[1], shape[2]);
		free(bytes), free(reply), free(expected);
		close(&f);
	}
}

Test(answer, one_query_needs_no_more_scratch_than_the_context_says)
{
	struct veil_error err;
	enum veil_status status;
	struct fixture f;
	struct arena exact;
	struct nn_query query = {.ciphertexts = NULL};
	uint8_t *bytes, *reply;

	open(&f, "insecure_search_n64_q28", 16, 4, 40, cpu_features(), 1);
	cr_assert_eq(arena_init(&exact, f.ctx->answer_scratch), VEIL_OK);
	query.ciphertexts = bytes = calloc(1, f.ctx->query_bytes);
	reply = malloc(f.ctx->reply_bytes);
	cr_assert_eq(nn_answer(f.ctx, &reply, &status, &query, 1, f.shard, f.ks, &exact, &err), VEIL_OK);
	cr_assert_eq(exact.peak, f.ctx->answer_scratch);
	arena_clear(&exact);
	free(bytes), free(reply);
	close(&f);
}

static void answer_one(
	struct fixture *f, uint8_t *reply, const struct nn_query *query, enum veil_status expected)
{
	struct veil_error err = {""};
	enum veil_status status = VEIL_OK;

	memset(reply, 0xee, f->ctx->reply_bytes);
	cr_assert_eq(
		nn_answer(f->ctx, &reply, &status, query, 1, f->shard, f->ks, &f->scratch, &err), expected);
	cr_assert_eq(status, expected);
	cr_assert_eq(expected == VEIL_OK, err.text[0] == 0);
}

Test(answer, residues_from_q_on_are_refused_wherever_they_are)
{
	static const char *const sets[] = {"insecure_search_n64_q28", "insecure_search_n64_q38_exact"};

	for (int s = 0; s < 2; s++) {
		struct nn_query query = {.seed = {7}};
		uint8_t *bytes, *reply, *zero;
		struct fixture f;
		uint64_t highest, ones;

		open(&f, sets[s], 16, 4, 40, cpu_features(), 2);
		highest = (f.ctx->prime->p.q - 1) >> f.ctx->drop;
		ones = ((uint64_t)1 << f.ctx->spec.params->upload_bits) - 1;
		query.ciphertexts = bytes = calloc(1, f.ctx->query_bytes);
		reply = malloc(f.ctx->reply_bytes), zero = calloc(1, f.ctx->reply_bytes);
		for (uint32_t k = 0; k < f.ctx->terms; k++) {
			for (size_t i = 0; i < f.ctx->prime->n; i++) {
				set_residue(f.ctx, bytes, k, i, highest);
				answer_one(&f, reply, &query, VEIL_OK);
				for (int bad = 0; bad < 2; bad++) {
					set_residue(f.ctx, bytes, k, i, bad ? ones : highest + 1);
					answer_one(&f, reply, &query, VEIL_E_MALFORMED);
					cr_assert_eq(memcmp(reply, zero, f.ctx->reply_bytes), 0);
				}
				set_residue(f.ctx, bytes, k, i, 0);
			}
		}
		free(bytes), free(reply), free(zero);
		close(&f);
	}
}

Test(answer, queries_in_one_pass_get_what_each_alone_gets)
{
	static const char *const sets[] = {"search_n2048_q28", "search_n2048_q38_exact"};
	struct rng rng = test_rng();

	for (int s = 0; s < 2; s++) {
		struct nn_query queries[4];
		uint8_t *alone[4], *together[4], *bytes[4];
		struct veil_error err;
		struct fixture f;

		open(&f, sets[s], 40, 10, 700, cpu_features(), test_below(&rng, 1u << 30));
		for (int i = 0; i < 4; i++) {
			queries[i].ciphertexts = bytes[i] = random_ciphertexts(f.ctx, &rng);
			rng_fill(&rng, queries[i].seed, sizeof queries[i].seed);
			alone[i] = malloc(f.ctx->reply_bytes), together[i] = malloc(f.ctx->reply_bytes);
			answer_one(&f, alone[i], &queries[i], VEIL_OK);
		}
		for (unsigned count = 1; count <= 4; count++) {
			enum veil_status status[4];

			cr_assert_eq(nn_answer(f.ctx, together, status, queries, count, f.shard, f.ks,
					     &f.scratch, &err),
				VEIL_OK);
			for (unsigned i = 0; i < count; i++) {
				cr_assert_eq(status[i], VEIL_OK);
				cr_assert_eq(memcmp(together[i], alone[i], f.ctx->reply_bytes), 0);
			}
		}
		/* one malformed query leaves the others alone */
		for (unsigned bad = 0; bad < 4; bad++) {
			enum veil_status status[4];
			uint64_t first = get_bits(bytes[bad], 0, f.ctx->spec.params->upload_bits);
			char name[32];

			set_residue(f.ctx, bytes[bad], 0, 0, (f.ctx->prime->p.q >> f.ctx->drop) + 1);
			cr_assert_eq(nn_answer(f.ctx, together, status, queries, 4, f.shard, f.ks, &f.scratch,
					     &err),
				VEIL_E_MALFORMED);
			snprintf(name, sizeof name, "query %u", bad);
			cr_assert(strstr(err.text, name), "%s", err.text);
			for (unsigned i = 0; i < 4; i++) {
				cr_assert_eq(status[i], i == bad ? VEIL_E_MALFORMED : VEIL_OK);
				for (size_t j = 0; j < f.ctx->reply_bytes; j++)
					cr_assert_eq(together[i][j], i == bad ? 0 : alone[i][j]);
			}
			set_residue(f.ctx, bytes[bad], 0, 0, first);
		}
		for (int i = 0; i < 4; i++)
			free(bytes[i]), free(alone[i]), free(together[i]);
		close(&f);
	}
}

Test(answer, replies_are_the_same_bytes_on_every_isa)
{
	static const char *const sets[] = {"search_n2048_q28", "search_n2048_q38_exact"};
	static const uint32_t shapes[][3] = {
		{128, 16, 600}, {128, 64, 2100}, {96, 96, 2048}, {2048, 1, 3}, {30, 7, 1025}};
	static const unsigned masks[] = {0, CPU_AVX2, CPU_AVX2 | CPU_AVX512, ~0u};
	struct rng rng = test_rng();
	uint64_t seed = test_below(&rng, 1u << 30);

	for (size_t i = 0; i < 2 * sizeof shapes / sizeof *shapes; i++) {
		const uint32_t *shape = shapes[i / 2];
		struct nn_query query = {.ciphertexts = NULL};
		uint8_t *expected = NULL, *bytes = NULL, *reply = NULL;

		rng_fill(&rng, query.seed, sizeof query.seed);
		for (int m = 0; m < 4; m++) {
			struct fixture f;

			open(&f, sets[i % 2], shape[0], shape[1], shape[2], masks[m] & cpu_features(), seed);
			if (!m) {
				query.ciphertexts = bytes = random_ciphertexts(f.ctx, &rng);
				expected = malloc(f.ctx->reply_bytes), reply = malloc(f.ctx->reply_bytes);
			}
			answer_one(&f, m ? reply : expected, &query, VEIL_OK);
			if (m)
				cr_assert_eq(memcmp(reply, expected, f.ctx->reply_bytes), 0,
					"%s %u %u mask %x", sets[i % 2], shape[0], shape[1], masks[m]);
			close(&f);
		}
		free(expected), free(bytes), free(reply);
	}
}
