/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_HTTP_INSIDE_H
#define KIT_HTTP_INSIDE_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "kit/clock.h"
#include "kit/deadline.h"
#include "kit/guard.h"
#include "kit/http.h"
#include "kit/listen.h"

/* What the parts of the HTTP server share: http.c (the server and its connections), http_request.c (a
 * request, from its head to the end of its body), http_reply.c (what leaves). For nobody else. */

#define HTTP_TEXT_SIZE 640

enum http_phase { PHASE_HEAD, PHASE_BODY, PHASE_WAITING, PHASE_ANSWERED, PHASE_SENT };

struct http_request {
	struct http *http;
	struct MHD_Connection *connection;
	enum http_phase phase;
	struct guard guard;
	const struct http_route *route;
	char tail[72];
	uint64_t start_ns; /* of the request line */
	uint64_t arrived_ns; /* the last byte of the body */
	uint8_t *body; /* from http->bodies, or grown */
	size_t room; /* of a grown body */
	bool starved; /* there was no memory for more of it */
	size_t limit; /* bytes of the body */
	size_t size;
	size_t excess; /* bytes beyond the limit that were thrown away */
	void (*wrap)(void *arg, struct http_request *req, const struct http_reply *reply); /* NULL: none */
	void *wrap_arg;
	struct bytes inner; /* in `body`, while there is a wrap */
	bool close; /* the connection ends with the reply */
	struct http_reply reply;
	char text[HTTP_TEXT_SIZE];
};

/* HTTP/1.1 has one request at a time on a connection. */
struct http_connection {
	struct deadline deadline;
	bool linger;
	struct http_request request;
};

struct http {
	struct http_options options;
	struct listen_socket listen;
	struct MHD_Daemon *daemon;
	struct deadlines *deadlines;
	struct buffers *bodies;
	struct release *release; /* NULL: replies leave when they are ready */
	atomic_size_t body_limit; /* of routes with HTTP_LIMIT_SET */
	atomic_size_t grown; /* bytes of bodies with body_grows */
	atomic_uint open; /* connections */
	atomic_bool quiet; /* every reply closes its connection */
};

static inline uint64_t http_after_ms(uint64_t from_ns, unsigned ms)
{
	return from_ns + (uint64_t)ms * 1000000;
}

static inline void http_count(const struct http *http, unsigned value, int64_t n)
{
	if (http->options.metrics)
		metrics_add(http->options.metrics, value, n);
}

/** NULL if there was no memory for it. */
static inline struct http_connection *http_connection_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* Callbacks of the library, `cls` is a struct http: the request line is there; the head, then pieces of the
 * body, then its end, then the answer are; the request is over. */
void *http_see_target(void *cls, const char *target, struct MHD_Connection *c);
enum MHD_Result http_on_request(void *cls, struct MHD_Connection *c, const char *path, const char *method,
	const char *version, const char *data, size_t *size, void **context);
void http_on_completed(
	void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code);

/** Makes room for `size` bytes of the body. False if there is no memory for them. */
bool http_body_grow(struct http_request *req, size_t size);
/** Gives it back. */
void http_body_drop(struct http_request *req);

/** Hands the answer to the library. In its thread. */
enum MHD_Result http_reply_queue(struct http_request *req);
/** Lets an answer go that had to wait: the library calls http_on_request again. Any thread; the type is that
 * of a callback. */
void http_reply_resume(void *request);
/** Answers with a sentence, and a header if `name` is not NULL. */
void http_reply_text(
	struct http_request *req, unsigned status, const char *name, const char *value, const char *text);

#endif
