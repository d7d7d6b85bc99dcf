/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_TRANSPORT_H
#define SDK_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "veil/status.h"

struct transport_request {
	const char *path; /* "/v1/config" */
	struct bytes body; /* POST if there is one (body.data not NULL), GET otherwise */
	size_t limit_bytes; /* a larger reply body is refused while it arrives */
	uint32_t timeout_ms; /* from connecting to the last byte */
};

struct transport_reply {
	unsigned code; /* HTTP status */
	char type[64]; /* media type, lower case, without parameters; "" if the server gave none */
	uint8_t *body; /* owned: transport_reply_clear */
	size_t size;
	double server_us; /* header Veil-Server-Us of the reply; negative where there is none */
	double elapsed_us;
};

/** Accepts NULL and zeroed objects. */
void transport_reply_clear(struct transport_reply *reply);

/** Seam: how one request reaches the server and one reply comes back. Whoever implements it never sends a
 * request a second time, follows no redirect and keeps nothing between two exchanges by which the server
 * could link them. */
struct transport {
	/** VEIL_OK when a whole reply of any HTTP status came within the limits. May be called by several
	 * threads. */
	enum veil_status (*exchange)(void *state, struct transport_reply *reply,
		const struct transport_request *request, struct veil_error *err);
	/** Accepts NULL. */
	void (*destroy)(void *state);
	void *state;
};

/** HTTP/1.1 over TCP ("http://host[:port]") or a Unix socket ("unix:/path"). Every exchange is a connection
 * of its own: no cookies, no User-Agent, no proxy from the environment. VEIL_E_INVALID / VEIL_E_UNSUPPORTED
 * for another url. */
enum veil_status transport_http_create(
	struct transport *out, const char *url, struct veil_error *err) VEIL_MUST_CHECK;

/** One exchange whose reply is what the protocol says: status 200, media type `type`, and, if `exact_bytes`
 * is not 0, a body of exactly so many bytes. Any other reply becomes an error, with the reason that the
 * server gave. */
enum veil_status transport_call(const struct transport *transport, struct transport_reply *reply,
	const struct transport_request *request, const char *type, size_t exact_bytes,
	struct veil_error *err) VEIL_MUST_CHECK;

#endif
