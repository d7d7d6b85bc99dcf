/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "ohttp/keyconfig.h"
#include "search/service.h"

/* A worker opens the request and hands it to its route, as if it had come by itself; a query goes through the
 * queue again, and finds company there. */
static void run(void *state, unsigned number, const struct pool_job *job)
{
	struct service *s = state;
	const struct gateway_target target = {.routes = inside_routes,
		.route_count = inside_route_count,
		.request_bytes = atomic_load(&s->query_bytes),
		.reply_bytes = atomic_load(&s->reply_bytes),
		.replies = s->replies};
	const struct http_route *route = gateway_open(s->gateway, job->job, &target);

	(void)number;
	if (route)
		route->handle(state, job->job);
}

/* POST /gateway: an encapsulated request (RFC 9458). */
void route_gateway(void *state, struct http_request *req)
{
	struct service *s = state;
	struct pool_job job = {.job = req, .run = run};

	if (!s->gateway) {
		http_answer_text(req, 404, "there is no gateway here");
		return;
	}
	if (pool_submit(s->pool, &job))
		return;
	metrics_add(s->metrics, METRICS_queue_full, 1);
	http_answer_busy(req);
}

/* GET /.well-known/ohttp-gateway (RFC 9540): the same bytes for everybody. */
void route_gateway_keys(void *state, struct http_request *req)
{
	struct service *s = state;
	struct http_reply reply = {.status = 200, .content_type = KEYCONFIG_MEDIA_TYPE, .done = free};

	if (!s->gateway) {
		http_answer_text(req, 404, "there is no gateway here");
		return;
	}
	reply.body = reply.arg = gateway_keys_body(s->gateway, &reply.size);
	if (reply.body)
		http_answer(req, &reply);
	else
		http_answer_text(req, 503, "the gateway has no key in force");
}
