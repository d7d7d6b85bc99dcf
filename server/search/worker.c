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

/* What the key of a job says. */
struct target {
	uint8_t index_id[HASH_BYTES];
	uint32_t shard;
};
_Static_assert(sizeof(struct target) <= POOL_KEY_BYTES, "a target is a key");

/* Queries of one shard on their way through a pass. */
struct group {
	struct service *service;
	struct worker *worker;
	struct snapshot *s;
	uint32_t shard;
	unsigned count;
	struct http_request *req[WORKER_GROUP];
	uint8_t *reply[WORKER_GROUP]; /* from service->replies */
	uint8_t *ciphertexts[WORKER_GROUP]; /* where they go in it */
	struct nn_query query[WORKER_GROUP];
};

size_t worker_room(const struct snapshot *s)
{
	return WORKER_GROUP * wire_query_room(s->ctx) + arena_room(nn_answer_scratch(s->ctx, WORKER_GROUP)) +
	       arena_room(s->ctx->shard_scratch);
}

enum veil_status worker_init(struct worker *w, const struct snapshot *s)
{
	*w = (struct worker){.keystream = keystream_create()};
	return w->keystream ? arena_init(&w->arena, worker_room(s)) : VEIL_E_NOMEM;
}

/* An empty arena for this version: a new one at the first query of a larger version. */
static bool fit(struct worker *w, const struct snapshot *s)
{
	arena_reset(&w->arena);
	if (w->arena.size >= worker_room(s))
		return true;
	arena_clear(&w->arena);
	return arena_init(&w->arena, worker_room(s)) == VEIL_OK;
}

void worker_clear(struct worker *w)
{
	keystream_destroy(w->keystream);
	arena_clear(&w->arena);
	*w = (struct worker){0};
}

struct pool_job worker_job(struct http_request *req)
{
	struct bytes body = http_body(req);
	struct pool_job job = {.job = req};
	struct target target = {0};

	job.keyed = wire_query_target(target.index_id, &target.shard, body.data, body.size);
	memcpy(job.key, &target, sizeof target);
	return job;
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

	if (!service->config->hide_timing && !service->config->reply_deadline_ms) {
		uint64_t us = compute_ns / 1000;

		/* Always ten digits: the size of a reply must not tell how long it took. */
		reply.header = "Veil-Server-Us";
		snprintf(reply.header_value, sizeof reply.header_value, "%010llu",
			(unsigned long long)(us < 9999999999u ? us : 9999999999u));
	}
	metrics_add(service->metrics, METRICS_queries, 1);
	metrics_observe(service->metrics, METRICS_compute_seconds, compute_ns);
	metrics_observe(service->metrics, METRICS_query_seconds, clock_ns() - http_start_ns(req));
	http_answer(req, &reply);
}

static void refuse_busy(struct service *service, struct http_request *req)
{
	metrics_add(service->metrics, METRICS_queue_full, 1);
	http_answer_busy(req);
}

static uint8_t *take_buffer(struct service *service, const struct snapshot *s)
{
	size_t size = service_buffer_bytes(service);

	return buffers_take(service->replies, size > s->reply_bytes ? size : s->reply_bytes);
}

/* Reads a query of the group's shard, prepares its reply; or answers it at once. */
static void add(struct group *g, const struct pool_job *job)
{
	const struct snapshot *s = g->s;
	struct http_request *req = job->job;
	struct bytes body = http_body(req);
	struct veil_error err = {{0}};
	struct wire_reply reply = {0};
	struct wire_query q;
	enum veil_status st;
	uint8_t *out;

	st = wire_query_read(s->ctx, &q, body.data, body.size, &g->worker->arena, &err);
	if (st != VEIL_OK) {
		http_answer_text(req, http_status(st), "%s", err.text);
		return;
	}
	/* wire_query_target said so. */
	REQUIRE(q.shard == g->shard && memcmp(q.index_id, s->index->id, HASH_BYTES) == 0);
	out = http_expired(req) ? NULL : take_buffer(g->service, s);
	if (!out) {
		refuse_busy(g->service, req);
		return;
	}
	memcpy(reply.index_id, s->index->id, HASH_BYTES);
	reply.labels = (struct bytes){
		s->index->shard[q.shard].labels, (size_t)s->index->spec.rows * s->index->label_bytes};
	g->ciphertexts[g->count] = wire_reply_frame(s->ctx, s->index->label_bytes, out, &reply);
	g->reply[g->count] = out;
	g->req[g->count] = req;
	g->query[g->count++] = q.query;
}

