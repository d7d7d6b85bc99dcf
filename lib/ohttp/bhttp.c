/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/bhttp.h"

#include <string.h>

#include "base/error.h"
#include "base/require.h"
#include "ohttp/varint.h"

/* The parser, and the reader of whole messages, which is the parser fed once. */

enum state { FRAMING, REQUEST_LINE, STATUS, SECTION, LINES, CONTENT_SIZE, CONTENT, PADDING };

void bhttp_parser_init(
	struct bhttp_parser *p, enum bhttp_kind kind, uint8_t *buffer, size_t limit_content_bytes)
{
	*p = (struct bhttp_parser){.kind = kind,
		.buffer = buffer,
		.capacity = buffer ? BHTTP_MAX_SECTION_BYTES : 0,
		.content_room = limit_content_bytes};
}

/* What one look at contiguous bytes gives. */
enum look { COMPLETE, CUT, WRONG };

/* An item is one varint (`strings` 0) or so many strings with their lengths, at most `limit` bytes in all.
 * The first varint goes to *number; where a first length is zero and `may_end`, the item ends there. */
struct item {
	size_t strings, limit;
	bool may_end;
	uint64_t number;
	struct bytes text[4];
	size_t used;
};

static enum look look(struct item *item, const uint8_t *data, size_t size)
{
	size_t at = 0;

	for (size_t i = 0; i < (item->strings ? item->strings : 1); i++) {
		uint64_t number;

		if (at == size || varint_width(data[at]) > size - at)
			return at == item->limit ? WRONG : CUT;
		number = varint_load(data + at);
		at += varint_width(data[at]);
		if (i == 0)
			item->number = number;
		if (item->strings == 0 || (i == 0 && number == 0 && item->may_end))
			break;
		if (at > item->limit || number > item->limit - at)
			return WRONG;
		if (number > size - at)
			return CUT;
		item->text[i] = (struct bytes){data + at, (size_t)number};
		at += (size_t)number;
	}
	item->used = at;
	return at > item->limit ? WRONG : COMPLETE;
}

static void skip(struct bytes *in, size_t size)
{
	in->data += size;
	in->size -= size;
}

/* Takes an item from the input, by way of the buffer where it comes in pieces. CUT: the input is used up. */
static enum look take(struct bhttp_parser *p, struct bytes *in, struct item *item)
{
	size_t before = p->filled, more = in->size;
	enum look seen;

	if (before == 0) {
		seen = look(item, in->data, in->size);
		if (seen == COMPLETE)
			skip(in, item->used);
		if (seen != CUT || in->size == 0)
			return seen;
	}
	if (more > p->capacity - before)
		more = p->capacity - before;
	if (more)
		memcpy(p->buffer + before, in->data, more);
	seen = look(item, p->buffer, before + more);
	if (seen == COMPLETE) {
		skip(in, item->used - before);
		p->spent = item->used; /* the text lives there until the next call */
	} else if (seen == CUT && more == in->size) {
		p->filled = before + more;
		skip(in, more);
	} else {
		seen = WRONG; /* no limit lets an item outgrow a buffer; there is none for whole messages */
	}
	return seen;
}

static const char *next_framing(struct bhttp_parser *p, uint64_t framing)
{
	if (framing > BHTTP_INDETERMINATE_RESPONSE)
		return "its framing indicator is none of 0 to 3";
	p->indeterminate = framing >= BHTTP_INDETERMINATE_REQUEST;
	if ((framing % 2 ? BHTTP_RESPONSE : BHTTP_REQUEST) != p->kind)
		return p->kind == BHTTP_REQUEST ? "a response where a request is due"
						: "a request where a response is due";
	p->state = p->kind == BHTTP_REQUEST ? REQUEST_LINE : STATUS;
	return NULL;
}

/* A field section begins. */
static void begin_section(struct bhttp_parser *p, bool informational, bool trailers)
{
	p->state = p->indeterminate ? LINES : SECTION;
	p->informational = informational;
	p->trailers = trailers;
	p->regular = false;
	p->fresh = true;
	p->section_left = BHTTP_MAX_SECTION_BYTES;
}

static void end_section(struct bhttp_parser *p)
{
	p->state = p->informational ? STATUS : p->trailers ? PADDING : CONTENT_SIZE;
	p->fresh = true;
}

static const char *next_status(struct bhttp_parser *p, uint64_t status, struct bhttp_event *event)
{
	if (status < 100 || status > 599)
		return "a status is not in 100..599";
	event->kind = status < 200 ? BHTTP_INFORMATIONAL : BHTTP_FINAL;
	event->status = (unsigned)status;
	begin_section(p, status < 200, false);
	return NULL;
}

static const char *next_line(struct bhttp_parser *p, const struct item *item, struct bhttp_event *event)
{
	const struct bhttp_field field = {item->text[0], item->text[1]};
	const char *fault;

	if (p->indeterminate && item->number == 0) {
		end_section(p);
		return NULL;
	}
	fault = bhttp_field_fault(&field, p->trailers, p->regular);
	if (fault)
		return fault;
	if (++p->fields > BHTTP_MAX_FIELDS)
		return "it has too many fields";
	p->regular = field.name.data[0] != ':';
	p->section_left -= item->used;
	event->kind = p->trailers ? BHTTP_TRAILER : BHTTP_HEADER;
	memcpy(event->text, item->text, sizeof event->text);
	if (!p->indeterminate && p->section_left == 0)
		end_section(p);
	return NULL;
}

