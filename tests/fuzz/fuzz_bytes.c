/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/require.h"
#include "fuzz.h"

/* The first half of the input says what to read, the second half is read: values must be those of the bytes,
 * and after the first read past the end everything is zero. */

static uint64_t expect_le(const uint8_t *data, size_t size, size_t at, size_t width)
{
	uint64_t value = 0;

	if (at > size || size - at < width)
		return 0;
	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)data[at + i] << (8 * i);
	return value;
}

/* Reads one thing and returns how many bytes it asked for. */
static size_t step(struct reader *r, const uint8_t *data, size_t size, uint8_t op)
{
	size_t at = r->at, width = (size_t)1 << (op % 4), length = op / 8;
	bool ok = !r->failed;
	uint8_t out[32];
	const uint8_t *view;

	switch (op % 8) {
	case 0:
		REQUIRE(reader_u8(r) == (ok ? expect_le(data, size, at, 1) : 0));
		return width;
	case 1:
		REQUIRE(reader_u16(r) == (ok ? expect_le(data, size, at, 2) : 0));
		return width;
	case 2:
		REQUIRE(reader_u32(r) == (ok ? expect_le(data, size, at, 4) : 0));
		return width;
	case 3:
		REQUIRE(reader_u64(r) == (ok ? expect_le(data, size, at, 8) : 0));
		return width;
	case 4:
		reader_f32(r);
		return 4;
	case 5:
		reader_bytes(r, out, length);
		for (size_t i = 0; i < length && r->failed; i++)
			REQUIRE(out[i] == 0);
		return length;
	default:
		view = reader_view(r, length);
		REQUIRE(r->failed ? view == NULL : view == data + at);
		return length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t ops = size / 2, asked = 0;
	const uint8_t *body = data + ops;
	size_t body_size = size - ops;
	struct reader r;

	if (size == 0)
		return 0;
	reader_init(&r, body, body_size);
	for (size_t i = 0; i < ops; i++) {
		asked += step(&r, body, body_size, data[i]);
		REQUIRE(r.failed == (asked > body_size));
		REQUIRE(reader_left(&r) <= body_size);
	}
	REQUIRE(reader_done(&r) == (asked == body_size));
	return 0;
}
