/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fuzz.h"
#include "ohttp/bhttp.h"

/* A binary HTTP message: read or refused, whole and in pieces alike; one that is read is written back, in
 * either framing, to bytes that read the same. */

static uint8_t *copy(const uint8_t *data, size_t size)
{
	uint8_t *p = malloc(size ? size : 1);

	REQUIRE(p);
	if (size)
		memcpy(p, data, size);
	return p;
}

static void require_same(struct bytes a, struct bytes b)
{
	REQUIRE(a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0));
}

static void write_and_read_again(const struct bhttp_message *m, enum bhttp_framing framing)
{
	size_t size = bhttp_bytes(m, framing) + 3;
	uint8_t *out = malloc(size);
	struct bhttp_message again;

	REQUIRE(out);
	bhttp_write(out, size, m, framing);
	REQUIRE(bhttp_read(&again, framing % 2 ? BHTTP_RESPONSE : BHTTP_REQUEST, out, size, NULL) == VEIL_OK);
	require_same(m->method, again.method);
	require_same(m->path, again.path);
	require_same(m->content, again.content);
	REQUIRE(m->status == again.status && m->header_count == again.header_count &&
		m->trailer_count == again.trailer_count);
	for (size_t i = 0; i < m->header_count + m->trailer_count; i++) {
		require_same(m->fields[i].name, again.fields[i].name);
		require_same(m->fields[i].value, again.fields[i].value);
	}
	free(out);
}

/* In pieces of `step` bytes, each of them in memory of its own. */
static enum veil_status in_pieces(enum bhttp_kind kind, const uint8_t *data, size_t size, size_t step)
{
	static uint8_t buffer[BHTTP_MAX_SECTION_BYTES];
	enum veil_status st = VEIL_OK;
	struct bhttp_parser p;
	struct bhttp_event e;

	bhttp_parser_init(&p, kind, buffer, size);
	for (size_t at = 0; at < size && st == VEIL_OK; at += step) {
		size_t n = size - at < step ? size - at : step;
		uint8_t *own = copy(data + at, n);
		struct bytes in = {own, n};

		while (in.size && st == VEIL_OK)
			st = bhttp_next(&p, &in, &e, NULL);
		free(own);
	}
	return st == VEIL_OK ? bhttp_end(&p, NULL) : st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum bhttp_kind kind = size && data[0] % 2 ? BHTTP_RESPONSE : BHTTP_REQUEST;
	uint8_t *own = copy(data, size);
	struct bhttp_message m;
	struct veil_error err = {0};
	struct bytes authority;
	enum veil_status st = bhttp_read(&m, kind, own, size, &err);

	REQUIRE((st == VEIL_OK) == (err.text[0] == 0));
	REQUIRE(in_pieces(kind, data, size, 1) == st);
	REQUIRE(in_pieces(kind, data, size, 1 + size / 3) == st);
	if (st == VEIL_OK) {
		write_and_read_again(&m, (enum bhttp_framing)kind);
		write_and_read_again(&m, (enum bhttp_framing)(2 + kind));
		(void)!bhttp_check_request(&m, &authority, &err);
		bhttp_drop_connection_fields(&m);
	}
	free(own);
	return 0;
}
