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
	const char *type; /* media type of the body; NULL: WIRE_CONTENT_TYPE */
	/** Makes the body anew, in place, before a second try where the first one cannot have been read (a
	 * key or a Date that the gateway refused): no query leaves twice. NULL: a request with a body is
	 * tried once. */
	enum veil_status (*renew)(void *arg, struct veil_error *err);
	void *renew_arg;
};

struct transport_reply {
	unsigned code; /* HTTP status */
	char type[64]; /* media type, lower case, without parameters; "" if the server gave none */
	uint8_t *body; /* owned: transport_reply_clear */
	size_t size;
	double server_us; /* header Veil-Server-Us of the reply; negative where there is none */
	double elapsed_us;
	double connected_us; /* of these, until connected, with TLS where there is TLS; 0: never was, also on
				failure */
	size_t bytes_up, bytes_down; /* HTTP bodies as they travelled, of all tries */
};

/** Accepts NULL and zeroed objects. */
void transport_reply_clear(struct transport_reply *reply);
/** Clears all but what tells how far the exchange came: code, connected_us. */
void transport_reply_fail(struct transport_reply *reply);

/** Seam: how one request reaches the server and one reply comes back. Whoever implements it never sends the
 * same bytes a second time, follows no redirect and keeps nothing between two exchanges by which the server
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

/** The same to a relay: https://host[:port][/path], verified by the certificates of the file `ca` or, NULL,
 * by the system's; http:// to this machine alone. *path gets what goes before every path, the caller's to
 * free; it is set to NULL or to be freed on failure too. */
enum veil_status transport_http_create_relay(struct transport *out, char **path, const char *url,
	const char *ca, struct veil_error *err) VEIL_MUST_CHECK;

/** What a status other than the one that was hoped for means, with the reason that was given, as an error:
 * `who` ("the server", "the relay") answered `path`. */
enum veil_status transport_refuse(const char *who, const char *path, const struct transport_reply *reply,
	struct veil_error *err) VEIL_MUST_CHECK;

/** One exchange whose reply is what the protocol says: status 200, media type `type`, and, if `exact_bytes`
 * is not 0, a body of exactly so many bytes. Any other reply becomes an error, with the reason that the
 * server gave; then it is as transport_reply_fail leaves it. */
enum veil_status transport_call(const struct transport *transport, struct transport_reply *reply,
	const struct transport_request *request, const char *type, size_t exact_bytes,
	struct veil_error *err) VEIL_MUST_CHECK;

#endif
