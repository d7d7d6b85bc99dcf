/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_HTTP_H
#define KIT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "kit/metrics.h"
#include "veil/status.h"

/* An HTTP/1.1 server on loopback behind a front: a table of routes, whole bodies, one reply a request. It
 * refuses what guard.h lists, bodies above the limit of their route, other media types, and cuts whoever is
 * too slow. libmicrohttpd is known only to http*.c. */

/** The most that an open connection takes, its head and what is being read included, but not the body. */
#define HTTP_CONNECTION_BYTES 36864

struct http;
struct http_request;

#define HTTP_LIMIT_SET SIZE_MAX /* as http_set_body_limit says */

struct http_route {
	const char *method; /* GET or POST */
	const char *path; /* "/v1/config"; one that ends in '/' stands for all below it */
	size_t body_limit; /* bytes of the body; 0: a request with a body is refused; HTTP_LIMIT_SET */
	const char *content_type; /* the body's, exactly; NULL: any */
	bool later; /* handle may return before the answer is given; else it must give it */
	void (*handle)(void *state, struct http_request *req);
	void *arg; /* for the handler: http_route_arg */
};

struct http_options {
	const char *address; /* listen.h */
	unsigned threads; /* that read and write sockets */
	unsigned connections; /* at once; one more cuts one without a request under way */
	unsigned receive_ms; /* for the head, and from the request line to the end of the body; idle time too
			      */
	unsigned total_ms; /* from the request line to the last byte of the reply */
	unsigned reply_ms; /* > 0: replies of `later` routes leave so long after their request had arrived,
			      not sooner, whatever they say */
	size_t body_limit; /* bytes of a body, for HTTP_LIMIT_SET */
	size_t body_memory; /* for all bodies together; beyond it 503 */
	bool body_grows; /* a body takes at most twice what has come of it (16 KiB at least), not its limit
			    from the start: for routes with many slow clients */
	const struct http_route *routes; /* outlive the server, as does state */
	size_t route_count;
	void *state;
	struct metrics *metrics; /* NULL: not counted */
};

/** Listens and serves from other threads at once. VEIL_E_INVALID, VEIL_E_IO, VEIL_E_NOMEM. */
enum veil_status http_create(
	struct http **out, const struct http_options *options, struct veil_error *err) VEIL_MUST_CHECK;
/** Where it listens, with the port that the system chose. */
const char *http_address(const struct http *http);
/** Of the routes with HTTP_LIMIT_SET; before it is called their limit is that of the options. Requests whose
 * head came before keep the old one. Any thread. */
void http_set_body_limit(struct http *http, size_t bytes);
/** Memory of the body buffers. */
size_t http_body_bytes(struct http *http);

/** Accepts no more connections; replies from now on close theirs, and a connection that brings no request
 * within half a second is ended as deadline.h says. */
void http_quiesce(struct http *http);
/** Waits until no connection is left, so that each request that was begun has its reply; false when
 * timeout_ms passed before. After http_quiesce. */
bool http_drain(struct http *http, unsigned timeout_ms);
/** Every request of a `later` route has been answered. Accepts NULL. */
void http_destroy(struct http *http);

/* For handlers. A request is valid until it is answered. */
struct bytes http_body(const struct http_request *req);
/** The same, for a handler that changes it in place. */
uint8_t *http_body_in_place(struct http_request *req);
/** What follows a path that ends in '/'; else "". */
const char *http_tail(const struct http_request *req);
/** Of its route. */
void *http_route_arg(const struct http_request *req);
/** A header line's value, NULL if there is none, "" if there are two. Only in the server's thread, before
 * `handle` returns. */
const char *http_header(const struct http_request *req, const char *name);
/** The address of the other end, IPv4 as ::ffff:a.b.c.d; zeros for a Unix socket. As http_header. */
void http_peer(const struct http_request *req, uint8_t address[16]);
/** clock_ns() when the request line had arrived. */
uint64_t http_start_ns(const struct http_request *req);
/** The client's time is up: an answer would reach nobody. */
bool http_expired(const struct http_request *req);

struct http_reply {
	unsigned status;
	const char *content_type; /* static */
	const void *body;
	size_t size;
	void (*done)(void *arg); /* called once when `body` is no longer needed; NULL: it is static */
	void *arg;
	const char *header; /* one header more, static name; NULL: none */
	char header_value[64];
};

/** Answers, once. Any thread; the request is gone afterwards. The reply is not cached anywhere and has no
 * Content-Encoding: its size depends on nothing but `size`. */
void http_answer(struct http_request *req, const struct http_reply *reply);
/** A sentence as text/plain, for errors. */
void http_answer_text(struct http_request *req, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** 503 with Retry-After. */
void http_answer_busy(struct http_request *req);

/** The request brought another one inside: from now on body (a part of the real one) and tail are that one's,
 * and its answer goes to `wrap` (any thread), which gives the real answer with http_answer and calls
 * reply->done as soon as it has no need of the body. The request's route and its deadlines stay. */
void http_unwrap(struct http_request *req, struct bytes body, const char *tail,
	void (*wrap)(void *arg, struct http_request *req, const struct http_reply *reply), void *arg);

#endif
