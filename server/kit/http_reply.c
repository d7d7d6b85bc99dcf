/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/require.h"
#include "kit/http_inside.h"
#include "kit/release.h"

#define RETRY_AFTER "1"

enum MHD_Result http_reply_queue(struct http_request *req)
{
	const struct http_reply *r = &req->reply;
	struct MHD_Response *m;
	enum MHD_Result ok;
	void *body;

	http_body_drop(req);
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
	if (atomic_load(&req->http->quiet)) {
		req->close = true;
		http_connection_of(req->connection)->linger = true; /* it may have sent more */
	}
	if (ok && req->close)
		ok = MHD_add_response_header(m, "Connection", "close");
	if (ok)
		ok = MHD_queue_response(req->connection, r->status, m);
	MHD_destroy_response(m);
	http_count(req->http,
		r->status < 400 ? METRICS_responses_2xx
				: (r->status < 500 ? METRICS_responses_4xx : METRICS_responses_5xx),
		1);
	http_count(req->http, METRICS_bytes_out, (int64_t)r->size);
	return ok;
}

/* The handler is called again, in its own thread. */
void http_reply_resume(void *request)
{
	MHD_resume_connection(((struct http_request *)request)->connection);
}

void http_answer(struct http_request *req, const struct http_reply *reply)
{
	struct http *http = req->http;
	bool suspended = req->phase == PHASE_WAITING && req->route->later;
	void (*wrap)(void *arg, struct http_request *req, const struct http_reply *reply) = req->wrap;

	if (wrap) {
		req->wrap = NULL;
		wrap(req->wrap_arg, req, reply);
		return;
	}
	REQUIRE(req->phase == PHASE_HEAD || req->phase == PHASE_WAITING);
	req->reply = *reply;
	req->phase = PHASE_ANSWERED;
	if (suspended && http->release) {
		uint64_t at_ns = http_after_ms(req->arrived_ns, http->options.reply_ms);

		if (clock_ns() > at_ns)
			http_count(http, METRICS_replies_late, 1);
		release_at(http->release, req, at_ns);
	} else if (suspended) {
		http_reply_resume(req);
	}
}

/* A sentence, and a header if `name` is not NULL. */
void http_reply_text(
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
	char text[HTTP_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	http_reply_text(req, status, NULL, NULL, text);
}

void http_answer_busy(struct http_request *req)
{
	http_reply_text(req, 503, "Retry-After", RETRY_AFTER, "busy; try again later with a new query");
}
