/* SPDX-License-Identifier: Apache-2.0 */
#include "search/worker.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/require.h"
#include "kit/clock.h"
#include "nn/answer.h"
#include "search/service.h"
#include "wire/messages.h"

static size_t room(const struct snapshot *s)
{
	return wire_query_room(s->ctx) + arena_room(s->ctx->reply_bytes) +
	       arena_room(nn_answer_scratch(s->ctx, 1));
}

enum veil_status worker_init(struct worker *w, const struct snapshot *s)
{
	*w = (struct worker){.keystream = keystream_create()};
	return w->keystream ? arena_init(&w->arena, room(s)) : VEIL_E_NOMEM;
}

/* An empty arena for this version: a new one at the first query of a larger version. */
static bool fit(struct worker *w, const struct snapshot *s)
{
	arena_reset(&w->arena);
	if (w->arena.size >= room(s))
		return true;
	arena_clear(&w->arena);
	return arena_init(&w->arena, room(s)) == VEIL_OK;
}

void worker_clear(struct worker *w)
{
	keystream_destroy(w->keystream);
	arena_clear(&w->arena);
	*w = (struct worker){0};
}

/* From the bytes of a query to the bytes of its reply. */
static enum veil_status answer(
	struct worker *w, const struct snapshot *s, struct bytes body, uint8_t *out, struct veil_error *err)
{
	enum veil_status st, answered;
	struct wire_reply reply = {0};
	struct wire_query q;
	uint8_t *ciphertexts;

	st = wire_query_read(s->ctx, &q, body.data, body.size, &w->arena, err);
	if (st != VEIL_OK)
		return st;
	REQUIRE(memcmp(q.index_id, s->index->id, HASH_BYTES) == 0); /* wire_query_target said so */
	if (q.shard >= s->index->shards)
		return error_set(err, VEIL_E_NOT_FOUND, "there is no shard %u; the index has %u",
			(unsigned)q.shard, (unsigned)s->index->shards);
	ciphertexts = arena_take(&w->arena, s->ctx->reply_bytes);
	st = nn_answer(s->ctx, &ciphertexts, &answered, &q.query, 1, snapshot_shard(s, q.shard), w->keystream,
		&w->arena, err);
	if (st != VEIL_OK)
		return st;
	memcpy(reply.index_id, s->index->id, HASH_BYTES);
	reply.ciphertexts = (struct bytes){ciphertexts, s->ctx->reply_bytes};
	reply.labels = (struct bytes){
		s->index->shard[q.shard].labels, (size_t)s->index->spec.rows * s->index->label_bytes};
	wire_reply_write(s->ctx, s->index->label_bytes, out, &reply);
	return VEIL_OK;
}

/* docs/wire.md has this table. */
static unsigned http_status(enum veil_status st)
{
	switch (st) {
	case VEIL_E_MALFORMED:
		return 400;
	case VEIL_E_NOT_FOUND:
		return 404;
	case VEIL_E_VERSION:
		return 410;
	default:
		return 500;
	}
}

static void send_reply(
	struct service *service, struct http_request *req, void *body, size_t size, uint64_t compute_ns)
{
	struct http_reply reply = {.status = 200,
		.content_type = WIRE_CONTENT_TYPE,
		.body = body,
		.size = size,
		.done = buffers_give,
		.arg = body};

	if (service->config->expose_timing) {
		uint64_t us = compute_ns / 1000;

		/* Always ten digits: the size of a reply must not tell how long it took. */
		reply.header = "Veil-Server-Us";
		snprintf(reply.header_value, sizeof reply.header_value, "%010llu",
			(unsigned long long)(us < 9999999999u ? us : 9999999999u));
	}
	metrics_add(service->metrics, METRICS_queries, 1);
	metrics_observe_ns(service->metrics, METRICS_compute_seconds, compute_ns);
	metrics_observe_ns(service->metrics, METRICS_query_seconds, clock_ns() - http_start_ns(req));
	http_answer(req, &reply);
}

/* The version that a query names. Of a body that names none the current one, whose reader tells what is
 * wrong. */
static enum veil_status find_version(
	struct service *service, struct snapshot **out, struct bytes body, struct veil_error *err)
{
	uint8_t id[HASH_BYTES];
	char hex[HASH_HEX_SIZE];
	struct snapshot *now;
	uint32_t shard;

	if (!wire_query_target(id, &shard, body.data, body.size)) {
		*out = versions_current(&service->versions);
		return VEIL_OK;
	}
	*out = versions_find(&service->versions, id);
	if (*out)
		return VEIL_OK;
	now = versions_current(&service->versions);
	hash_hex(hex, now->index->id);
	snapshot_release(now);
	return error_set(err, VEIL_E_VERSION,
		"the query is for an index that is not served; fetch /v1/config again (served: %s)", hex);
}

void worker_run(void *state, unsigned number, void *job, uint64_t waited_ns)
{
	struct service *service = state;
	struct worker *w = service->workers + number;
	struct http_request *req = job;
	struct veil_error err = {{0}};
	struct snapshot *s = NULL;
	enum veil_status st = find_version(service, &s, http_body(req), &err);
	uint64_t start = clock_ns();
	void *body = NULL;

	metrics_observe_ns(service->metrics, METRICS_queue_seconds, waited_ns);
	if (st == VEIL_OK && !http_expired(req) && fit(w, s))
		body = buffers_take(service->replies, s->reply_bytes);
	if (st == VEIL_OK && !body) {
		metrics_add(service->metrics, METRICS_queue_full, 1);
		http_answer_busy(req);
		goto out;
	}
	if (st == VEIL_OK)
		st = answer(w, s, http_body(req), body, &err);
	if (st == VEIL_OK) {
		send_reply(service, req, body, s->reply_bytes, clock_ns() - start);
	} else {
		buffers_give(body);
		http_answer_text(req, http_status(st), "%s", err.text);
	}
out:
	snapshot_release(s);
}
