/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "kit/buffers.h"
#include "kit/http_inside.h"

#define LEAST_ROOM 16384 /* of a body that grows: what the library hands over at once */

/* Counts bytes in, unless that would be too many. */
static bool reserve(struct http *http, size_t bytes)
{
	size_t now = atomic_load(&http->grown);

	do {
		if (bytes > http->options.body_memory || now > http->options.body_memory - bytes)
			return false;
	} while (!atomic_compare_exchange_weak(&http->grown, &now, now + bytes));
	return true;
}

bool http_body_grow(struct http_request *req, size_t size)
{
	struct http *http = req->http;
	size_t most = req->guard.chunked ? req->limit : (size_t)req->guard.content_length, room;
	uint8_t *body;

	if (!http->options.body_grows) {
		if (!req->body && size > 0)
			req->body = buffers_take(http->bodies, size);
		return req->body;
	}
	if (size <= req->room)
		return true;
	room = 2 * req->room > size ? 2 * req->room : size;
	room = room > LEAST_ROOM ? room : LEAST_ROOM;
	room = room < most ? room : most;
	if (!reserve(http, room - req->room))
		return false;
	body = realloc(req->body, room);
	if (!body) {
		atomic_fetch_sub(&http->grown, room - req->room);
		return false;
	}
	req->body = body;
	req->room = room;
	return true;
}

void http_body_drop(struct http_request *req)
{
	if (!req->http->options.body_grows) {
		buffers_give(req->body);
	} else {
		free(req->body);
		atomic_fetch_sub(&req->http->grown, req->room);
		req->room = 0;
	}
	req->body = NULL;
}
