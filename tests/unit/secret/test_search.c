/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "nn/answer.h"
#include "nn/shard.h"
#include "secret/search.h"
#include "support/test.h"

#define COMPACT "search_n2048_q28"
#define EXACT "search_n2048_q38_exact"

/* A server with one shard. */
struct server {
	struct nn_context *ctx;
	int8_t *rows;
	void *shard;
	struct keystream *ks;
	struct arena scratch;
};

static double norm_of(const int8_t *row, uint32_t dim)
{
	double sum = 0;

	for (uint32_t j = 0; j < dim; j++)
		sum += (double)row[j] * row[j];
	return sqrt(sum);
}

/* Takes over `rows`. */
static void serve(struct server *s, struct nn_spec spec, int8_t *rows)
{
	struct veil_error err;
	double norm = 1;

	for (uint32_t v = 0; v < spec.rows; v++)
		norm = fmax(norm, norm_of(rows + (size_t)v * spec.dim, spec.dim));
	spec.row_norm = (uint32_t)ceil(norm);
	spec.allow_insecure = true;
	cr_assert_eq(nn_context_create(&s->ctx, &spec, cpu_features(), &err), VEIL_OK, "%s", err.text);
	s->rows = rows;
	s->shard = aligned_alloc(64, arena_room(s->ctx->shard_bytes));
	s->ks = keystream_create();
	cr_assert_eq(arena_init(&s->scratch, s->ctx->answer_scratch + s->ctx->shard_scratch), VEIL_OK);
	nn_shard_transform(s->ctx, s->shard, rows, spec.rows, &s->scratch);
}

static void leave(struct server *s)
{
	keystream_destroy(s->ks);
	arena_clear(&s->scratch);
	free(s->shard);
	free(s->rows);
	nn_context_destroy(s->ctx);
}

/* One row of a database: a random direction, quantised with `scale`. */
static void fill_row(int8_t *row, uint32_t dim, double scale, const struct rng *rng)
{
	double x[NN_MAX_DIM], norm = 0;

	for (uint32_t j = 0; j < dim; j++) {
		x[j] = test_normal(rng);
		norm += x[j] * x[j];
	}
	for (uint32_t j = 0; j < dim; j++) {
		double y = rint(x[j] * scale / sqrt(norm));

		row[j] = (int8_t)fmax(-127, fmin(127, y));
	}
}

static int8_t *random_rows(uint32_t rows, uint32_t dim, double scale, const struct rng *rng)
{
	int8_t *y = malloc((size_t)rows * dim);

	for (uint32_t v = 0; v < rows; v++)
		fill_row(y + (size_t)v * dim, dim, scale, rng);
	return y;
}

static void random_vector(float *x, uint32_t dim, const struct rng *rng)
{
	for (uint32_t j = 0; j < dim; j++)
		x[j] = (float)(3 * test_normal(rng));
}

/* One stream for all queries of a test: test_rng() would start again. */
static struct rng query_rng(void)
{
	static struct rng_seeded state;
	static struct rng rng;

	if (!rng.fill)
		rng = rng_seeded_init_u64(&state, test_seed() + 1);
	return rng;
}

static struct secret_search *query(const struct server *s, const float *x)
{
	struct rng rng = query_rng();
	struct secret_search *search;
	struct veil_error err;

	cr_assert_eq(secret_search_create(&search, s->ctx, x, &rng, &err), VEIL_OK, "%s", err.text);
	return search;
}

/* Over the wire and back. */
static void ask(struct server *s, struct secret_search *search, double *scores)
{
	struct nn_query q;
	uint8_t *ciphertexts = malloc(s->ctx->query_bytes), *reply = malloc(s->ctx->reply_bytes);
	enum veil_status status;
	struct veil_error err;

	secret_search_write(search, q.seed, ciphertexts);
	q.ciphertexts = ciphertexts;
	cr_assert_eq(nn_answer(s->ctx, &reply, &status, &q, 1, s->shard, s->ks, &s->scratch, &err), VEIL_OK);
	secret_search_decode(search, scores, reply);
	free(ciphertexts), free(reply);
}

