/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/admin.h"

#include <stdlib.h>
#include <string.h>

#include "kit/lifecycle.h"
#include "kit/log.h"

#define CONNECTIONS 64
#define TIMEOUT_MS 10000

/* GET /live: the process answers. */
static void live(void *state, struct http_request *req)
{
	(void)state;
	http_answer_text(req, 200, "live");
}

static void ready(void *state, struct http_request *req)
{
	struct admin *a = state;

	if (atomic_load(&a->ready))
		http_answer_text(req, 200, "ready");
	else
		http_answer_text(req, 503, "not ready");
}

static void metrics(void *state, struct http_request *req)
{
	struct admin *a = state;
	struct http_reply reply = {
		.status = 200, .content_type = "text/plain; version=0.0.4; charset=utf-8", .done = free};
	char *text;

	metrics_set(a->metrics, METRICS_ready, atomic_load(&a->ready));
	metrics_set(a->metrics, METRICS_resident_bytes, metrics_resident_bytes());
	a->refresh(a->state);
	text = metrics_text(a->metrics, &reply.size);
	reply.body = reply.arg = text;
	if (text)
		http_answer(req, &reply);
	else
		http_answer_text(req, 500, "no memory for the metrics");
}

static const struct http_route routes[] = {
	{"GET", "/live", 0, NULL, false, live, NULL},
	{"GET", "/ready", 0, NULL, false, ready, NULL},
	{"GET", "/metrics", 0, NULL, false, metrics, NULL},
};

enum veil_status admin_start(struct admin *a, const char *address, struct veil_error *err)
{
	struct http_options o = {.address = address,
		.threads = 1,
		.connections = CONNECTIONS,
		.receive_ms = TIMEOUT_MS,
		.total_ms = TIMEOUT_MS,
		.routes = routes,
		.route_count = sizeof routes / sizeof *routes,
		.state = a};

	return strcmp(address, "off") == 0 ? VEIL_OK : http_create(&a->http, &o, err);
}

void admin_drain(struct admin *a, struct http *front, unsigned lame_duck_ms, unsigned drain_timeout_ms)
{
	if (!atomic_exchange(&a->ready, false))
		return;
	log_info("stopping: /ready fails, connections are accepted for %u ms more", lame_duck_ms);
	lifecycle_pause(lame_duck_ms);
	http_quiesce(front);
	if (!http_drain(front, drain_timeout_ms))
		log_warn("connections were still open after %u ms", drain_timeout_ms);
}

void admin_stop(struct admin *a)
{
	http_destroy(a->http);
	a->http = NULL;
}

const char *admin_address(const struct admin *a)
{
	return a->http ? http_address(a->http) : "off";
}
