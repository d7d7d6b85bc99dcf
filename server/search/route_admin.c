/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "search/service.h"

/* GET /live: the process answers. */
void route_live(void *state, struct http_request *req)
{
	(void)state;
	http_answer_text(req, 200, "live");
}

/* GET /ready: new clients are welcome. */
void route_ready(void *state, struct http_request *req)
{
	struct service *s = state;

	if (atomic_load(&s->ready))
		http_answer_text(req, 200, "ready");
	else
		http_answer_text(req, 503, "not ready");
}

/* GET /metrics: Prometheus text. */
void route_metrics(void *state, struct http_request *req)
{
	struct service *s = state;
	struct http_reply reply = {
		.status = 200, .content_type = "text/plain; version=0.0.4; charset=utf-8", .done = free};
	size_t limit = cache_limit(s->cache);
	char *text;

	metrics_set(s->metrics, METRICS_queue_depth, (int64_t)pool_depth(s->pool));
	metrics_set(s->metrics, METRICS_ready, atomic_load(&s->ready));
	metrics_set(s->metrics, METRICS_previous, versions_has_previous(&s->versions));
	metrics_set(s->metrics, METRICS_cache_bytes, (int64_t)cache_bytes(s->cache));
	metrics_set(s->metrics, METRICS_cache_limit_bytes, limit == SIZE_MAX ? 0 : (int64_t)limit);
	metrics_set(s->metrics, METRICS_buffer_bytes,
		(int64_t)(buffers_held_bytes(s->replies) + http_body_bytes(s->front)));
	metrics_set(s->metrics, METRICS_resident_bytes, metrics_resident_bytes());
	text = metrics_text(s->metrics, &reply.size);
	reply.body = reply.arg = text;
	if (text)
		http_answer(req, &reply);
	else
		http_answer_text(req, 500, "no memory for the metrics");
}