static void answer(struct group *g, const void *shard, uint64_t start_ns)
{
	enum veil_status status[WORKER_GROUP], st;
	uint64_t compute_ns;

	if (g->count == 0)
		return;
	metrics_add(g->service->metrics, METRICS_passes, 1);
	st = nn_answer(g->s->ctx, g->ciphertexts, status, g->query, g->count, shard, g->worker->keystream,
		&g->worker->arena, NULL);
	REQUIRE(st == VEIL_OK || st == VEIL_E_MALFORMED); /* status[] says whose */
	compute_ns = clock_ns() - start_ns;
	for (unsigned i = 0; i < g->count; i++) {
		if (status[i] == VEIL_OK) {
			send_reply(g->service, g->req[i], g->reply[i], g->s->reply_bytes, compute_ns);
			continue;
		}
		buffers_give(g->reply[i]);
		http_answer_text(g->req[i], http_status(status[i]),
			"Query: a residue is not below q (parameter set %s)", g->s->ctx->spec.params->name);
	}
}

/* What is wrong with a query that names no version and shard, or none that is there. */
static enum veil_status explain(struct service *service, struct worker *w, const struct pool_job *job,
	const struct target *target, const struct snapshot *s, struct veil_error *err)
{
	struct bytes body = http_body(job->job);
	struct snapshot *now;
	struct wire_query q;
	char hex[HASH_HEX_SIZE];
	enum veil_status st;

	if (s)
		return error_set(err, VEIL_E_NOT_FOUND, "there is no shard %u; the index has %u",
			(unsigned)target->shard, (unsigned)s->index->shards);
	now = versions_current(&service->versions);
	if (job->keyed) {
		hash_hex(hex, now->index->id);
		st = error_set(err, VEIL_E_VERSION,
			"the query is for an index that is not served; fetch /v1/config again (served: %s)",
			hex);
	} else if (!fit(w, now)) {
		st = error_set(err, VEIL_E_NOMEM, "no memory to read the query");
	} else {
		st = wire_query_read(now->ctx, &q, body.data, body.size, &w->arena, err);
		REQUIRE(st != VEIL_OK); /* else it would have a target */
	}
	snapshot_release(now);
	return st;
}

void worker_run(void *state, unsigned number, const struct pool_job *job)
{
	struct service *service = state;
	struct group g = {.service = service, .worker = service->workers + number};
	struct pool_job others[WORKER_GROUP - 1];
	uint64_t start = clock_ns();
	struct veil_error err = {{0}};
	struct target target;
	const void *shard;
	size_t more;

	metrics_observe(service->metrics, METRICS_queue_seconds, start - job->since_ns);
	memcpy(&target, job->key, sizeof target);
	g.shard = target.shard;
	g.s = job->keyed ? versions_find(&service->versions, target.index_id) : NULL;
	if (!g.s || g.shard >= g.s->index->shards) {
		enum veil_status st = explain(service, g.worker, job, &target, g.s, &err);

		http_answer_text(job->job, http_status(st), "%s", err.text);
		goto out;
	}
	shard = fit(g.worker, g.s) ? snapshot_shard_take(g.s, g.shard, &g.worker->arena) : NULL;
	if (!shard) {
		refuse_busy(service, job->job);
		goto out;
	}
	add(&g, job);
	/* Only now: while a cold shard was transformed others may have come for it. */
	more = pool_take_alike(service->pool, job, others, WORKER_GROUP - 1);
	for (size_t i = 0; i < more; i++) {
		metrics_observe(service->metrics, METRICS_queue_seconds, clock_ns() - others[i].since_ns);
		add(&g, others + i);
	}
	answer(&g, shard, start);
	snapshot_shard_give(g.s, g.shard);
out:
	snapshot_release(g.s);
}
