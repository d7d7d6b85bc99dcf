/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/http.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/require.h"
#include "kit/admit.h"
#include "kit/buffers.h"
#include "kit/clock.h"
#include "kit/deadline.h"
#include "kit/guard.h"
#include "kit/listen.h"
#include "kit/release.h"

#define HEAD_MEMORY 32768 /* of a connection, for its head and for reading; a larger head gets 431 */
#define SPARE_CONNECTIONS                                                                \
	64 /* beyond the limit, each at the cost of one that dawdles and is about to end \
	    */
#define SWALLOW_BYTES (16u << 20) /* of a chunked body above its limit before the connection is cut */
#define TEXT_SIZE 640
#define RETRY_AFTER "1"

enum phase { PHASE_HEAD, PHASE_BODY, PHASE_WAITING, PHASE_ANSWERED, PHASE_SENT };

struct http_request {
	struct http *http;
	struct MHD_Connection *connection;
	enum phase phase;
	struct guard guard;
	const struct http_route *route;
	char tail[72];
	uint64_t start_ns; /* of the request line */
	uint64_t arrived_ns; /* the last byte of the body */
	uint8_t *body; /* from http->bodies */
	size_t limit; /* bytes of the body */
	size_t size;
	size_t excess; /* bytes beyond the limit that were thrown away */
	bool counted; /* in http->active */
	bool close; /* the connection ends with the reply */
	struct http_reply reply;
	char text[TEXT_SIZE];
};

/* HTTP/1.1 has one request at a time on a connection. */
struct connection {
	struct deadline deadline;
	bool linger;
	struct http_request request;
};

_Static_assert(HEAD_MEMORY + sizeof(struct connection) + 2048 <= HTTP_CONNECTION_BYTES,
	"and room for what the library keeps beside the head");

struct http {
	struct http_options options;
	struct listen_socket listen;
	struct MHD_Daemon *daemon;
	struct deadlines *deadlines;
	struct buffers *bodies;
	struct release *release; /* NULL: replies leave when they are ready */
	atomic_size_t body_limit; /* of routes with HTTP_LIMIT_SET */
	atomic_uint active; /* requests between their head and the last byte of their reply */
	atomic_uint open; /* connections */
	atomic_bool quiet;
};

static void count(const struct http *http, enum metrics_value value, int64_t n)
{
	if (http->options.metrics)
		metrics_add(http->options.metrics, value, n);
}

static uint64_t after_ms(uint64_t from_ns, unsigned ms)
{
	return from_ns + (uint64_t)ms * 1000000;
}

static struct connection *connection_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* --- the reply --- */

static enum MHD_Result queue_reply(struct http_request *req)
{
	const struct http_reply *r = &req->reply;
	struct MHD_Response *m;
	enum MHD_Result ok;
	void *body;

	buffers_give(req->body);
	req->body = NULL;
	memcpy(&body, &r->body, sizeof body); /* the library only reads it, but its type does not say so */
	m = MHD_create_response_from_buffer_with_free_callback_cls(r->size, body, r->done, r->arg);
	if (!m) {
		if (r->done)
			r->done(r->arg);
		req->reply.done = NULL;
		return MHD_NO;
	}
	req->reply.done = NULL; /* the response owns the body now */
	req->phase = PHASE_SENT;
	ok = MHD_add_response_header(m, "Content-Type", r->content_type);
	if (ok)
		ok = MHD_add_response_header(m, "Cache-Control", "no-store");
	if (ok && r->header)
		ok = MHD_add_response_header(m, r->header, r->header_value);
	if (ok && (req->close || atomic_load(&req->http->quiet)))
		ok = MHD_add_response_header(m, "Connection", "close");
	if (ok)
		ok = MHD_queue_response(req->connection, r->status, m);
	MHD_destroy_response(m);
	count(req->http,
		r->status < 400 ? METRICS_responses_2xx
				: (r->status < 500 ? METRICS_responses_4xx : METRICS_responses_5xx),
		1);
	count(req->http, METRICS_bytes_out, (int64_t)r->size);
	return ok;
}

/* The handler is called again, in its own thread. */
static void resume(void *arg)
{
	MHD_resume_connection(((struct http_request *)arg)->connection);
}

void http_answer(struct http_request *req, const struct http_reply *reply)
{
	struct http *http = req->http;
	bool suspended = req->phase == PHASE_WAITING && req->route->later;

	REQUIRE(req->phase == PHASE_HEAD || req->phase == PHASE_WAITING);
	req->reply = *reply;
	req->phase = PHASE_ANSWERED;
	if (suspended && http->release) {
		uint64_t at_ns = after_ms(req->arrived_ns, http->options.reply_ms);

		if (clock_ns() > at_ns)
			count(http, METRICS_replies_late, 1);
		release_at(http->release, req, at_ns);
	} else if (suspended) {
		resume(req);
	}
}