static void check_exact(struct server *s, const float *x)
{
	uint32_t dim = s->ctx->spec.dim, rows = s->ctx->spec.rows;
	double *scores = malloc(rows * sizeof *scores);
	struct secret_search *search = query(s, x);
	int8_t xq[NN_MAX_DIM];

	cr_assert_eq(secret_search_quantise(s->ctx, xq, x, NULL), VEIL_OK);
	ask(s, search, scores);
	for (uint32_t v = 0; v < rows; v++) {
		int64_t dot = 0;

		for (uint32_t j = 0; j < dim; j++)
			dot += xq[j] * s->rows[(size_t)v * dim + j];
		cr_assert_eq(scores[v], (double)dot, "dim %u terms %u row %u: %g, not %lld", dim,
			s->ctx->terms, v, scores[v], (long long)dot);
	}
	secret_search_destroy(search);
	free(scores);
}

Test(search, every_score_of_the_exact_set_is_the_integer_dot_product)
{
	static const uint32_t shapes[][3] = {{1, 1, 1}, {1, 1, 2049}, {2, 2, 5}, {3, 2, 2000}, {64, 8, 300},
		{100, 7, 515}, {128, 1, 40}, {128, 16, 4096}, {128, 128, 2100}, {129, 16, 130},
		{255, 31, 257}, {768, 32, 200}, {2048, 1, 3}, {2048, 4, 9}, {2049, 2, 2}, {4096, 2, 3}};
	struct rng rng = test_rng();

	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		uint32_t dim = shapes[i][0];
		double scale = fmin(120 * sqrt(dim), 320);
		struct nn_spec spec = {.params = rlwe_params_find(EXACT),
			.dim = dim,
			.terms = shapes[i][1],
			.rows = shapes[i][2],
			.scale = (float)scale};
		float x[NN_MAX_DIM];
		struct server s;

		serve(&s, spec, random_rows(spec.rows, dim, scale, &rng));
		for (int round = 0; round < 3; round++) {
			random_vector(x, dim, &rng);
			check_exact(&s, x);
		}
		/* cosine +1 and -1 with the last row */
		for (int sign = -1; sign <= 1; sign += 2) {
			for (uint32_t j = 0; j < dim; j++)
				x[j] = (float)(sign * s.rows[(size_t)(spec.rows - 1) * dim + j]) + 1e-9f;
			check_exact(&s, x);
		}
		leave(&s);
	}
}

/* Rows and query at the very edge of what the norm bound allows: all coordinates -127, 127 or alternating. */
Test(search, the_largest_scores_of_the_exact_set_do_not_wrap)
{
	static const uint32_t dims[] = {1, 2, 9, 16};

	for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
		uint32_t dim = dims[i];
		struct nn_spec spec = {.params = rlwe_params_find(EXACT),
			.dim = dim,
			.terms = 1,
			.rows = 700,
			.scale = 1e6f};
		int8_t *rows = malloc((size_t)spec.rows * dim);
		float x[16];
		struct server s;

		for (uint32_t v = 0; v < spec.rows; v++)
			for (uint32_t j = 0; j < dim; j++)
				rows[v * dim + j] = (v % 3 == 0 || (v % 3 == 1 && j % 2)) ? 127 : -127;
		serve(&s, spec, rows);
		for (int kind = 0; kind < 3; kind++) {
			for (uint32_t j = 0; j < dim; j++)
				x[j] = kind == 0 || (kind == 1 && j % 2) ? 1 : -1;
			check_exact(&s, x);
		}
		leave(&s);
	}
}

struct error {
	double rms, max, cosine_max;
};

/* Asks `queries` random questions and returns the error of the scores against <x, y> / scale. */
static struct error measure(struct server *s, int queries, const struct rng *rng)
{
	uint32_t dim = s->ctx->spec.dim, rows = s->ctx->spec.rows;
	double *scores = malloc(rows * sizeof *scores), sum = 0;
	struct error e = {0};

