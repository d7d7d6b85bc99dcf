/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <string.h>

#include "base/require.h"

_Static_assert(sizeof(float) == 4, "the formats hold IEEE binary32");

void reader_init(struct reader *r, const void *data, size_t size)
{
	*r = (struct reader){.data = data, .size = size};
}

size_t reader_left(const struct reader *r)
{
	return r->size - r->at;
}

const uint8_t *reader_view(struct reader *r, size_t size)
{
	const uint8_t *view;

	if (r->failed || size > reader_left(r)) {
		r->failed = true;
		return NULL;
	}
	view = r->data + r->at;
	r->at += size;
	return view;
}

void reader_bytes(struct reader *r, void *out, size_t size)
{
	const uint8_t *view = reader_view(r, size);

	if (size == 0)
		return;
	if (view)
		memcpy(out, view, size);
	else
		memset(out, 0, size);
}

uint8_t reader_u8(struct reader *r)
{
	uint8_t b;

	reader_bytes(r, &b, 1);
	return b;
}

uint16_t reader_u16(struct reader *r)
{
	uint8_t b[2];

	reader_bytes(r, b, sizeof b);
	return (uint16_t)(b[0] | b[1] << 8);
}

uint32_t reader_u32(struct reader *r)
{
	uint8_t b[4];

	reader_bytes(r, b, sizeof b);
	return load_le32(b);
}

uint64_t reader_u64(struct reader *r)
{
	uint8_t b[8];

	reader_bytes(r, b, sizeof b);
	return load_le64(b);
}

float reader_f32(struct reader *r)
{
	uint32_t bits = reader_u32(r);
	float v;

	memcpy(&v, &bits, sizeof v);
	return v;
}

bool reader_done(const struct reader *r)
{
	return !r->failed && r->at == r->size;
}

void writer_init(struct writer *w, void *data, size_t capacity)
{
	*w = (struct writer){.data = data, .capacity = capacity};
}

void writer_bytes(struct writer *w, const void *data, size_t size)
{
	REQUIRE(size <= w->capacity - w->at);
	if (size)
		memcpy(w->data + w->at, data, size);
	w->at += size;
}

void writer_u8(struct writer *w, uint8_t v)
{
	writer_bytes(w, &v, 1);
}

void writer_u16(struct writer *w, uint16_t v)
{
	uint8_t b[2] = {(uint8_t)v, (uint8_t)(v >> 8)};

	writer_bytes(w, b, sizeof b);
}

void writer_u32(struct writer *w, uint32_t v)
{
	uint8_t b[4];

	store_le32(b, v);
	writer_bytes(w, b, sizeof b);
}

void writer_u64(struct writer *w, uint64_t v)
{
	uint8_t b[8];

	store_le64(b, v);
	writer_bytes(w, b, sizeof b);
}

void writer_f32(struct writer *w, float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof bits);
	writer_u32(w, bits);
}

bool bytes_from_hex(uint8_t *out, size_t size, const char *hex)
{
	for (size_t i = 0; i < 2 * size; i++) {
		char c = hex[i];
		int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

		if (v < 0)
			return false;
		out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | v : v << 4);
	}
	return true;
}