/* A sentence, and a header if `name` is not NULL. */
static void answer_text(
	struct http_request *req, unsigned status, const char *name, const char *value, const char *text)
{
	struct http_reply reply = {.status = status,
		.content_type = "text/plain; charset=utf-8",
		.body = req->text,
		.header = name};

	if (name)
		snprintf(reply.header_value, sizeof reply.header_value, "%s", value);
	reply.size = (size_t)snprintf(req->text, sizeof req->text, "%.*s\n", (int)sizeof req->text - 2, text);
	http_answer(req, &reply);
}

void http_answer_text(struct http_request *req, unsigned status, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	answer_text(req, status, NULL, NULL, text);
}

void http_answer_busy(struct http_request *req)
{
	answer_text(req, 503, "Retry-After", RETRY_AFTER, "busy; try again later with a new query");
}

/* --- a request, from its head to its reply --- */

static void *see_target(void *cls, const char *target, struct MHD_Connection *c)
{
	struct http *http = cls;
	struct connection *conn = connection_of(c);

	if (!conn)
		return NULL;
	conn->request = (struct http_request){.http = http, .connection = c, .start_ns = clock_ns()};
	guard_init(&conn->request.guard, target);
	deadline_set(&conn->deadline, after_ms(conn->request.start_ns, http->options.receive_ms));
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
		answer_text(req, a.status, a.allow ? "Allow" : NULL, a.allow, a.reason);
	return a.route != NULL;
}

static enum MHD_Result begin(
	struct http_request *req, const char *path, const char *method, const char *version)
{
	struct http *http = req->http;
	const struct http_route *route;

	count(http, METRICS_requests, 1);
	atomic_fetch_add(&http->active, 1);
	req->counted = true;
	if (judge(req, path, method, version)) {
		route = req->route;
		snprintf(req->tail, sizeof req->tail, "%s", path + strlen(route->path));
		req->phase = PHASE_BODY;
		if (req->limit == 0)
			return MHD_YES;
		req->body = buffers_take(http->bodies, req->limit);
		if (req->body)
			return MHD_YES;
		count(http, METRICS_queue_full, 1);
		req->phase = PHASE_HEAD;
		http_answer_busy(req);
	}
	/* Nothing that follows this head is read, so nothing in it can be taken for a second request. */
	req->close = true;
	connection_of(req->connection)->linger = true;
	return queue_reply(req);
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
	if (n > 0)
		memcpy(req->body + req->size, data, n);
	req->size += n;
	*size = 0;
	return MHD_YES;
}

static enum MHD_Result finish(struct http_request *req)
{
	const struct http_route *route = req->route;
	struct http *http = req->http;

	req->arrived_ns = clock_ns();
	atomic_store_explicit(
		&connection_of(req->connection)->deadline.dawdling, false, memory_order_relaxed);
	deadline_set(
		&connection_of(req->connection)->deadline, after_ms(req->start_ns, http->options.total_ms));
	count(http, METRICS_bytes_in, (int64_t)(req->size + req->excess));
	if (req->excess > 0) {
		req->close = true;
		req->phase = PHASE_HEAD;
		http_answer_text(req, 413, "the body has more than %zu bytes", req->limit);
		return queue_reply(req);
	}
	req->phase = PHASE_WAITING;
	if (!route->later) {
		route->handle(http->options.state, req);
		REQUIRE(req->phase == PHASE_ANSWERED);
		return queue_reply(req);
	}
	/* First suspended, then handed over: a worker may have answered before handle returns. */
	MHD_suspend_connection(req->connection);
	route->handle(http->options.state, req);
	return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *path, const char *method,
	const char *version, const char *data, size_t *size, void **context)
{
	struct http_request *req = *context;

	(void)cls;
	(void)c;
	if (!req)
		return MHD_NO; /* no memory for the connection */
	switch (req->phase) {
	case PHASE_HEAD:
		return begin(req, path, method, version);
	case PHASE_BODY:
		return *size ? take_body(req, data, size) : finish(req);
	case PHASE_ANSWERED:
		return queue_reply(req);
	case PHASE_WAITING:
	case PHASE_SENT:
		break;
	}
	return MHD_NO;
}

