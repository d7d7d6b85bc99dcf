/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "apple/pnns_index.h"
#include "base/drbg.h"
#include "base/require.h"
#include "fuzz.h"

/* A query of an index of kind bfv as it came from a peer, keys and ciphertexts: generic.c and this machine's
 * kernels give the same reply or both refuse it, and a refused query gets zeros. */

#define DIM 10
#define ROWS 600

struct server {
	struct pnns_index *index;
	void *shard;
	struct drbg *drbg;
	struct arena scratch;
	uint8_t *reply;
};

static void start(struct server *s, unsigned features)
{
	const struct nn_spec spec = {.params = rlwe_params_find("insecure_n_512_logq_4x60_logt_20"),
		.dim = DIM,
		.rows = ROWS,
		.terms = 2,
		.row_norm = 400,
		.scale = 400,
		.allow_insecure = true};
	static int8_t rows[ROWS * DIM];

	for (int i = 0; i < ROWS * DIM; i++)
		rows[i] = (int8_t)(i * 37 % 201 - 100);
	REQUIRE(pnns_index_create(&s->index, &spec, features, NULL) == VEIL_OK);
	REQUIRE(arena_init(&s->scratch, s->index->shape.shard_scratch + s->index->shape.answer_scratch) ==
		VEIL_OK);
	s->shard = aligned_alloc(64, s->index->shape.shard_bytes);
	s->reply = malloc(s->index->shape.reply_bytes);
	s->drbg = drbg_create();
	REQUIRE(s->shard && s->reply && s->drbg);
	pnns_index_pack(s->index, s->shard, rows, ROWS, &s->scratch);
}

static enum veil_status answer(struct server *s, const uint8_t *data, size_t size)
{
	const size_t room = s->index->shape.query_bytes;
	struct nn_query query = {.ciphertexts = NULL};
	uint8_t *bytes = malloc(room); /* exactly: a sanitizer sees a read past the end */
	enum veil_status st;

	REQUIRE(bytes);
	for (size_t i = 0; i < room; i++)
		bytes[i] = i < size ? data[i] : 0;
	memcpy(query.seed, data, size < sizeof query.seed ? size : sizeof query.seed);
	query.ciphertexts = bytes;
	memset(s->reply, 0xff, s->index->shape.reply_bytes);
	st = pnns_index_answer(s->index, s->reply, &query, s->shard, s->drbg, &s->scratch, NULL);
	REQUIRE(s->scratch.used == 0);
	free(bytes);
	return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct server pair[2];
	enum veil_status st;

	if (!pair[0].index) {
		start(&pair[0], 0);
		start(&pair[1], cpu_features());
	}
	st = answer(&pair[0], data, size);
	REQUIRE(st == VEIL_OK || st == VEIL_E_MALFORMED);
	REQUIRE(answer(&pair[1], data, size) == st);
	REQUIRE(!memcmp(pair[0].reply, pair[1].reply, pair[0].index->shape.reply_bytes));
	for (size_t i = 0; st != VEIL_OK && i < pair[0].index->shape.reply_bytes; i++)
		REQUIRE(pair[0].reply[i] == 0);
	return 0;
}