static const char *next_content_size(struct bhttp_parser *p, uint64_t size)
{
	if (size > p->content_room)
		return "its content is longer than allowed, or cut off";
	p->content_room -= (size_t)size;
	p->content_left = size;
	if (size)
		p->state = CONTENT;
	else
		begin_section(p, false, true);
	return NULL;
}

static void next_content(struct bhttp_parser *p, struct bytes *in, struct bhttp_event *event)
{
	size_t piece = in->size < p->content_left ? in->size : (size_t)p->content_left;

	event->kind = BHTTP_CONTENT;
	event->text[0] = (struct bytes){in->data, piece};
	skip(in, piece);
	p->content_left -= piece;
	if (p->content_left)
		return;
	if (p->indeterminate)
		p->state = CONTENT_SIZE;
	else
		begin_section(p, false, true);
}

/* One step that may or may not give an event: NULL, or what is wrong. */
static const char *step(struct bhttp_parser *p, struct bytes *in, struct bhttp_event *event, bool *cut)
{
	struct item item = {.limit = BHTTP_MAX_SECTION_BYTES};

	if (p->state == CONTENT) {
		next_content(p, in, event);
		return NULL;
	}
	if (p->state == PADDING) {
		for (; in->size; skip(in, 1))
			if (*in->data)
				return "its padding is not zero";
		return NULL;
	}
	if (p->state == REQUEST_LINE) {
		item.strings = 4;
	} else if (p->state == LINES) {
		item.strings = 2;
		item.may_end = p->indeterminate;
		item.limit = p->section_left;
	}
	switch (take(p, in, &item)) {
	case WRONG:
		return p->state == LINES
			       ? "a field line is cut off, or longer than its section or than allowed"
			       : "it is cut off, or its control data is longer than allowed";
	case CUT:
		*cut = true;
		return NULL;
	default:
		break;
	}
	switch (p->state) {
	case FRAMING:
		return next_framing(p, item.number);
	case REQUEST_LINE:
		event->kind = BHTTP_CONTROL;
		memcpy(event->text, item.text, sizeof event->text);
		begin_section(p, false, false);
		return NULL;
	case STATUS:
		return next_status(p, item.number, event);
	case SECTION:
		if (item.number > BHTTP_MAX_SECTION_BYTES)
			return "a field section is longer than allowed";
		p->section_left = (size_t)item.number;
		p->state = LINES;
		if (item.number == 0)
			end_section(p);
		p->fresh = item.number == 0;
		return NULL;
	case LINES:
		p->fresh = false;
		return next_line(p, &item, event);
	default:
		p->fresh = false;
		return next_content_size(p, item.number);
	}
}

enum veil_status bhttp_next(
	struct bhttp_parser *p, struct bytes *in, struct bhttp_event *event, struct veil_error *err)
{
	bool cut = false;

	*event = (struct bhttp_event){0};
	while (in->size && !cut && event->kind == BHTTP_MORE) {
		const char *wrong;

		if (p->spent) /* what is left of the buffer was given back to the input */
			p->spent = p->filled = 0;
		wrong = step(p, in, event, &cut);
		if (wrong)
			return error_set(err, VEIL_E_MALFORMED, "binary HTTP: %s", wrong);
	}
	return VEIL_OK;
}

enum veil_status bhttp_end(const struct bhttp_parser *p, struct veil_error *err)
{
	bool whole = p->state == PADDING;

	/* 3.8: empty sections at the end may be left out, an informational one is not at the end */
	if (p->state == SECTION || p->state == LINES || p->state == CONTENT_SIZE)
		whole = p->fresh && !p->informational && (p->filled == 0 || p->spent);
	return whole ? VEIL_OK : error_set(err, VEIL_E_MALFORMED, "binary HTTP: the message is cut off");
}

static void keep_field(struct bhttp_message *m, const struct bhttp_event *event)
{
	REQUIRE(m->header_count + m->trailer_count < BHTTP_MAX_FIELDS);
	m->fields[m->header_count + m->trailer_count] = (struct bhttp_field){event->text[0], event->text[1]};
	*(event->kind == BHTTP_HEADER ? &m->header_count : &m->trailer_count) += 1;
}

static void keep(struct bhttp_message *m, const struct bhttp_event *event, uint8_t *data)
{
	switch (event->kind) {
	case BHTTP_CONTROL:
		m->method = event->text[0], m->scheme = event->text[1];
		m->authority = event->text[2], m->path = event->text[3];
		break;
	case BHTTP_FINAL:
		m->status = event->status;
		m->header_count = 0; /* those of informational responses */
		break;
	case BHTTP_HEADER:
	case BHTTP_TRAILER:
		keep_field(m, event);
		break;
	case BHTTP_CONTENT: /* behind the piece before it, over the length between them */
		if (m->content.size == 0)
			m->content.data = event->text[0].data;
		else
			memmove(data + (m->content.data - data) + m->content.size, event->text[0].data,
				event->text[0].size);
		m->content.size += event->text[0].size;
		break;
	default:
		break;
	}
}

enum veil_status bhttp_read(
	struct bhttp_message *m, enum bhttp_kind kind, uint8_t *data, size_t size, struct veil_error *err)
{
	struct bytes in = {data, size};
	struct bhttp_parser p;
	struct bhttp_event event;
	enum veil_status st;

	*m = (struct bhttp_message){0};
	bhttp_parser_init(&p, kind, NULL, size);
	do {
		st = bhttp_next(&p, &in, &event, err);
		if (st == VEIL_OK)
			keep(m, &event, data);
	} while (st == VEIL_OK && in.size);
	if (st == VEIL_OK)
		st = bhttp_end(&p, err);
	if (st != VEIL_OK)
		*m = (struct bhttp_message){0};
	return st;
}
