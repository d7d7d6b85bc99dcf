/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bytes.h"
#include "index/label.h"
#include "index/pairs_inside.h"

/* A field without its escapes; false at one that there is not. */
static bool unescape(uint8_t *out, size_t *size, const char *field, size_t field_bytes)
{
	static const char from[] = "tnr\\", to[] = "\t\n\r\\";
	size_t at = 0;

	for (size_t i = 0; i < field_bytes; i++) {
		const char *known;
		char digits[2];

		if (field[i] != '\\') {
			out[at++] = (uint8_t)field[i];
			continue;
		}
		if (++i == field_bytes)
			return false;
		known = memchr(from, field[i], sizeof from - 1);
		if (known) {
			out[at++] = (uint8_t)to[known - from];
			continue;
		}
		if (field[i] != 'x' || field_bytes - i < 3)
			return false;
		for (int d = 0; d < 2; d++) {
			digits[d] = field[++i];
			if (digits[d] >= 'A' && digits[d] <= 'F')
				digits[d] = (char)(digits[d] - 'A' + 'a');
		}
		if (!bytes_from_hex(out + at++, 1, digits))
			return false;
	}
	*size = at;
	return true;
}

enum veil_status pairs_tsv_line(struct index_pairs *p, const struct index_pairs_form *form, const char *line,
	size_t size, uint64_t number, uint8_t *scratch, struct veil_error *err)
{
	const char *tab = form->numbered ? line : memchr(line, '\t', size);
	const size_t before = tab ? (size_t)(tab - line) : 0, skip = form->numbered ? 0 : before + 1;
	const char *value = line + skip, *key = form->numbered ? NULL : line;
	size_t key_bytes = 0, value_bytes = 0;

	if (!tab)
		return pairs_refuse(p, number, NULL, 0, err, "not a key, a tab and a value");
	if (!index_text_valid(line, before) || !index_text_valid(value, size - skip))
		return pairs_refuse(p, number, key, before, err,
			"not UTF-8, or a control character or a second tab, which are written \\t, \\n or "
			"\\xHH");
	if (!unescape(scratch, &key_bytes, line, before) ||
		!unescape(scratch + key_bytes, &value_bytes, value, size - skip))
		return pairs_refuse(
			p, number, key, before, err, "an escape other than \\t \\n \\r \\\\ \\xHH");
	return pairs_add(
		p, key ? scratch : NULL, key_bytes, scratch + key_bytes, value_bytes, false, number, err);
}