	for (int i = 0; i < queries; i++) {
		struct secret_search *search;
		float x[NN_MAX_DIM];
		double norm = 0;

		random_vector(x, dim, rng);
		for (uint32_t j = 0; j < dim; j++)
			norm += (double)x[j] * x[j];
		search = query(s, x);
		ask(s, search, scores);
		secret_search_destroy(search);
		for (uint32_t v = 0; v < rows; v++) {
			double dot = 0, error;

			for (uint32_t j = 0; j < dim; j++)
				dot += x[j] * (double)s->rows[(size_t)v * dim + j];
			dot /= sqrt(norm) * s->ctx->spec.scale;
			error = scores[v] - dot;
			sum += error * error;
			e.max = fmax(e.max, fabs(error));
			e.cosine_max = fmax(e.cosine_max, fabs(dot));
		}
	}
	e.rms = sqrt(sum / queries / rows);
	free(scores);
	return e;
}

static void within_a_fifth_of_a_bit(struct server *s, const char *name, int queries, const struct rng *rng)
{
	double norm2 = 0, predicted;
	struct error e = measure(s, queries, rng);

	for (uint32_t v = 0; v < s->ctx->spec.rows; v++)
		norm2 += pow(norm_of(s->rows + (size_t)v * s->ctx->spec.dim, s->ctx->spec.dim), 2) /
			 s->ctx->spec.rows;
	predicted = nn_noise_std(s->ctx, sqrt(norm2));
	fprintf(stderr, "# %s: rms %.3g, predicted %.3g (%+.3f bit), max %.3g\n", name, e.rms, predicted,
		log2(e.rms / predicted), e.max);
	cr_assert_lt(fabs(log2(e.rms / predicted)), 0.2, "%s: rms %g, predicted %g", name, e.rms, predicted);
	cr_assert_lt(e.max, 7 * predicted);
}

Test(search, the_noise_of_the_compact_set_is_that_of_the_formula)
{
	static const uint32_t shapes[][3] = {{128, 16, 4096}, {128, 64, 4096}, {128, 4, 512}, {768, 32, 680},
		{64, 64, 2048}, {2048, 1, 40}};
	struct rng rng = test_rng();

	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct nn_spec spec = {.params = rlwe_params_find(COMPACT),
			.dim = shapes[i][0],
			.terms = shapes[i][1],
			.rows = shapes[i][2],
			.scale = 320};
		char name[64];
		struct server s;

		snprintf(name, sizeof name, "dim %u terms %u", spec.dim, spec.terms);
		serve(&s, spec, random_rows(spec.rows, spec.dim, 320, &rng));
		within_a_fifth_of_a_bit(&s, name, 1 + (int)(8192 / spec.rows), &rng);
		leave(&s);
	}
}

/* A bias in the rounding of the query would be summed up by such rows. */
Test(search, rows_of_one_sign_add_no_noise)
{
	struct nn_spec spec = {
		.params = rlwe_params_find(COMPACT), .dim = 128, .terms = 16, .rows = 4096, .scale = 320};
	struct rng rng = test_rng();
	int8_t *rows = random_rows(spec.rows, spec.dim, 320, &rng);
	struct server s;

	for (size_t i = 0; i < (size_t)spec.rows * spec.dim; i++)
		rows[i] = (int8_t)abs(rows[i]);
	serve(&s, spec, rows);
	within_a_fifth_of_a_bit(&s, "rows of one sign", 4, &rng);
	leave(&s);
}

/* The exact set rounds its noise away, so it is measured with the same modulus and bits, decoded
 * approximately. */
