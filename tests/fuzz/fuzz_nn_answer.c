/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "nn/answer.h"
#include "nn/shard.h"
#include "support/nn.h"

/* A query's bytes as they came from a peer, against a tiny shard of the exact and of the approximate set:
 * generic.c and this machine's kernels give the same reply or both refuse it, and a refused query gets zeros.
 */

#define DIM 40
#define ROWS 19

struct server {
	struct nn_context *ctx;
	void *shard;
	struct keystream *ks;
	struct arena scratch;
	uint8_t *reply;
};

static void start(struct server *s, const char *params, unsigned features)
{
	int8_t rows[ROWS * DIM];

	for (int i = 0; i < ROWS * DIM; i++)
		rows[i] = (int8_t)(i * 37 % 95 - 47);
	s->ctx = test_nn_context(params, DIM, 5, ROWS, features);
	REQUIRE(arena_init(&s->scratch, nn_answer_scratch(s->ctx, 1) + s->ctx->shard_scratch) == VEIL_OK);
	s->shard = aligned_alloc(64, arena_room(s->ctx->shard_bytes));
	s->reply = malloc(s->ctx->reply_bytes);
	s->ks = keystream_create();
	REQUIRE(s->shard && s->reply && s->ks);
	nn_shard_transform(s->ctx, s->shard, rows, ROWS, &s->scratch);
	arena_reset(&s->scratch);
}

static enum veil_status answer(struct server *s, const uint8_t *data, size_t size)
{
	struct nn_query query = {.ciphertexts = NULL};
	enum veil_status status = VEIL_OK, st;
	uint8_t *bytes = malloc(s->ctx->query_bytes); /* exactly: a sanitizer sees a read past the end */

	REQUIRE(bytes);
	for (size_t i = 0; i < s->ctx->query_bytes; i++)
		bytes[i] = i < size ? data[i] : 0;
	memcpy(query.seed, data, size < sizeof query.seed ? size : sizeof query.seed);
	query.ciphertexts = bytes;
	memset(s->reply, 0xff, s->ctx->reply_bytes);
	st = nn_answer(s->ctx, &s->reply, &status, &query, 1, s->shard, s->ks, &s->scratch, NULL);
	arena_reset(&s->scratch);
	free(bytes);
	REQUIRE(st == status);
	return st;
}

static void check(struct server pair[2], const uint8_t *data, size_t size)
{
	enum veil_status st = answer(&pair[0], data, size);

	REQUIRE(st == VEIL_OK || st == VEIL_E_MALFORMED);
	REQUIRE(answer(&pair[1], data, size) == st);
	REQUIRE(!memcmp(pair[0].reply, pair[1].reply, pair[0].ctx->reply_bytes));
	for (size_t i = 0; st != VEIL_OK && i < pair[0].ctx->reply_bytes; i++)
		REQUIRE(pair[0].reply[i] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct server approximate[2], exact[2];

	if (!approximate[0].ctx) {
		start(&approximate[0], "insecure_search_n64_q28", 0);
		start(&approximate[1], "insecure_search_n64_q28", cpu_features());
		start(&exact[0], "insecure_search_n64_q38_exact", 0);
		start(&exact[1], "insecure_search_n64_q38_exact", cpu_features());
	}
	check(approximate, data, size);
	check(exact, data, size);
	return 0;
}
