/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "apple/engine.h"
#include "base/cpu.h"
#include "base/ct.h"
#include "base/drbg.h"
#include "base/require.h"
#include "leak.h"
#include "nn/answer.h"
#include "nn/shard.h"
#include "secret/pnns_search.h"
#include "secret/search.h"

/* For valgrind: a query's life with its vector and everything sampled marked as uninitialised. Memcheck
 * reports a branch or an address that depends on one of them. With the argument `leak` the program makes such
 * a branch itself: the check must see it. */

#define DIM 40
#define ROWS 600

static int8_t rows[ROWS * DIM];

static void life(const char *set, int fake)
{
	struct nn_spec spec = {.params = rlwe_params_find(set),
		.dim = DIM,
		.rows = ROWS,
		.terms = 10,
		.row_norm = 320,
		.scale = 300};
	struct nn_context *ctx;
	struct rng rng = rng_system();
	struct secret_search *search;
	struct keystream *ks = keystream_create();
	struct arena scratch;
	struct nn_query query;
	enum veil_status status;
	uint8_t *ciphertexts, *reply;
	void *shard;
	float vector[DIM];
	double scores[ROWS];

	REQUIRE(nn_context_create(&ctx, &spec, cpu_features(), NULL) == VEIL_OK);
	ciphertexts = malloc(ctx->query_bytes);
	reply = malloc(ctx->reply_bytes);
	shard = aligned_alloc(64, arena_room(ctx->shard_bytes));
	REQUIRE(ks && ciphertexts && reply && shard);
	REQUIRE(arena_init(&scratch, ctx->answer_scratch) == VEIL_OK);
	nn_shard_transform(ctx, shard, rows, ROWS, &scratch);
	for (int j = 0; j < DIM; j++)
		vector[j] = (float)(j - 9);
	ct_poison(vector, sizeof vector);
	if (fake)
		REQUIRE(secret_search_create_fake(&search, ctx, &rng, NULL) == VEIL_OK);
	else
		REQUIRE(secret_search_create(&search, ctx, vector, &rng, NULL) == VEIL_OK);
	secret_search_write(search, query.seed, ciphertexts);
	query.ciphertexts = ciphertexts;
	REQUIRE(nn_answer(ctx, &reply, &status, &query, 1, shard, ks, &scratch, NULL) == VEIL_OK);
	secret_search_decode(search, scores, reply);
	secret_search_destroy(search);
	REQUIRE(fake || scores[ROWS - 1] > 0); /* the last row is the vector */
	free(ciphertexts), free(reply), free(shard);
	keystream_destroy(ks);
	arena_clear(&scratch);
	nn_context_destroy(ctx);
}

/* The same of an index of kind bfv. */
static void life_bfv(void)
{
	const struct nn_spec spec = {.params = rlwe_params_find("insecure_n_512_logq_4x60_logt_20"),
		.dim = DIM,
		.rows = ROWS,
		.terms = 10,
		.row_norm = 320,
		.scale = 300,
		.allow_insecure = true};
	struct rng rng = rng_system();
	struct secret_pnns_search *search;
	struct drbg *drbg = drbg_create();
	struct nn_query query;
	enum veil_status status;
	struct arena scratch;
	struct engine e;
	uint8_t *ciphertexts, *reply;
	void *shard;
	float vector[DIM];
	double scores[ROWS];

	REQUIRE(engine_open(&e, &spec, cpu_features(), NULL) == VEIL_OK);
	ciphertexts = malloc(e.shape->query_bytes);
	reply = malloc(e.shape->reply_bytes);
	shard = aligned_alloc(64, arena_room(e.shape->shard_bytes));
	REQUIRE(drbg && ciphertexts && reply && shard);
	REQUIRE(arena_init(&scratch, engine_answer_scratch(&e, 1) + e.shape->shard_scratch) == VEIL_OK);
	engine_shard(&e, shard, rows, ROWS, &scratch);
	for (int j = 0; j < DIM; j++)
		vector[j] = (float)(j - 9);
	ct_poison(vector, sizeof vector);
	REQUIRE(secret_pnns_search_create(&search, e.bfv, vector, &rng, NULL) == VEIL_OK);
	secret_pnns_search_write(search, query.seed, ciphertexts);
	query.ciphertexts = ciphertexts;
	REQUIRE(engine_answer(&e, &reply, &status, &query, 1, shard, NULL, drbg, &scratch) == VEIL_OK);
	REQUIRE(secret_pnns_search_decode(search, scores, (const uint8_t *const *)&reply, 1, NULL) ==
		VEIL_OK);
	secret_pnns_search_destroy(search);
	REQUIRE(scores[ROWS - 1] > 0);
	free(ciphertexts), free(reply), free(shard);
	drbg_destroy(drbg);
	arena_clear(&scratch);
	engine_close(&e);
}

int main(int argc, char **argv)
{
	if (leak_planted(argc, argv))
		return 0;
	for (int j = 0; j < DIM; j++)
		rows[(ROWS - 1) * DIM + j] = (int8_t)(j - 9);
	for (int fake = 0; fake < 2; fake++) {
		life("search_n2048_q28", fake);
		life("search_n2048_q38_exact", fake);
	}
	life_bfv();
	return 0;
}
