/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/http.h"

#include <stdlib.h>

#include "base/error.h"
#include "kit/buffers.h"
#include "kit/http_inside.h"
#include "kit/release.h"

#define HEAD_MEMORY 32768 /* of a connection, for its head and for reading; a larger head gets 431 */
#define ACCEPT_MS 200 /* for the library to accept what had come when it was told to stop */
#define IDLE_MS 500 /* once it has, for connections without a request to bring one */
/* Beyond the limit, each at the cost of one that is about to end; or all others have a request under way. */
#define SPARE_CONNECTIONS 64

_Static_assert(HEAD_MEMORY + sizeof(struct http_connection) + 2048 <= HTTP_CONNECTION_BYTES,
	"and room for what the library keeps beside the head");

static void on_connection(
	void *cls, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct http *http = cls;
	struct http_connection *conn = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *fd =
			MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

		conn = fd ? calloc(1, sizeof *conn) : NULL;
		*context = conn;
		if (!conn)
			return; /* its requests are refused */
		deadlines_add(http->deadlines, &conn->deadline, fd->connect_fd,
			http_after_ms(clock_ns(), http->options.receive_ms));
		http_count(http, METRICS_connections, 1);
		http_count(http, METRICS_connections_open, 1);
		if (atomic_fetch_add(&http->open, 1) >= http->options.connections)
			deadlines_make_room(http->deadlines, &conn->deadline);
	} else if (conn) {
		deadlines_remove(http->deadlines, &conn->deadline, conn->linger);
		atomic_fetch_sub(&http->open, 1);
		free(conn);
		*context = NULL;
		http_count(http, METRICS_connections_open, -1);
	}
}

static void on_deadline(void *state)
{
	http_count(state, METRICS_deadlines, 1);
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
		st = release_create(
			&http->release, o->connections + SPARE_CONNECTIONS, http_reply_resume, err);
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
		http_on_request, http, MHD_OPTION_LISTEN_SOCKET, http->listen.fd, MHD_OPTION_CONNECTION_LIMIT,
		o->connections + SPARE_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_URI_LOG_CALLBACK, http_see_target, http,
		MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, http, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, http, MHD_OPTION_THREAD_POOL_SIZE, o->threads > 1 ? o->threads : 0u,
		MHD_OPTION_END);
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
	atomic_init(&http->quiet, false);
	atomic_init(&http->grown, 0);
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
	return buffers_held_bytes(http->bodies) + atomic_load(&http->grown);
}

void http_quiesce(struct http *http)
{
	if (atomic_exchange(&http->quiet, true) || !http->daemon)
		return;
	listen_refuse(&http->listen);
	for (int i = 0; i < ACCEPT_MS && listen_waiting(&http->listen); i++)
		clock_sleep_ms(1);
	MHD_quiesce_daemon(http->daemon);
	listen_shut(&http->listen);
	deadlines_drain(http->deadlines, http_after_ms(clock_ns(), IDLE_MS));
}

bool http_drain(struct http *http, unsigned timeout_ms)
{
	uint64_t until = http_after_ms(clock_ns(), timeout_ms);

	while (!deadlines_drained(http->deadlines)) {
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
	listen_close(&http->listen);
	deadlines_destroy(http->deadlines);
	release_destroy(http->release);
	buffers_destroy(http->bodies);
	free(http);
}