static void on_completed(
	void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code)
{
	struct http *http = cls;
	struct http_request *req = *context;

	(void)code;
	if (!req)
		return;
	buffers_give(req->body);
	if (req->reply.done)
		req->reply.done(req->reply.arg); /* answered, but the client had gone */
	req->body = NULL;
	req->reply.done = NULL;
	if (req->counted)
		atomic_fetch_sub(&http->active, 1);
	req->counted = false;
	deadline_set(&connection_of(c)->deadline, after_ms(clock_ns(), http->options.receive_ms));
	*context = NULL;
}

/* --- connections --- */

static void on_connection(
	void *cls, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct http *http = cls;
	struct connection *conn = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *fd =
			MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

		conn = fd ? calloc(1, sizeof *conn) : NULL;
		*context = conn;
		if (!conn)
			return; /* its requests are refused */
		deadlines_add(http->deadlines, &conn->deadline, fd->connect_fd,
			after_ms(clock_ns(), http->options.receive_ms));
		count(http, METRICS_connections, 1);
		count(http, METRICS_connections_open, 1);
		if (atomic_fetch_add(&http->open, 1) >= http->options.connections)
			deadlines_cut_oldest(http->deadlines);
	} else if (conn) {
		deadlines_remove(http->deadlines, &conn->deadline, conn->linger);
		atomic_fetch_sub(&http->open, 1);
		free(conn);
		*context = NULL;
		count(http, METRICS_connections_open, -1);
	}
}

static void on_deadline(void *state)
{
	count(state, METRICS_deadlines, 1);
}

/* --- the server --- */

static enum veil_status start(struct http *http, struct veil_error *err)
{
	const struct http_options *o = &http->options;
	unsigned tick_ms = o->receive_ms / 8;
	enum veil_status st = buffers_create(&http->bodies, o->body_memory);

	if (st != VEIL_OK)
		return error_set(err, st, "no memory for body buffers");
	if (o->reply_ms > 0)
		st = release_create(&http->release, o->connections, resume, err);
	if (st != VEIL_OK)
		return st;
	tick_ms = tick_ms < 20 ? 20 : (tick_ms > 500 ? 500 : tick_ms);
	st = deadlines_create(&http->deadlines, tick_ms, on_deadline, http, err);
	if (st == VEIL_OK)
		st = listen_open(&http->listen, o->address, err);
	if (st != VEIL_OK)
		return st;
	http->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO, 0, NULL, NULL,
		on_request, http, MHD_OPTION_LISTEN_SOCKET, http->listen.fd, MHD_OPTION_CONNECTION_LIMIT,
		o->connections + SPARE_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_URI_LOG_CALLBACK, see_target, http,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
		http, MHD_OPTION_THREAD_POOL_SIZE, o->threads > 1 ? o->threads : 0u, MHD_OPTION_END);
	if (!http->daemon)
		return error_set(err, VEIL_E_IO, "the HTTP server on %s could not be started", o->address);
	return VEIL_OK;
}

enum veil_status http_create(struct http **out, const struct http_options *options, struct veil_error *err)
{
	struct http *http = calloc(1, sizeof *http);
	enum veil_status st;

	*out = NULL;
	if (!http)
		return error_set(err, VEIL_E_NOMEM, "no memory for the HTTP server");
	http->options = *options;
	atomic_init(&http->body_limit, options->body_limit);
	http->listen.fd = -1;
	st = start(http, err);
	if (st == VEIL_OK)
		*out = http;
	else
		http_destroy(http);
	return st;
}

const char *http_address(const struct http *http)
{
	return http->listen.address;
}

void http_set_body_limit(struct http *http, size_t bytes)
{
	atomic_store(&http->body_limit, bytes);
}

size_t http_body_bytes(struct http *http)
{
	return buffers_held_bytes(http->bodies);
}

void http_quiesce(struct http *http)
{
	atomic_store(&http->quiet, true);
	if (http->daemon && http->listen.fd >= 0)
		MHD_quiesce_daemon(http->daemon);
	listen_close(&http->listen);
}

bool http_drain(struct http *http, unsigned timeout_ms)
{
	uint64_t until = after_ms(clock_ns(), timeout_ms);

	while (atomic_load(&http->active) > 0) {
		if (clock_ns() >= until)
			return false;
		clock_sleep_ms(5);
	}
	return true;
}

void http_destroy(struct http *http)
{
	if (!http)
		return;
	http_quiesce(http);
	release_stop(http->release);
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	deadlines_destroy(http->deadlines);
	release_destroy(http->release);
	buffers_destroy(http->bodies);
	free(http);
}

/* --- for handlers --- */

struct bytes http_body(const struct http_request *req)
{
	return (struct bytes){req->body, req->size};
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
	return clock_ns() > after_ms(req->start_ns, req->http->options.total_ms);
}
