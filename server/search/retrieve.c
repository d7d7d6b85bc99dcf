/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/error.h"
#include "base/require.h"
#include "kit/clock.h"
#include "search/service.h"
#include "silent/answer.h"
#include "wire/messages.h"

/* POST /v1/retrieve: all retrievals of one client from the tables of a collection, those of one table four to
 * a pass. Any bytes of the right size are queries. */

size_t retrieve_room(const struct snapshot *s)
{
	size_t room = 0;

	for (unsigned t = 0; t < s->tables->tables; t++) {
		const struct silent_context *ctx = s->tables->table[t].ctx;
		const size_t one = silent_answer_room(ctx, SILENT_MAX_QUERIES) +
				   silent_answer_scratch(ctx, SILENT_MAX_QUERIES);

		room = one > room ? one : room;
	}
	return room;
}

/* `count` queries of table t that follow each other. */
static void answer_some(const struct snapshot *s, unsigned t, const uint8_t *queries, uint8_t *replies,
	unsigned count, struct arena *arena)
{
	const struct store_kv_table *table = &s->tables->table[t];
	const struct silent_context *ctx = table->ctx;
	const uint8_t *query[SILENT_MAX_QUERIES];
	uint8_t *reply[SILENT_MAX_QUERIES];
	struct silent_answer a;

	for (unsigned v = 0; v < count; v++) {
		query[v] = queries + v * ctx->query_bytes;
		reply[v] = replies + v * ctx->reply_bytes;
	}
	silent_answer_prepare(&a, ctx, query, count, arena);
	for (uint32_t p = 0; p < ctx->spec.packs; p++) {
		silent_answer_pack(&a, reply, &table->packs[p], arena);
		for (unsigned v = 0; v < count; v++)
			reply[v] += ctx->short_bytes;
	}
	arena_reset(arena);
}

static void answer(struct service *service, const struct snapshot *s, const uint8_t *queries,
	uint8_t *replies, struct arena *arena)
{
	for (unsigned t = 0; t < s->lookup.tables; t++)
		for (unsigned at = 0; at < s->lookup.table[t].lookups; at += SILENT_MAX_QUERIES) {
			const unsigned left = s->lookup.table[t].lookups - at;

			answer_some(s, t, queries + wire_retrieval_query_at(&s->lookup, t, at),
				replies + wire_retrieval_reply_at(&s->lookup, t, at),
				left < SILENT_MAX_QUERIES ? left : SILENT_MAX_QUERIES, arena);
			metrics_add(service->metrics, METRICS_passes, 1);
		}
}

static void run_one(struct service *service, struct worker *w, struct snapshot *s, struct http_request *req)
{
	const uint64_t start = clock_ns();
	struct bytes body = http_body(req), queries;
	struct veil_error err = {{0}};
	uint8_t id[HASH_BYTES], *out;
	enum veil_status st = wire_retrieve_read(&s->lookup, id, &queries, body.data, body.size, &err);

	if (st != VEIL_OK) {
		http_answer_text(req, worker_http_status(st), "%s", err.text);
		return;
	}
	out = http_expired(req) ? NULL : worker_take_buffer(service, s->lookup_reply_bytes);
	if (!out) {
		worker_refuse_busy(service, req);
		return;
	}
	answer(service, s, queries.data, wire_retrieved_frame(&s->lookup, out, s->tables->id), &w->arena);
	worker_send(service, req, out, s->lookup_reply_bytes, clock_ns() - start);
}

/* Why it is not answered: of another version, or of none that can be read. */
static void explain(struct service *service, const struct pool_job *job)
{
	struct snapshot *now = versions_current(&service->versions);
	struct bytes body = http_body(job->job), queries;
	struct veil_error err = {{0}};
	uint8_t id[HASH_BYTES];
	enum veil_status st;

	if (!now->tables)
		st = error_set(&err, VEIL_E_NOT_FOUND, "no collection is served here (veild --collection)");
	else
		st = wire_retrieve_read(&now->lookup, id, &queries, body.data, body.size, &err);
	if (st == VEIL_OK)
		st = error_set(&err, VEIL_E_VERSION,
			"the request is for a collection that is not served; fetch /v1/collection again");
	http_answer_text(job->job, worker_http_status(st), "%s", err.text);
	snapshot_release(now);
}

static void run(void *state, unsigned number, const struct pool_job *job)
{
	struct service *service = state;
	struct worker *w = service->workers + number;
	uint8_t id[HASH_BYTES];
	struct snapshot *s;

	metrics_observe(service->metrics, METRICS_queue_seconds, clock_ns() - job->since_ns);
	memcpy(id, job->key, HASH_BYTES);
	s = job->keyed ? versions_find_tables(&service->versions, id) : NULL;
	if (!s)
		explain(service, job);
	else if (worker_fit(w, s))
		run_one(service, w, s, job->job);
	else
		worker_refuse_busy(service, job->job);
	snapshot_release(s);
}

/* Only the queue is looked at here, in the thread that reads sockets. */
void route_retrieve(void *state, struct http_request *req)
{
	static const char retrieve[POOL_KEY_BYTES - HASH_BYTES] = "kv"; /* no other job has such a key */
	struct service *s = state;
	struct bytes body = http_body(req);
	struct pool_job job = {.job = req, .run = run};

	job.keyed = wire_retrieve_target((uint8_t *)job.key, body.data, body.size);
	memcpy((uint8_t *)job.key + HASH_BYTES, retrieve, sizeof retrieve);
	if (!pool_submit(s->pool, &job))
		worker_refuse_busy(s, req);
}

/* GET /v1/collection: the same bytes for everybody. */
void route_collection(void *state, struct http_request *req)
{
	struct service *service = state;
	struct snapshot *s = versions_current(&service->versions);
	struct http_reply reply = {.status = 200,
		.content_type = WIRE_CONTENT_TYPE,
		.body = s->collection,
		.size = s->collection_size,
		.done = snapshot_release,
		.arg = s};

	if (s->tables) {
		http_answer(req, &reply);
		return;
	}
	snapshot_release(s);
	http_answer_text(req, 404, "no collection is served here (veild --collection)");
}
