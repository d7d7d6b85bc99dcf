/* SPDX-License-Identifier: Apache-2.0 */
#include "index/label.h"

#include <string.h>

#include "base/bytes.h"
#include "base/require.h"

bool index_label_bytes_ok(uint32_t label_bytes)
{
	return label_bytes == 0 || (label_bytes >= 4 && label_bytes <= INDEX_MAX_LABEL_BYTES);
}

void index_label_write(uint8_t *out, uint32_t label_bytes, uint32_t record, const char *name)
{
	REQUIRE(label_bytes >= 4 && label_bytes <= INDEX_MAX_LABEL_BYTES);
	memset(out, 0, label_bytes);
	store_le32(out, record);
	memcpy(out + 4, name, index_text_prefix(name, label_bytes - 4));
}

uint32_t index_label_record(const uint8_t *label)
{
	return load_le32(label);
}

void index_label_name(const uint8_t *label, uint32_t label_bytes, char name[INDEX_MAX_LABEL_BYTES + 1])
{
	REQUIRE(label_bytes >= 4 && label_bytes <= INDEX_MAX_LABEL_BYTES);
	memcpy(name, label + 4, label_bytes - 4);
	name[label_bytes - 4] = 0;
}

static bool is_tail(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

/* Bytes of the character at p, 0 if it is not well-formed UTF-8 (Unicode 15, table 3-7) or a control
 * character. */
static size_t character(const uint8_t *p, size_t left)
{
	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		if (left < 2 || !is_tail(p[1]) || (p[0] == 0xc2 && p[1] < 0xa0))
			return 0;
		return 2;
	}
	if (p[0] >= 0xe0 && p[0] <= 0xef) {
		if (left < 3 || !is_tail(p[1]) || !is_tail(p[2]))
			return 0;
		if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
			return 0;
		return 3;
	}
	if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		if (left < 4 || !is_tail(p[1]) || !is_tail(p[2]) || !is_tail(p[3]))
			return 0;
		if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
			return 0;
		return 4;
	}
	return 0;
}

bool index_text_valid(const char *text, size_t size)
{
	size_t at = 0;

	while (at < size) {
		size_t step = character((const uint8_t *)text + at, size - at);

		if (!step)
			return false;
		at += step;
	}
	return true;
}

size_t index_text_prefix(const char *text, size_t limit)
{
	size_t end = strnlen(text, limit + 1);

	if (end <= limit)
		return end;
	end = limit;
	while (end > 0 && is_tail((uint8_t)text[end]))
		end--;
	return end;
}