Test(search, the_noise_of_the_exact_set_is_that_of_the_formula)
{
	struct rlwe_params params = *rlwe_params_find(EXACT);
	struct nn_spec spec = {.params = &params, .dim = 128, .terms = 16, .rows = 4096, .scale = 320};
	struct rng rng = test_rng();
	struct server s;

	params.use = RLWE_USE_SEARCH_APPROXIMATE;
	serve(&s, spec, random_rows(spec.rows, spec.dim, 320, &rng));
	within_a_fifth_of_a_bit(&s, "exact set", 3, &rng);
	leave(&s);
}

Test(search, cosines_of_one_and_minus_one_decode)
{
	struct nn_spec spec = {
		.params = rlwe_params_find(COMPACT), .dim = 96, .terms = 12, .rows = 300, .scale = 310};
	struct rng rng = test_rng();
	double scores[300];
	struct server s;

	serve(&s, spec, random_rows(spec.rows, spec.dim, spec.scale, &rng));
	for (uint32_t v = 0; v < spec.rows; v += 37) {
		for (int sign = -1; sign <= 1; sign += 2) {
			const int8_t *row = s.rows + v * spec.dim;
			struct secret_search *search;
			float x[96];

			for (uint32_t j = 0; j < spec.dim; j++)
				x[j] = (float)sign * row[j] * 1e-20f;
			search = query(&s, x);
			ask(&s, search, scores);
			secret_search_destroy(search);
			cr_assert_float_eq(scores[v], sign * norm_of(row, spec.dim) / 310, 4e-3);
			for (uint32_t u = 0; u < spec.rows; u++)
				cr_assert(u == v || sign * scores[u] < sign * scores[v]);
		}
	}
	leave(&s);
}

/* The rank of the best few by the compact set against plain int8 arithmetic: near copies of a row, so that
 * the truth is not a matter of noise only. */
Test(search, the_nearest_rows_are_found)
{
	struct nn_spec spec = {
		.params = rlwe_params_find(COMPACT), .dim = 128, .terms = 16, .rows = 4096, .scale = 320};
	struct rng rng = test_rng();
	double *scores = malloc(spec.rows * sizeof *scores);
	struct server s;
	int found = 0;

	serve(&s, spec, random_rows(spec.rows, spec.dim, spec.scale, &rng));
	for (int i = 0; i < 20; i++) {
		uint32_t target = (uint32_t)test_below(&rng, spec.rows), above = 0;
		struct secret_search *search;
		float x[128];

		for (uint32_t j = 0; j < 128; j++)
			x[j] = (float)(s.rows[target * 128 + j] + 30 * test_normal(&rng));
		search = query(&s, x);
		ask(&s, search, scores);
		secret_search_destroy(search);
		for (uint32_t v = 0; v < spec.rows; v++)
			above += scores[v] > scores[target];
		found += above == 0;
	}
	cr_assert_eq(found, 20);
	free(scores);
	leave(&s);
}

static struct server *small_server(void)
{
	static struct server s;
	struct nn_spec spec = {.params = rlwe_params_find("insecure_search_n64_q28"),
		.dim = 16,
		.terms = 4,
		.rows = 40,
		.scale = 300};
	struct rng rng = test_rng();

	serve(&s, spec, random_rows(40, 16, 300, &rng));
	return &s;
}

Test(search, vectors_without_a_direction_are_refused_by_coordinate)
{
	static const struct {
		float value;
		const char *word;
	} bad[] = {{NAN, "coordinate 5 of the query is not a number"},
		{-NAN, "coordinate 5 of the query is not a number"},
		{INFINITY, "coordinate 5 of the query is infinite"},
		{-INFINITY, "coordinate 5 of the query is infinite"}, {0, "zero vector"}};
	struct server *s = small_server();
	struct rng rng = test_rng();

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct secret_search *search = (void *)1;
		struct veil_error err = {""};
		int8_t xq[16];
		float x[16];

		for (int j = 0; j < 16; j++)
			x[j] = bad[i].value == 0 ? (j % 2 ? 0.0f : -0.0f) : 1;
		x[5] = bad[i].value;
		cr_assert_eq(secret_search_create(&search, s->ctx, x, &rng, &err), VEIL_E_INVALID);
		cr_assert_null(search);
		cr_assert(strstr(err.text, bad[i].word), "%s", err.text);
		cr_assert_eq(secret_search_quantise(s->ctx, xq, x, &err), VEIL_E_INVALID);
	}
	leave(s);
}

