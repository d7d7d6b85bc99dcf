/* SPDX-License-Identifier: Apache-2.0 */
#include "search/worker.h"

#include <stdio.h>
#include <string.h>

#include "base/drbg.h"
#include "base/error.h"
#include "base/require.h"
#include "kit/clock.h"
#include "search/service.h"
#include "wire/messages.h"

/* What the key of a job says. */
struct target {
	uint8_t index_id[HASH_BYTES];
	uint32_t shard;
};
_Static_assert(sizeof(struct target) <= POOL_KEY_BYTES, "a target is a key");

/* Queries of one shard, or of all shards, on their way through a pass of each. */
struct group {
	struct service *service;
	struct worker *worker;
	struct snapshot *s;
	uint32_t target; /* a shard or WIRE_ALL_SHARDS: */
	uint32_t first, shards; /* those that are asked */
	size_t size; /* of a whole reply: reply_bytes a shard */
	unsigned count;
	struct http_request *req[WORKER_GROUP];
	uint8_t *reply[WORKER_GROUP]; /* from service->replies */
	struct nn_query query[WORKER_GROUP];
	enum veil_status status[WORKER_GROUP];
};

size_t worker_room(const struct snapshot *s)
{
	size_t room = WORKER_GROUP * wire_query_room(s->ctx) +
		      arena_room(engine_answer_scratch(&s->engine, WORKER_GROUP)) +
		      arena_room(s->ctx->shard_scratch);

	if (s->sealed && sealed_room(s) > room)
		room = sealed_room(s);
	if (s->tables && retrieve_room(s) > room)
		room = retrieve_room(s);
	return room;
}

enum veil_status worker_init(struct worker *w, const struct snapshot *s)
{
	*w = (struct worker){.keystream = keystream_create(), .drbg = drbg_create()};
	return w->keystream && w->drbg ? arena_init(&w->arena, worker_room(s)) : VEIL_E_NOMEM;
}

bool worker_fit(struct worker *w, const struct snapshot *s)
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
	drbg_destroy(w->drbg);
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

unsigned worker_http_status(enum veil_status st)
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

