/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_GUARD_H
#define KIT_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is refused before a byte of a body is read. libmicrohttpd 0.9.75 takes several heads that other HTTP
 * parsers read differently (two Content-Length, Content-Length with Transfer-Encoding, a space before the
 * colon); the difference lets one client's bytes become another's request behind a shared front. Every such
 * head is refused with 400 and the connection closed, so that what follows is never executed. Folded lines,
 * bare LF and NUL in a value cannot be seen through the library; the front refuses or rewrites those
 * (docs/operating.md). Source: RFC 9112 sections 3.2, 5.1, 6.1, 6.3, 11.2. */

struct guard {
	unsigned content_lengths;
	unsigned content_types;
	unsigned hosts;
	unsigned authorizations;
	unsigned transfer_encodings;
	uint64_t content_length;
	bool chunked;
	bool encoded; /* a Content-Encoding: the caller answers 415 */
	const char *reason; /* the first thing that was wrong: a static sentence; NULL if nothing */
};

/** Starts a head; `target` is the request target as it came, before any decoding. Only paths of letters,
 * digits and / . _ - pass: no escapes, no query string, no absolute form. */
void guard_init(struct guard *g, const char *target);
/** One header line, value trimmed. */
void guard_header(struct guard *g, const char *name, size_t name_size, const char *value, size_t value_size);
/** After the last line; `version` is "HTTP/1.1". The reason, or NULL for a head that may be answered. */
const char *guard_verdict(struct guard *g, const char *version);
/** A body was announced (which may be of size 0 if chunked). */
bool guard_has_body(const struct guard *g);

#endif