Test(search, the_length_of_the_vector_does_not_matter)
{
	struct nn_spec spec = {.params = rlwe_params_find("insecure_search_n64_q38_exact"),
		.dim = 16,
		.terms = 4,
		.rows = 40,
		.scale = 300};
	static const float lengths[] = {1e-44f, 1e-38f, 1e-20f, 1, 1e20f, 2e37f};
	struct rng rng = test_rng();
	struct server s;

	serve(&s, spec, random_rows(40, 16, 300, &rng));
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		float x[16];

		for (int j = 0; j < 16; j++)
			x[j] = lengths[i] * (float)(j - 7);
		check_exact(&s, x);
	}
	leave(&s);
}

Test(search, two_queries_for_the_same_vector_share_nothing_but_their_size)
{
	struct server *s = small_server();
	size_t size = s->ctx->query_bytes, each = size / s->ctx->terms;
	uint8_t seed[3][RING_SEED_BYTES], *bytes[3];
	struct rng rng = query_rng();
	float x[16] = {1, 2, 3};

	for (int i = 0; i < 3; i++) {
		struct secret_search *search;

		bytes[i] = malloc(size + 1);
		bytes[i][size] = 0xa5;
		if (i < 2)
			search = query(s, x);
		else
			cr_assert_eq(secret_search_create_fake(&search, s->ctx, &rng, NULL), VEIL_OK);
		secret_search_write(search, seed[i], bytes[i]);
		secret_search_destroy(search);
		cr_assert_eq(bytes[i][size], 0xa5);
	}
	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < i; j++) {
			cr_assert(memcmp(seed[i], seed[j], RING_SEED_BYTES));
			for (uint32_t k = 0; k < s->ctx->terms; k++)
				for (uint32_t l = 0; l < s->ctx->terms; l++)
					cr_assert(memcmp(bytes[i] + k * each, bytes[j] + l * each, each));
		}
	}
	for (int i = 0; i < 3; i++)
		free(bytes[i]);
	leave(s);
}

/* Bits of the ciphertexts of a constant vector and of fakes: both as uniform as their count allows. */
Test(search, real_and_fake_ciphertexts_have_uniform_residues)
{
	struct nn_spec spec = {.params = rlwe_params_find(COMPACT),
		.dim = 128,
		.terms = 16,
		.rows = 40,
		.scale = 320,
		.row_norm = 330};
	struct rng rng = test_rng();
	struct nn_context *ctx;
	float x[128];

	cr_assert_eq(nn_context_create(&ctx, &spec, cpu_features(), NULL), VEIL_OK);
	for (int j = 0; j < 128; j++)
		x[j] = 1;
	for (int fake = 0; fake < 2; fake++) {
		uint8_t *bytes = malloc(ctx->query_bytes), seed[RING_SEED_BYTES];
		struct secret_search *search;
		double count[256] = {0}, expected = (double)ctx->query_bytes / 256, chi = 0;

		if (fake)
			cr_assert_eq(secret_search_create_fake(&search, ctx, &rng, NULL), VEIL_OK);
		else
			cr_assert_eq(secret_search_create(&search, ctx, x, &rng, NULL), VEIL_OK);
		secret_search_write(search, seed, bytes);
		secret_search_destroy(search);
		for (size_t i = 0; i < ctx->query_bytes; i++)
			count[bytes[i]]++;
		for (int i = 0; i < 256; i++)
			chi += (count[i] - expected) * (count[i] - expected) / expected;
		cr_assert_lt(chi, 255 + 7 * sqrt(2 * 255.0)); /* seven sigma */
		free(bytes);
	}
	nn_context_destroy(ctx);
}