void worker_send(
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

void worker_refuse_busy(struct service *service, struct http_request *req)
{
	metrics_add(service->metrics, METRICS_queue_full, 1);
	http_answer_busy(req);
}

uint8_t *worker_take_buffer(struct service *service, size_t reply_bytes)
{
	size_t size = service_buffer_bytes(service);

	return buffers_take(service->replies, size > reply_bytes ? size : reply_bytes);
}

/* Reads a query of the group, takes room for its reply; or answers it at once. */
static void add(struct group *g, const struct pool_job *job)
{
	const struct snapshot *s = g->s;
	struct http_request *req = job->job;
	struct bytes body = http_body(req);
	struct veil_error err = {{0}};
	struct wire_query q;
	enum veil_status st;
	uint8_t *out;

	st = wire_query_read(s->ctx, &q, body.data, body.size, &g->worker->arena, &err);
	if (st != VEIL_OK) {
		http_answer_text(req, worker_http_status(st), "%s", err.text);
		return;
	}
	/* wire_query_target said so. */
	REQUIRE(q.shard == g->target && memcmp(q.index_id, s->index->id, HASH_BYTES) == 0);
	out = http_expired(req) ? NULL : worker_take_buffer(g->service, g->size);
	if (!out) {
		worker_refuse_busy(g->service, req);
		return;
	}
	g->reply[g->count] = out;
	g->req[g->count] = req;
	g->query[g->count++] = q.query;
}

/* The job, and others that wait for the same: only now, for while a cold shard was transformed they may have
 * come. */
static void gather(struct group *g, const struct pool_job *job)
{
	struct pool_job others[WORKER_GROUP - 1];
	size_t more = pool_take_alike(g->service->pool, job, others, WORKER_GROUP - 1);

	add(g, job);
	for (size_t i = 0; i < more; i++) {
		metrics_observe(g->service->metrics, METRICS_queue_seconds, clock_ns() - others[i].since_ns);
		add(g, others + i);
	}
}

/* Puts shard `first + i` into every reply. */
static void pass(struct group *g, uint32_t i, const void *shard)
{
	const struct snapshot *s = g->s;
	struct arena *arena = &g->worker->arena;
	struct wire_reply frame = {.labels = {s->index->shard[g->first + i].labels,
					   (size_t)s->index->spec.rows * s->index->label_bytes}};
	size_t mark = arena_mark(arena);
	uint8_t *ciphertexts[WORKER_GROUP];
	enum veil_status st;

	memcpy(frame.index_id, s->index->id, HASH_BYTES);
	for (unsigned k = 0; k < g->count; k++)
		ciphertexts[k] = wire_reply_frame(
			s->ctx, s->index->label_bytes, g->reply[k] + i * s->reply_bytes, &frame);
	metrics_add(g->service->metrics, METRICS_passes, 1);
	st = engine_answer(&s->engine, ciphertexts, g->status, g->query, g->count, shard,
		g->worker->keystream, g->worker->drbg, arena);
	REQUIRE(st == VEIL_OK || st == VEIL_E_MALFORMED); /* status[] says whose */
	arena_release(arena, mark);
}

static void answer(struct group *g, uint64_t start_ns)
{
	uint64_t compute_ns = clock_ns() - start_ns;

	for (unsigned i = 0; i < g->count; i++) {
		if (g->status[i] == VEIL_OK) {
			worker_send(g->service, g->req[i], g->reply[i], g->size, compute_ns);
			continue;
		}
		buffers_give(g->reply[i]);
		if (g->status[i] == VEIL_E_NOMEM)
			worker_refuse_busy(g->service, g->req[i]);
		else
			http_answer_text(g->req[i], worker_http_status(g->status[i]),
				"Query: a residue is not below q (parameter set %s)",
				g->s->ctx->spec.params->name);
	}
}

static void run_group(struct group *g, const struct pool_job *job, uint64_t start_ns)
{
	for (uint32_t i = 0; i < g->shards; i++) {
		size_t mark = arena_mark(&g->worker->arena);
		const void *shard = snapshot_shard_take(g->s, g->first + i, &g->worker->arena);

		arena_release(&g->worker->arena, mark);
		if (i == 0)
			gather(g, job);
		if (shard && g->count > 0)
			pass(g, i, shard);
		if (shard)
			snapshot_shard_give(g->s, g->first + i);
		else
			for (unsigned k = 0; k < g->count; k++)
				g->status[k] = VEIL_E_NOMEM;
		if (!shard || g->count == 0)
			break;
	}
	answer(g, start_ns);
}

/* Which shards that is; false if there are none such, or too many for one reply. */
static bool find_shards(struct group *g)
{
	const struct service *service = g->service;

	g->first = g->target == WIRE_ALL_SHARDS ? 0 : g->target;
	g->shards = g->target == WIRE_ALL_SHARDS ? g->s->index->shards : 1;
	g->size = g->shards * g->s->reply_bytes;
	return g->first < g->s->index->shards &&
	       (g->target != WIRE_ALL_SHARDS || g->size <= service->config->all_shards_limit);
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

	if (s && target->shard == WIRE_ALL_SHARDS)
		return error_set(err, VEIL_E_NOT_FOUND,
			"all %u shards at once are not answered here: their reply would be too large",
			(unsigned)s->index->shards);
	if (s)
		return error_set(err, VEIL_E_NOT_FOUND, "there is no shard %u; the index has %u",
			(unsigned)target->shard, (unsigned)s->index->shards);
	now = versions_current(&service->versions);
	if (job->keyed) {
		hash_hex(hex, now->index->id);
		st = error_set(err, VEIL_E_VERSION,
			"the query is for an index that is not served; fetch /v1/config again (served: %s)",
			hex);
	} else if (!worker_fit(w, now)) {
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
	uint64_t start = clock_ns();
	struct veil_error err = {{0}};
	struct target target;

	metrics_observe(service->metrics, METRICS_queue_seconds, start - job->since_ns);
	memcpy(&target, job->key, sizeof target);
	g.target = target.shard;
	g.s = job->keyed ? versions_find(&service->versions, target.index_id) : NULL;
	if (!g.s || !find_shards(&g)) {
		enum veil_status st = explain(service, g.worker, job, &target, g.s, &err);

		http_answer_text(job->job, worker_http_status(st), "%s", err.text);
	} else if (worker_fit(g.worker, g.s)) {
		run_group(&g, job, start);
	} else {
		worker_refuse_busy(service, job->job);
	}
	snapshot_release(g.s);
}
