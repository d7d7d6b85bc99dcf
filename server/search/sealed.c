/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/error.h"
#include "base/require.h"
#include "kit/clock.h"
#include "search/service.h"
#include "silent/answer.h"

/* POST /v1/sealed: a sealed search reads all shards, so those of one version that wait are answered by one
 * pass over the table. Any bytes of the right size are a query. */

_Static_assert(SILENT_MAX_QUERIES == WORKER_GROUP, "a group is a pass");

/* What the key of a job says; no query of a shard has such a key. */
struct target {
	uint8_t index_id[HASH_BYTES];
	uint8_t sealed[POOL_KEY_BYTES - HASH_BYTES];
};

struct group {
	struct service *service;
	struct snapshot *s;
	unsigned count;
	struct http_request *req[WORKER_GROUP];
	uint8_t *reply[WORKER_GROUP]; /* from service->replies */
	uint8_t *halves[WORKER_GROUP]; /* where they go in it */
	const uint8_t *query[WORKER_GROUP];
};

size_t sealed_room(const struct snapshot *s)
{
	const struct silent_context *ctx = s->sealed->sealed->ctx;

	return silent_answer_room(ctx, WORKER_GROUP) + silent_answer_scratch(ctx, WORKER_GROUP);
}

/* Reads a query, takes room for its reply; or answers it at once. */
static void add(struct group *g, const struct pool_job *job)
{
	const struct snapshot *s = g->s;
	struct http_request *req = job->job;
	struct bytes body = http_body(req), queries;
	struct veil_error err = {{0}};
	uint8_t id[HASH_BYTES], *out;
	enum veil_status st = wire_retrieve_read(&s->retrieval, id, &queries, body.data, body.size, &err);

	metrics_observe(g->service->metrics, METRICS_queue_seconds, clock_ns() - job->since_ns);
	if (st != VEIL_OK) {
		http_answer_text(req, worker_http_status(st), "%s", err.text);
		return;
	}
	out = http_expired(req) ? NULL : worker_take_buffer(g->service, s->sealed_reply_bytes);
	if (!out) {
		worker_refuse_busy(g->service, req);
		return;
	}
	g->reply[g->count] = out;
	g->halves[g->count] = wire_retrieved_frame(&s->retrieval, out, s->index->id);
	g->query[g->count] = queries.data;
	g->req[g->count++] = req;
}

static void answer(struct group *g, struct arena *arena)
{
	const struct store_sealed *sealed = g->s->sealed;
	const struct silent_context *ctx = sealed->sealed->ctx;
	struct silent_answer a;

	silent_answer_prepare(&a, ctx, g->query, g->count, arena);
	for (uint32_t k = 0; k < ctx->spec.packs; k++) {
		silent_answer_pack(&a, g->halves, &sealed->pack[k], arena);
		for (unsigned v = 0; v < g->count; v++)
			g->halves[v] += ctx->short_bytes;
	}
	metrics_add(g->service->metrics, METRICS_passes, 1);
}

static void run_group(struct group *g, struct worker *w, const struct pool_job *job)
{
	const uint64_t start = clock_ns();
	struct pool_job others[WORKER_GROUP - 1];
	size_t more = pool_take_alike(g->service->pool, job, others, WORKER_GROUP - 1);

	add(g, job);
	for (size_t i = 0; i < more; i++)
		add(g, others + i);
	if (g->count == 0)
		return;
	answer(g, &w->arena);
	for (unsigned v = 0; v < g->count; v++)
		worker_send(g->service, g->req[v], g->reply[v], g->s->sealed_reply_bytes, clock_ns() - start);
}

/* Why it is not answered: of another version, or of none that can be read. */
static void explain(struct service *service, const struct pool_job *job)
{
	struct snapshot *now = versions_current(&service->versions);
	struct bytes body = http_body(job->job), queries;
	struct veil_error err = {{0}};
	uint8_t id[HASH_BYTES];
	enum veil_status st;

	if (!now->sealed)
		st = error_set(&err, VEIL_E_NOT_FOUND, "the index has no sealed search");
	else
		st = wire_retrieve_read(&now->retrieval, id, &queries, body.data, body.size, &err);
	if (st == VEIL_OK)
		st = error_set(&err, VEIL_E_VERSION,
			"the query is for an index that is not served; fetch /v1/config again");
	http_answer_text(job->job, worker_http_status(st), "%s", err.text);
	snapshot_release(now);
}

static void run(void *state, unsigned number, const struct pool_job *job)
{
	struct service *service = state;
	struct worker *w = service->workers + number;
	struct group g = {.service = service};
	struct target target;

	memcpy(&target, job->key, sizeof target);
	g.s = job->keyed ? versions_find(&service->versions, target.index_id) : NULL;
	if (!g.s || !g.s->sealed)
		explain(service, job);
	else if (worker_fit(w, g.s))
		run_group(&g, w, job);
	else
		worker_refuse_busy(service, job->job);
	snapshot_release(g.s);
}

/* Alike are all of one version. */
static struct pool_job make_job(struct http_request *req)
{
	struct bytes body = http_body(req);
	struct pool_job job = {.job = req, .run = run};
	struct target target = {.sealed = "sealed"};

	job.keyed = wire_retrieve_target(target.index_id, body.data, body.size);
	memcpy(job.key, &target, sizeof target);
	return job;
}

/* Only the queue is looked at here, in the thread that reads sockets. */
void route_sealed(void *state, struct http_request *req)
{
	struct service *s = state;
	struct pool_job job = make_job(req);

	if (!pool_submit(s->pool, &job))
		worker_refuse_busy(s, req);
}
