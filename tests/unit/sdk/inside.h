/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_SDK_INSIDE_H
#define UNIT_SDK_INSIDE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/require.h"
#include "index/label.h"
#include "nn/answer.h"
#include "nn/shard.h"
#include "sdk/client.h"

/* A server inside the process: a transport that answers as veild would, from random rows with the exact
 * parameter set. Each record is in two of the shards; the last row of a shard is padding. */

#define INSIDE_SHARDS 4
#define INSIDE_DIM 32
#define INSIDE_ROWS 64
#define INSIDE_RECORDS (INSIDE_SHARDS * (INSIDE_ROWS - 1) / 2)

struct inside {
	struct wire_config config;
	struct nn_context *nn;
	void *shard[INSIDE_SHARDS];
	int8_t rows[INSIDE_SHARDS][INSIDE_ROWS][INSIDE_DIM];
	uint8_t labels[INSIDE_SHARDS][INSIDE_ROWS][INDEX_MAX_LABEL_BYTES]; /* packed label_bytes apart */
	uint8_t *codebook;
	bool broken; /* answers queries with 503 */
	int queries; /* seen; not counted when threads ask */
};

/* Place p of all the rows in use holds a record that place p + INSIDE_RECORDS holds too. */
static inline uint32_t inside_record(uint32_t shard, uint32_t row)
{
	return (shard * (INSIDE_ROWS - 1) + row) % INSIDE_RECORDS;
}

static inline void inside_fill(struct inside *s, const struct rng *rng, uint32_t label_bytes)
{
	int8_t record[INSIDE_RECORDS][INSIDE_DIM];

	rng_fill(rng, record, sizeof record);
	for (uint32_t i = 0; i < INSIDE_RECORDS; i++)
		for (int j = 0; j < INSIDE_DIM; j++)
			record[i][j] = (int8_t)(record[i][j] / 8); /* few values: scores tie */
	for (uint32_t shard = 0; shard < INSIDE_SHARDS; shard++) {
		for (uint32_t row = 0; row < INSIDE_ROWS; row++) {
			uint32_t number =
				row == INSIDE_ROWS - 1 ? INDEX_NO_RECORD : inside_record(shard, row);
			uint8_t *label = &s->labels[shard][0][0] + row * label_bytes;
			char name[32] = "";

			if (number != INDEX_NO_RECORD) {
				memcpy(s->rows[shard][row], record[number], INSIDE_DIM);
				snprintf(name, sizeof name, "n%u", number);
			}
			if (label_bytes)
				index_label_write(label, label_bytes, number, name);
		}
	}
}

static inline void inside_write_codebook(struct inside *s)
{
	struct index_codebook cb = {.shards = INSIDE_SHARDS, .dim = INSIDE_DIM};

	cb.centroids = calloc((size_t)INSIDE_SHARDS * INSIDE_DIM, sizeof *cb.centroids);
	s->config.codebook_bytes = (uint32_t)index_codebook_bytes(cb.shards, cb.dim);
	s->codebook = malloc(s->config.codebook_bytes);
	REQUIRE(cb.centroids && s->codebook);
	for (size_t i = 0; i < INSIDE_SHARDS; i++)
		cb.centroids[(INSIDE_DIM + 1) * i] = 1; /* shard i is near to axis i */
	index_codebook_write(&cb, s->codebook);
	index_codebook_clear(&cb);
	hash_sha256(s->config.codebook_hash, s->codebook, s->config.codebook_bytes);
}

static inline struct inside *inside_create(const struct rng *rng, uint32_t label_bytes)
{
	struct inside *s = calloc(1, sizeof *s);
	struct arena scratch;

	REQUIRE(s);
	s->config = (struct wire_config){.name = "inside",
		.shards = INSIDE_SHARDS,
		.label_bytes = label_bytes,
		.records = INSIDE_RECORDS,
		.spec = {.params = rlwe_params_find("search_n2048_q38_exact"),
			.dim = INSIDE_DIM,
			.rows = INSIDE_ROWS,
			.terms = 2,
			.row_norm = 100,
			.scale = 50}};
	REQUIRE(nn_context_create(&s->nn, &s->config.spec, cpu_features(), NULL) == VEIL_OK);
	inside_fill(s, rng, label_bytes);
	inside_write_codebook(s);
	s->config.query_bytes = (uint32_t)wire_query_bytes(s->nn);
	s->config.reply_bytes = (uint32_t)wire_reply_bytes(s->nn, label_bytes);
	REQUIRE(arena_init(&scratch, s->nn->shard_scratch) == VEIL_OK);
	for (int i = 0; i < INSIDE_SHARDS; i++) {
		s->shard[i] = aligned_alloc(64, arena_room(s->nn->shard_bytes));
		REQUIRE(s->shard[i]);
		nn_shard_transform(s->nn, s->shard[i], &s->rows[i][0][0], INSIDE_ROWS, &scratch);
		arena_reset(&scratch);
	}
	arena_clear(&scratch);
	return s;
}

