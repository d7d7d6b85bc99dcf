/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_GATEWAY_H
#define SEARCH_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "kit/buffers.h"
#include "kit/http.h"
#include "search/config.h"
#include "search/metrics.h"
#include "veil/status.h"

/* The Oblivious HTTP gateway (RFC 9458): opens requests, which then are answered by veild's own routes, and
 * seals the answers. Its only target is itself; nothing is ever forwarded. */

struct gateway;

/** Reads the keys of config->gateway_keys, of which one must be active. `threads` use it at once. Made before
 * other threads are. */
enum veil_status gateway_create(struct gateway **out, const struct config *config, unsigned threads,
	struct metrics *metrics, struct veil_error *err) VEIL_MUST_CHECK;
/** No request is under way. Accepts NULL. */
void gateway_destroy(struct gateway *g);
/** Reads the keys again; on failure all stays as it is. */
enum veil_status gateway_reload(struct gateway *g, struct veil_error *err) VEIL_MUST_CHECK;
/** Forgets keys that are over, with their replay sets; now and then. */
void gateway_expire(struct gateway *g);
/** The most that replay sets take, two keys in use. */
size_t gateway_memory(const struct config *config);

/** application/ohttp-keys, for everybody the same; malloc'd. NULL: no key is active, or no memory. */
uint8_t *gateway_keys_body(struct gateway *g, size_t *size);

/** The largest sealed request whose content has up to `content` bytes. */
size_t gateway_request_bytes(size_t content);
/** The size of every sealed reply whose content has up to `content` bytes, whatever its suite and status. */
size_t gateway_reply_bytes(size_t content);
/** The size of the buffer that such a reply is made in. */
size_t gateway_buffer_bytes(size_t content);

/** Whether requests for that host[:port] are answered: all are without --gateway-authority. */
bool gateway_serves(const struct gateway *g, struct bytes authority);

/* What may be asked inside. */
struct gateway_target {
	const struct http_route *routes;
	size_t route_count;
	size_t request_bytes; /* for HTTP_LIMIT_SET */
	size_t reply_bytes; /* content of the replies that all others look like; larger ones show their class
			     */
	struct buffers *replies;
};

/** Opens the body of a request to /gateway, in place. The route to hand it to, as the request inside; NULL:
 * it has been answered. */
const struct http_route *gateway_open(
	struct gateway *g, struct http_request *req, const struct gateway_target *target);

#endif