Test(search, a_fake_query_decodes_to_nothing)
{
	struct nn_spec spec = {
		.params = rlwe_params_find(EXACT), .dim = 128, .terms = 16, .rows = 300, .scale = 320};
	struct rng rng = test_rng();
	struct secret_search *search;
	double scores[300];
	struct server s;

	serve(&s, spec, random_rows(300, 128, 320, &rng));
	cr_assert_eq(secret_search_create_fake(&search, s.ctx, &rng, NULL), VEIL_OK);
	ask(&s, search, scores);
	for (int v = 0; v < 300; v++)
		cr_assert_eq(scores[v], 0);
	secret_search_destroy(search);
	leave(&s);
}

Test(search, every_reply_of_the_right_size_decodes_to_finite_scores)
{
	static const char *const sets[] = {COMPACT, EXACT};
	struct rng rng = test_rng();

	for (int i = 0; i < 2; i++) {
		struct nn_spec spec = {.params = rlwe_params_find(sets[i]),
			.dim = 128,
			.terms = 16,
			.rows = 300,
			.scale = 320};
		float x[128] = {1};
		struct server s;

		serve(&s, spec, random_rows(300, 128, 320, &rng));
		for (int round = 0; round < 4; round++) {
			struct secret_search *search = query(&s, x);
			uint8_t *out = malloc(s.ctx->query_bytes), *reply = malloc(s.ctx->reply_bytes);
			uint8_t seed[RING_SEED_BYTES];
			double scores[300];

			secret_search_write(search, seed, out);
			memset(reply, round == 0 ? 0 : 0xff, s.ctx->reply_bytes);
			if (round > 1)
				rng_fill(&rng, reply, s.ctx->reply_bytes);
			secret_search_decode(search, scores, reply);
			for (int v = 0; v < 300; v++)
				cr_assert(isfinite(scores[v]));
			secret_search_destroy(search);
			free(out), free(reply);
		}
		leave(&s);
	}
}

/* --- a query is used once */

static void write_once(struct secret_search *search, struct server *s)
{
	uint8_t seed[RING_SEED_BYTES], bytes[4096];

	cr_assert_leq(s->ctx->query_bytes, sizeof bytes);
	secret_search_write(search, seed, bytes);
}

static void decode_once(struct secret_search *search, struct server *s)
{
	uint8_t reply[4096] = {0};
	double scores[40];

	cr_assert_leq(s->ctx->reply_bytes, sizeof reply);
	secret_search_decode(search, scores, reply);
}

static struct secret_search *small_query(struct server **s)
{
	float x[16] = {1};

	*s = small_server();
	return query(*s, x);
}

Test(search, writing_twice_aborts, .signal = SIGABRT)
{
	struct server *s;
	struct secret_search *search = small_query(&s);

	write_once(search, s);
	write_once(search, s);
}

Test(search, decoding_what_was_never_written_aborts, .signal = SIGABRT)
{
	struct server *s;
	struct secret_search *search = small_query(&s);

	decode_once(search, s);
}

Test(search, decoding_twice_aborts, .signal = SIGABRT)
{
	struct server *s;
	struct secret_search *search = small_query(&s);

	write_once(search, s);
	decode_once(search, s);
	decode_once(search, s);
}

Test(search, writing_after_decoding_aborts, .signal = SIGABRT)
{
	struct server *s;
	struct secret_search *search = small_query(&s);

	write_once(search, s);
	decode_once(search, s);
	write_once(search, s);
}

Test(search, destroy_takes_every_state_and_null)
{
	struct server *s;
	struct secret_search *search = small_query(&s);

	secret_search_destroy(search);
	search = small_query(&s);
	write_once(search, s);
	secret_search_destroy(search);
	search = small_query(&s);
	write_once(search, s);
	decode_once(search, s);
	secret_search_destroy(search);
	secret_search_destroy(NULL);
}