static inline void inside_destroy(struct inside *s)
{
	for (int i = 0; i < INSIDE_SHARDS; i++)
		free(s->shard[i]);
	nn_context_destroy(s->nn);
	free(s->codebook);
	free(s);
}

static inline void inside_answer_shard(const struct inside *s, uint8_t *out, const struct nn_query *query,
	uint32_t shard, struct arena *arena)
{
	struct keystream *ks = keystream_create();
	struct wire_reply answer = {0};
	uint8_t *ciphertexts = malloc(s->nn->reply_bytes);
	size_t mark = arena_mark(arena);
	enum veil_status status;

	REQUIRE(ciphertexts && nn_answer(s->nn, &ciphertexts, &status, query, 1, s->shard[shard], ks, arena,
				       NULL) == VEIL_OK);
	answer.ciphertexts = (struct bytes){ciphertexts, s->nn->reply_bytes};
	answer.labels = (struct bytes){&s->labels[shard][0][0], (size_t)INSIDE_ROWS * s->config.label_bytes};
	wire_reply_write(s->nn, s->config.label_bytes, out, &answer);
	arena_release(arena, mark);
	keystream_destroy(ks);
	free(ciphertexts);
}

static inline void inside_answer(const struct inside *s, struct transport_reply *reply, struct bytes body)
{
	struct arena arena;
	struct wire_query query;
	uint32_t first, count;

	REQUIRE(arena_init(&arena, wire_query_room(s->nn) + nn_answer_scratch(s->nn, 1)) == VEIL_OK);
	REQUIRE(wire_query_read(s->nn, &query, body.data, body.size, &arena, NULL) == VEIL_OK);
	first = query.shard == WIRE_ALL_SHARDS ? 0 : query.shard;
	count = query.shard == WIRE_ALL_SHARDS ? INSIDE_SHARDS : 1;
	REQUIRE(first + count <= INSIDE_SHARDS);
	reply->size = (size_t)count * s->config.reply_bytes;
	reply->body = malloc(reply->size);
	REQUIRE(reply->body);
	for (uint32_t i = 0; i < count; i++)
		inside_answer_shard(
			s, reply->body + (size_t)i * s->config.reply_bytes, &query.query, first + i, &arena);
	arena_clear(&arena);
}

static inline enum veil_status inside_exchange(void *state, struct transport_reply *reply,
	const struct transport_request *request, struct veil_error *err)
{
	struct inside *s = state;
	const char *type = WIRE_CONTENT_TYPE;

	(void)err;
	*reply = (struct transport_reply){.code = 200, .server_us = 10, .elapsed_us = 20};
	if (strcmp(request->path, "/v1/config") == 0) {
		REQUIRE(wire_config_write(&reply->body, &reply->size, &s->config) == VEIL_OK);
	} else if (strcmp(request->path, "/v1/query") != 0) {
		type = "application/octet-stream";
		reply->size = s->config.codebook_bytes;
		reply->body = malloc(reply->size);
		REQUIRE(reply->body);
		memcpy(reply->body, s->codebook, reply->size);
	} else if (s->broken) {
		s->queries++;
		reply->code = 503;
	} else {
		inside_answer(s, reply, request->body);
	}
	snprintf(reply->type, sizeof reply->type, "%s", type);
	reply->bytes_up = request->body.size;
	reply->bytes_down = reply->size;
	return VEIL_OK;
}

/** A client that talks to it; the caller destroys the client first. */
static inline struct veil_client *inside_client(struct inside *s)
{
	struct veil_client *client = calloc(1, sizeof *client);

	REQUIRE(client);
	client->timeout_ms = 1000;
	client->transport = (struct transport){.exchange = inside_exchange, .state = s};
	return client;
}

#endif
