/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OHTTP_BHTTP_H
#define OHTTP_BHTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "veil/status.h"

/* Binary HTTP messages, RFC 9292. */

#define BHTTP_MAX_FIELDS 64 /* headers and trailers of a message, together */
#define BHTTP_MAX_SECTION_BYTES 16384 /* of its control data, and of each field section */
#define BHTTP_MEDIA_TYPE "message/bhttp"

/** The framing indicator. */
enum bhttp_framing {
	BHTTP_KNOWN_REQUEST,
	BHTTP_KNOWN_RESPONSE,
	BHTTP_INDETERMINATE_REQUEST,
	BHTTP_INDETERMINATE_RESPONSE,
};
enum bhttp_kind { BHTTP_REQUEST, BHTTP_RESPONSE };

struct bhttp_field {
	struct bytes name, value;
};

/* --- a whole message */

struct bhttp_message {
	struct bytes method, scheme, authority, path; /* of a request */
	unsigned status; /* of a response, 200..599 */
	size_t header_count, trailer_count;
	struct bhttp_field fields[BHTTP_MAX_FIELDS]; /* headers, then trailers, in their order */
	struct bytes content;
};

/** Reads a message of the given kind, of either framing, with any padding. `m` points into `data`, where
 * chunks of content are moved together. Informational responses are left out. VEIL_E_MALFORMED: it breaks a
 * rule of RFC 9292 or is beyond a limit; content is bounded by `size`. */
enum veil_status bhttp_read(struct bhttp_message *m, enum bhttp_kind kind, uint8_t *data, size_t size,
	struct veil_error *err) VEIL_MUST_CHECK;

/** The bytes of a message without padding (content of an indeterminate one as one chunk). */
size_t bhttp_bytes(const struct bhttp_message *m, enum bhttp_framing framing);
/** Writes it with zeros up to `size` bytes, which is at least bhttp_bytes(). */
void bhttp_write(uint8_t *out, size_t size, const struct bhttp_message *m, enum bhttp_framing framing);

/** The only header of that lower-case name; NULL where there is none or more than one (`count` says). */
const struct bhttp_field *bhttp_header(const struct bhttp_message *m, const char *name, size_t *count);
/** What a server must know of a request before it serves it: method a token, scheme http or https, a path
 * that begins with '/' and holds visible ASCII only, an authority (`authority` gets it, or the Host field's
 * value; both must agree). */
enum veil_status bhttp_check_request(
	const struct bhttp_message *m, struct bytes *authority, struct veil_error *err) VEIL_MUST_CHECK;
/** Drops the fields that belong to one connection (RFC 9110 7.6.1): they are legal, but go no further. */
void bhttp_drop_connection_fields(struct bhttp_message *m);

/* --- in pieces */

enum bhttp_event_kind {
	BHTTP_MORE, /* the input is used up */
	BHTTP_CONTROL, /* a request's control data: text[0..3] method, scheme, authority, path */
	BHTTP_INFORMATIONAL, /* a status of 100..199; headers that follow belong to it */
	BHTTP_FINAL, /* a status of 200..599 */
	BHTTP_HEADER, /* text[0] name, text[1] value */
	BHTTP_CONTENT, /* text[0], a piece of any size but zero */
	BHTTP_TRAILER,
};
struct bhttp_event {
	enum bhttp_event_kind kind;
	unsigned status;
	struct bytes text[4];
};

/** A parser of a message that arrives in pieces of any size. */
struct bhttp_parser {
	enum bhttp_kind kind;
	int state;
	bool indeterminate, informational, trailers, regular; /* regular: no pseudo-field may follow */
	bool fresh; /* nothing of this section or content was read: the message may end here */
	size_t fields, section_left, content_room;
	uint64_t content_left;
	uint8_t *buffer; /* for an item that is split, or NULL */
	size_t capacity, filled, spent;
};
/** `buffer` of BHTTP_MAX_SECTION_BYTES, the caller's; NULL where the first input is the whole message.
 * Content of more than `limit_content_bytes` is refused. */
void bhttp_parser_init(
	struct bhttp_parser *p, enum bhttp_kind kind, uint8_t *buffer, size_t limit_content_bytes);
/** The next event; moves `in` on. Its text points into the input or the buffer and lives until the next call.
 * After an error the parser is of no use. */
enum veil_status bhttp_next(struct bhttp_parser *p, struct bytes *in, struct bhttp_event *event,
	struct veil_error *err) VEIL_MUST_CHECK;
/** The input has ended: VEIL_E_MALFORMED where RFC 9292 3.8 does not let a message end. */
enum veil_status bhttp_end(const struct bhttp_parser *p, struct veil_error *err) VEIL_MUST_CHECK;

/** Writes in pieces, each in its order: framing, informational responses, head (control data and headers),
 * content (once, or in any number of chunks where indeterminate), end (trailers). The writer must have room.
 */
void bhttp_put_framing(struct writer *w, enum bhttp_framing framing);
void bhttp_put_informational(struct writer *w, enum bhttp_framing framing, unsigned status,
	const struct bhttp_field *fields, size_t count);
void bhttp_put_head(struct writer *w, enum bhttp_framing framing, const struct bhttp_message *m);
void bhttp_put_content(struct writer *w, enum bhttp_framing framing, struct bytes content);
void bhttp_put_end(
	struct writer *w, enum bhttp_framing framing, const struct bhttp_field *trailers, size_t count);

/** NULL, or what is wrong with a field line. */
const char *bhttp_field_fault(const struct bhttp_field *field, bool trailer, bool after_regular);

#endif
