/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/require.h"
#include "ohttp/bhttp.h"
#include "ohttp/varint.h"

static bool is_indeterminate(enum bhttp_framing framing)
{
	return framing >= BHTTP_INDETERMINATE_REQUEST;
}

static size_t string_bytes(struct bytes s)
{
	return varint_bytes(s.size) + s.size;
}

static void put_string(struct writer *w, struct bytes s)
{
	varint_write(w, s.size);
	writer_bytes(w, s.data, s.size);
}

static size_t lines_bytes(const struct bhttp_field *fields, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += string_bytes(fields[i].name) + string_bytes(fields[i].value);
	return size;
}

/* With its length before it, or a zero behind it. */
static size_t section_bytes(enum bhttp_framing framing, const struct bhttp_field *fields, size_t count)
{
	size_t lines = lines_bytes(fields, count);

	return lines + (is_indeterminate(framing) ? 1 : varint_bytes(lines));
}

static void put_section(
	struct writer *w, enum bhttp_framing framing, const struct bhttp_field *fields, size_t count)
{
	if (!is_indeterminate(framing))
		varint_write(w, lines_bytes(fields, count));
	for (size_t i = 0; i < count; i++) {
		put_string(w, fields[i].name);
		put_string(w, fields[i].value);
	}
	if (is_indeterminate(framing))
		varint_write(w, 0);
}

void bhttp_put_framing(struct writer *w, enum bhttp_framing framing)
{
	varint_write(w, framing);
}

void bhttp_put_informational(struct writer *w, enum bhttp_framing framing, unsigned status,
	const struct bhttp_field *fields, size_t count)
{
	REQUIRE(status >= 100 && status <= 199);
	varint_write(w, status);
	put_section(w, framing, fields, count);
}

void bhttp_put_head(struct writer *w, enum bhttp_framing framing, const struct bhttp_message *m)
{
	if (framing % 2 == 0) {
		put_string(w, m->method);
		put_string(w, m->scheme);
		put_string(w, m->authority);
		put_string(w, m->path);
	} else {
		REQUIRE(m->status >= 200 && m->status <= 599);
		varint_write(w, m->status);
	}
	put_section(w, framing, m->fields, m->header_count);
}

void bhttp_put_content(struct writer *w, enum bhttp_framing framing, struct bytes content)
{
	if (content.size || !is_indeterminate(framing)) /* an empty chunk would end the content */
		put_string(w, content);
}

void bhttp_put_end(
	struct writer *w, enum bhttp_framing framing, const struct bhttp_field *trailers, size_t count)
{
	if (is_indeterminate(framing))
		varint_write(w, 0);
	put_section(w, framing, trailers, count);
}

size_t bhttp_bytes(const struct bhttp_message *m, enum bhttp_framing framing)
{
	size_t size = 1 + section_bytes(framing, m->fields, m->header_count) +
		      section_bytes(framing, m->fields + m->header_count, m->trailer_count);

	if (framing % 2 == 0)
		size += string_bytes(m->method) + string_bytes(m->scheme) + string_bytes(m->authority) +
			string_bytes(m->path);
	else
		size += varint_bytes(m->status);
	if (!is_indeterminate(framing))
		return size + string_bytes(m->content);
	return size + (m->content.size ? string_bytes(m->content) : 0) + 1;
}

void bhttp_write(uint8_t *out, size_t size, const struct bhttp_message *m, enum bhttp_framing framing)
{
	struct writer w;

	writer_init(&w, out, size);
	bhttp_put_framing(&w, framing);
	bhttp_put_head(&w, framing, m);
	bhttp_put_content(&w, framing, m->content);
	bhttp_put_end(&w, framing, m->fields + m->header_count, m->trailer_count);
	memset(out + w.at, 0, size - w.at);
}
