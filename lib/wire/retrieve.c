/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/retrieve.h"

#include <string.h>

#include "base/error.h"
#include "wire/messages.h"

/* Retrieve and RetrieveReply have the same three fields. A payload has megabytes and is read in place, so
 * fields come in the order of their numbers, which is how every protobuf library writes them. */

enum { TAG_VERSION = 1 << 3 | 5, TAG_ID = 2 << 3 | 2, TAG_PAYLOAD = 3 << 3 | 2 };

#define HEAD (1 + 4 + 1 + 1 + HASH_BYTES + 1)

size_t wire_retrieval_query_at(const struct wire_retrieval *r, unsigned table, unsigned lookup)
{
	size_t at = 0;

	for (unsigned t = 0; t < table; t++)
		at += r->table[t].lookups * r->table[t].ctx->query_bytes;
	return lookup ? at + lookup * r->table[table].ctx->query_bytes : at;
}

size_t wire_retrieval_reply_at(const struct wire_retrieval *r, unsigned table, unsigned lookup)
{
	size_t at = 0;

	for (unsigned t = 0; t < table; t++)
		at += r->table[t].lookups * r->table[t].ctx->reply_bytes;
	return lookup ? at + lookup * r->table[table].ctx->reply_bytes : at;
}

size_t wire_retrieval_up(const struct wire_retrieval *r)
{
	return wire_retrieval_query_at(r, r->tables, 0);
}

size_t wire_retrieval_down(const struct wire_retrieval *r)
{
	return wire_retrieval_reply_at(r, r->tables, 0);
}

static size_t varint_bytes(size_t n)
{
	size_t bytes = 1;

	for (; n > 127; n >>= 7)
		bytes++;
	return bytes;
}

static size_t whole(size_t payload)
{
	return HEAD + varint_bytes(payload) + payload;
}

size_t wire_retrieve_bytes(const struct wire_retrieval *r)
{
	return whole(wire_retrieval_up(r));
}

size_t wire_retrieved_bytes(const struct wire_retrieval *r)
{
	return whole(wire_retrieval_down(r));
}

static uint8_t *frame(uint8_t *out, const uint8_t id[HASH_BYTES], size_t payload)
{
	struct writer w;

	writer_init(&w, out, whole(payload));
	writer_u8(&w, TAG_VERSION);
	writer_u32(&w, WIRE_VERSION);
	writer_u8(&w, TAG_ID);
	writer_u8(&w, HASH_BYTES);
	writer_bytes(&w, id, HASH_BYTES);
	writer_u8(&w, TAG_PAYLOAD);
	for (size_t n = payload; n > 127; n >>= 7)
		writer_u8(&w, (uint8_t)(n | 128));
	writer_u8(&w, (uint8_t)(payload >> 7 * (varint_bytes(payload) - 1)));
	return out + w.at;
}

uint8_t *wire_retrieve_frame(const struct wire_retrieval *r, uint8_t *out, const uint8_t id[HASH_BYTES])
{
	return frame(out, id, wire_retrieval_up(r));
}

uint8_t *wire_retrieved_frame(const struct wire_retrieval *r, uint8_t *out, const uint8_t id[HASH_BYTES])
{
	return frame(out, id, wire_retrieval_down(r));
}

static enum veil_status read_head(
	struct reader *r, const char *name, const uint8_t **id, struct veil_error *err)
{
	uint8_t tag = reader_u8(r);
	uint32_t version = reader_u32(r);

	if (r->failed || tag != TAG_VERSION)
		return error_set(err, VEIL_E_MALFORMED, "%s: does not begin with field version", name);
	if (version != WIRE_VERSION)
		return error_set(err, VEIL_E_VERSION, "%s: protocol version %u; this side speaks %u", name,
			(unsigned)version, WIRE_VERSION);
	tag = reader_u8(r);
	if (reader_u8(r) != HASH_BYTES || tag != TAG_ID)
		return error_set(err, VEIL_E_MALFORMED, "%s: field id of %d bytes does not follow version",
			name, HASH_BYTES);
	*id = reader_view(r, HASH_BYTES);
	return *id ? VEIL_OK : error_set(err, VEIL_E_MALFORMED, "%s: field id is cut off", name);
}

static enum veil_status read_whole(const char *name, size_t payload, uint8_t id[HASH_BYTES],
	struct bytes *out, const void *data, size_t size, struct veil_error *err)
{
	uint8_t canonical[HEAD + 10];
	const size_t head = whole(payload) - payload;
	const uint8_t *at;
	struct reader r;
	enum veil_status st;

	reader_init(&r, data, size);
	st = read_head(&r, name, &at, err);
	if (st != VEIL_OK)
		return st;
	if (size != whole(payload))
		return error_set(
			err, VEIL_E_MALFORMED, "%s: %zu bytes instead of %zu", name, size, whole(payload));
	frame(canonical, at, payload);
	if (memcmp(canonical, data, head) != 0)
		return error_set(err, VEIL_E_MALFORMED, "%s: field payload of %zu bytes does not follow id",
			name, payload);
	memcpy(id, at, HASH_BYTES);
	*out = (struct bytes){.data = (const uint8_t *)data + head, .size = payload};
	return VEIL_OK;
}

enum veil_status wire_retrieve_read(const struct wire_retrieval *r, uint8_t id[HASH_BYTES],
	struct bytes *payload, const void *data, size_t size, struct veil_error *err)
{
	return read_whole("Retrieve", wire_retrieval_up(r), id, payload, data, size, err);
}

enum veil_status wire_retrieved_read(const struct wire_retrieval *r, uint8_t id[HASH_BYTES],
	struct bytes *payload, const void *data, size_t size, struct veil_error *err)
{
	return read_whole("RetrieveReply", wire_retrieval_down(r), id, payload, data, size, err);
}

bool wire_retrieve_target(uint8_t id[HASH_BYTES], const void *data, size_t size)
{
	const uint8_t *at;
	struct reader r;

	reader_init(&r, data, size);
	if (read_head(&r, "Retrieve", &at, NULL) != VEIL_OK)
		return false;
	memcpy(id, at, HASH_BYTES);
	return true;
}
