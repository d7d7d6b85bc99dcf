/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/require.h"
#include "nn/answer.h"
#include "nn/shard.h"
#include "secret/search.h"

/* For ThreadSanitizer: contexts and shards are immutable and shared by threads without a lock; each thread
 * has its own scratch, keystream and queries. Every answer is also right: the row that was asked for wins,
 * with its integer score. */

#define THREADS 4
#define QUERIES 200
#define DIM 32
#define ROWS 40

static int8_t rows[ROWS][DIM];

struct shared {
	struct nn_context *ctx;
	void *shard;
};

static void ask(const struct shared *s, uint32_t row, struct keystream *ks, struct arena *scratch)
{
	struct rng rng = rng_system();
	struct secret_search *search;
	struct nn_query query;
	enum veil_status status;
	float vector[DIM];
	double scores[ROWS], best = 0;
	uint8_t *ciphertexts = malloc(s->ctx->query_bytes), *reply = malloc(s->ctx->reply_bytes);

	REQUIRE(ciphertexts && reply);
	for (int i = 0; i < DIM; i++)
		vector[i] = rows[row][i];
	REQUIRE(secret_search_create(&search, s->ctx, vector, &rng, NULL) == VEIL_OK);
	secret_search_write(search, query.seed, ciphertexts);
	query.ciphertexts = ciphertexts;
	REQUIRE(nn_answer(s->ctx, &reply, &status, &query, 1, s->shard, ks, scratch, NULL) == VEIL_OK);
	arena_reset(scratch);
	secret_search_decode(search, scores, reply);
	secret_search_destroy(search);
	for (int i = 0; i < ROWS; i++)
		best = scores[i] > best ? scores[i] : best;
	REQUIRE(scores[row] == best && best > 0);
	free(ciphertexts);
	free(reply);
}

static void *work(void *arg)
{
	const struct shared *s = arg;
	struct keystream *ks = keystream_create();
	struct arena scratch;

	REQUIRE(arena_init(&scratch, nn_answer_scratch(s->ctx, 1)) == VEIL_OK);
	for (uint32_t i = 0; i < QUERIES; i++)
		ask(s, i % ROWS, ks, &scratch);
	arena_clear(&scratch);
	keystream_destroy(ks);
	return NULL;
}

int main(void)
{
	struct nn_spec spec = {.params = rlwe_params_find("insecure_search_n64_q38_exact"),
		.dim = DIM,
		.rows = ROWS,
		.terms = 4,
		.row_norm = 130,
		.scale = 127,
		.allow_insecure = true};
	struct shared s;
	struct arena scratch;
	struct rng_seeded state;
	struct rng rng = rng_seeded_init_u64(&state, 7);
	pthread_t threads[THREADS];
	struct veil_error err;

	/* Rows of norm about 127 whose products with each other are far below that of a row with itself. */
	rng_fill(&rng, rows, sizeof rows);
	for (int i = 0; i < ROWS; i++)
		for (int j = 0; j < DIM; j++)
			rows[i][j] = rows[i][j] & 1 ? 22 : -22;
	if (nn_context_create(&s.ctx, &spec, cpu_features(), &err) != VEIL_OK) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	s.shard = aligned_alloc(64, arena_room(s.ctx->shard_bytes));
	REQUIRE(s.shard && arena_init(&scratch, s.ctx->shard_scratch) == VEIL_OK);
	nn_shard_transform(s.ctx, s.shard, &rows[0][0], ROWS, &scratch);
	arena_clear(&scratch);

	for (int i = 0; i < THREADS; i++)
		REQUIRE(pthread_create(&threads[i], NULL, work, &s) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	free(s.shard);
	nn_context_destroy(s.ctx);
	printf("%d threads, %d queries each\n", THREADS, QUERIES);
	return 0;
}
