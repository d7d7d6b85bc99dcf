/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sdk/image.h"

/* Of a TIFF file, the first directory's one entry that matters. */

enum { TAG_ORIENTATION = 274, TYPE_SHORT = 3, ENTRY_BYTES = 12 };

struct tiff {
	struct bytes bytes;
	bool big; /* "MM": big endian */
};

/* The caller has checked that they are there. */
static uint32_t read_uint(const struct tiff *t, size_t at, int bytes)
{
	uint32_t x = 0;

	for (int i = 0; i < bytes; i++)
		x |= (uint32_t)t->bytes.data[at + (size_t)i] << 8 * (t->big ? bytes - 1 - i : i);
	return x;
}

unsigned exif_orientation(struct bytes exif)
{
	struct tiff t = {.bytes = exif};
	uint32_t directory, entries;

	if (t.bytes.size >= 6 && memcmp(t.bytes.data, "Exif\0", 6) == 0)
		t.bytes = (struct bytes){t.bytes.data + 6, t.bytes.size - 6};
	if (t.bytes.size < 8)
		return 1;
	t.big = t.bytes.data[0] == 'M';
	directory = read_uint(&t, 4, 4);
	if (directory > t.bytes.size - 2)
		return 1;
	entries = read_uint(&t, directory, 2);
	for (uint32_t i = 0; i < entries; i++) {
		size_t at = (size_t)directory + 2 + (size_t)i * ENTRY_BYTES;
		uint32_t value;

		if (at + ENTRY_BYTES > t.bytes.size)
			break;
		if (read_uint(&t, at, 2) != TAG_ORIENTATION || read_uint(&t, at + 2, 2) != TYPE_SHORT)
			continue;
		value = read_uint(&t, at + 8, 2);
		return value >= 1 && value <= 8 ? value : 1;
	}
	return 1;
}
