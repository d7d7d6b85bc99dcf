/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/require.h"
#include "kit/admit.h"
#include "kit/http_inside.h"

#define SWALLOW_BYTES (16u << 20) /* of a chunked body above its limit before the connection is cut */

void *http_see_target(void *cls, const char *target, struct MHD_Connection *c)
{
	struct http *http = cls;
	struct http_connection *conn = http_connection_of(c);
	uint64_t now = clock_ns();

	if (!conn)
		return NULL;
	if (!deadline_begin(&conn->deadline, http_after_ms(now, http->options.receive_ms))) {
		conn->linger = true;
		return NULL;
	}
	conn->request = (struct http_request){.http = http, .connection = c, .start_ns = now};
	guard_init(&conn->request.guard, target);
	return &conn->request;
}

static enum MHD_Result see_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_size,
	const char *value, size_t value_size)
{
	(void)kind;
	guard_header(cls, name, name_size, value ? value : "", value_size);
	return MHD_YES;
}

/* Judges the head; true if the request may go on to its body. Else it has been answered. */
static bool judge(struct http_request *req, const char *path, const char *method, const char *version)
{
	const struct http_options *o = &req->http->options;
	struct admission a;

	MHD_get_connection_values_n(req->connection, MHD_HEADER_KIND, see_header, &req->guard);
	admit(&a, o->routes, o->route_count, atomic_load(&req->http->body_limit), &req->guard, path, method,
		version, MHD_lookup_connection_value(req->connection, MHD_HEADER_KIND, "Content-Type"));
	req->route = a.route;
	req->limit = a.limit;
	if (!a.route)
		http_reply_text(req, a.status, a.allow ? "Allow" : NULL, a.allow, a.reason);
	return a.route != NULL;
}

static enum MHD_Result begin(
	struct http_request *req, const char *path, const char *method, const char *version)
{
	struct http *http = req->http;
	const struct http_route *route;

	http_count(http, METRICS_requests, 1);
	if (judge(req, path, method, version)) {
		route = req->route;
		snprintf(req->tail, sizeof req->tail, "%s", path + strlen(route->path));
		req->phase = PHASE_BODY;
		if (req->limit == 0)
			return MHD_YES;
		if (http_body_grow(req, http->options.body_grows ? 0 : req->limit))
			return MHD_YES;
		http_count(http, METRICS_queue_full, 1);
		req->phase = PHASE_HEAD;
		http_answer_busy(req);
	}
	/* Nothing that follows this head is read, so nothing in it can be taken for a second request. */
	req->close = true;
	http_connection_of(req->connection)->linger = true;
	return http_reply_queue(req);
}

static enum MHD_Result take_body(struct http_request *req, const char *data, size_t *size)
{
	size_t n = *size, room = req->limit - req->size;

	if (req->excess > SWALLOW_BYTES)
		return MHD_NO;
	if (n > room) {
		req->excess += n - room;
		n = room;
	}
	req->starved = req->starved || !http_body_grow(req, req->size + n);
	if (n > 0 && !req->starved) {
		memcpy(req->body + req->size, data, n);
		req->size += n;
	}
	*size = 0;
	return MHD_YES;
}

static enum MHD_Result finish(struct http_request *req)
{
	const struct http_route *route = req->route;
	struct http *http = req->http;

	req->arrived_ns = clock_ns();
	atomic_store_explicit(
		&http_connection_of(req->connection)->deadline.dawdling, false, memory_order_relaxed);
	deadline_set(&http_connection_of(req->connection)->deadline,
		http_after_ms(req->start_ns, http->options.total_ms));
	http_count(http, METRICS_bytes_in, (int64_t)(req->size + req->excess));
	if (req->excess > 0) {
		req->close = true;
		req->phase = PHASE_HEAD;
		http_answer_text(req, 413, "the body has more than %zu bytes", req->limit);
		return http_reply_queue(req);
	}
	if (req->starved) {
		req->close = true;
		req->phase = PHASE_HEAD;
		http_count(http, METRICS_queue_full, 1);
		http_answer_busy(req);
		return http_reply_queue(req);
	}
	req->phase = PHASE_WAITING;
	if (!route->later) {
		route->handle(http->options.state, req);
		REQUIRE(req->phase == PHASE_ANSWERED);
		return http_reply_queue(req);
	}
	/* First suspended, then handed over: a worker may have answered before handle returns. */
	MHD_suspend_connection(req->connection);
	route->handle(http->options.state, req);
	return MHD_YES;
}

enum MHD_Result http_on_request(void *cls, struct MHD_Connection *c, const char *path, const char *method,
	const char *version, const char *data, size_t *size, void **context)
{
	struct http_request *req = *context;

	(void)cls;
	(void)c;
	if (!req)
		return MHD_NO; /* no memory for the connection, or it has been ended */
	switch (req->phase) {
	case PHASE_HEAD:
		return begin(req, path, method, version);
	case PHASE_BODY:
		return *size ? take_body(req, data, size) : finish(req);
	case PHASE_ANSWERED:
		return http_reply_queue(req);
	case PHASE_WAITING:
	case PHASE_SENT:
		break;
	}
	return MHD_NO;
}

void http_on_completed(
	void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code)
{
	struct http *http = cls;
	struct http_request *req = *context;

	(void)code;
	if (!req)
		return;
	http_body_drop(req);
	if (req->reply.done)
		req->reply.done(req->reply.arg); /* answered, but the client had gone */
	req->reply.done = NULL;
	deadline_idle(&http_connection_of(c)->deadline, http_after_ms(clock_ns(), http->options.receive_ms));
	*context = NULL;
}

struct bytes http_body(const struct http_request *req)
{
	return req->wrap ? req->inner : (struct bytes){req->body, req->size};
}

uint8_t *http_body_in_place(struct http_request *req)
{
	return req->body;
}

void http_unwrap(struct http_request *req, struct bytes body, const char *tail,
	void (*wrap)(void *arg, struct http_request *req, const struct http_reply *reply), void *arg)
{
	REQUIRE(req->phase == PHASE_WAITING && !req->wrap);
	req->inner = body;
	snprintf(req->tail, sizeof req->tail, "%s", tail);
	req->wrap = wrap;
	req->wrap_arg = arg;
}

void *http_route_arg(const struct http_request *req)
{
	return req->route->arg;
}

struct search {
	const char *name;
	const char *value;
	unsigned found;
};

static enum MHD_Result look(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct search *s = cls;

	(void)kind;
	if (strcasecmp(name, s->name) == 0) {
		s->found++;
		s->value = value;
	}
	return MHD_YES;
}

const char *http_header(const struct http_request *req, const char *name)
{
	struct search s = {.name = name};

	MHD_get_connection_values(req->connection, MHD_HEADER_KIND, look, &s);
	return s.found > 1 ? "" : s.value;
}

void http_peer(const struct http_request *req, uint8_t address[16])
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(req->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *a = info ? info->client_addr : NULL;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	memset(address, 0, 16);
	if (a && a->sa_family == AF_INET) {
		memcpy(&in, a, sizeof in);
		address[10] = address[11] = 0xff;
		memcpy(address + 12, &in.sin_addr, 4);
	} else if (a && a->sa_family == AF_INET6) {
		memcpy(&in6, a, sizeof in6);
		memcpy(address, &in6.sin6_addr, 16);
	}
}

const char *http_tail(const struct http_request *req)
{
	return req->tail;
}

uint64_t http_start_ns(const struct http_request *req)
{
	return req->start_ns;
}

bool http_expired(const struct http_request *req)
{
	return clock_ns() > http_after_ms(req->start_ns, req->http->options.total_ms);
}
