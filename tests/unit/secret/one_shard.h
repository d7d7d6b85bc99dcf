/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_ONE_SHARD_H
#define SECRET_ONE_SHARD_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "nn/answer.h"
#include "nn/shard.h"
#include "secret/search.h"
#include "support/test.h"

/* A server of one shard within the test, asked through the bytes of the protocol. */

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

static inline double norm_of(const int8_t *row, uint32_t dim)
{
	double sum = 0;

	for (uint32_t j = 0; j < dim; j++)
		sum += (double)row[j] * row[j];
	return sqrt(sum);
}

/* Takes over `rows`. */
static inline void serve(struct server *s, struct nn_spec spec, int8_t *rows)
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

static inline void leave(struct server *s)
{
	keystream_destroy(s->ks);
	arena_clear(&s->scratch);
	free(s->shard);
	free(s->rows);
	nn_context_destroy(s->ctx);
}

/* One row of a database: a random direction, quantised with `scale`. */
static inline void fill_row(int8_t *row, uint32_t dim, double scale, const struct rng *rng)
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

static inline int8_t *random_rows(uint32_t rows, uint32_t dim, double scale, const struct rng *rng)
{
	int8_t *y = malloc((size_t)rows * dim);

	for (uint32_t v = 0; v < rows; v++)
		fill_row(y + (size_t)v * dim, dim, scale, rng);
	return y;
}

static inline void random_vector(float *x, uint32_t dim, const struct rng *rng)
{
	for (uint32_t j = 0; j < dim; j++)
		x[j] = (float)(3 * test_normal(rng));
}

/* One stream for all queries of a test: test_rng() would start again. */
static inline struct rng query_rng(void)
{
	static struct rng_seeded state;
	static struct rng rng;

	if (!rng.fill)
		rng = rng_seeded_init_u64(&state, test_seed() + 1);
	return rng;
}

static inline struct secret_search *query(const struct server *s, const float *x)
{
	struct rng rng = query_rng();
	struct secret_search *search;
	struct veil_error err;

	cr_assert_eq(secret_search_create(&search, s->ctx, x, &rng, &err), VEIL_OK, "%s", err.text);
	return search;
}

/* Over the wire and back. */
static inline void ask(struct server *s, struct secret_search *search, double *scores)
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

static inline void check_exact(struct server *s, const float *x)
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

#endif
