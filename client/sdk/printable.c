/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/printable.h"

#include <stddef.h>
#include <string.h>

#include "index/label.h"

/* Bytes of the printable character that text starts with, 0 if there is none. */
static size_t character(const char *text, size_t left)
{
	for (size_t size = 1; size <= 4 && size <= left; size++) {
		if (index_text_valid(text, size))
			return size;
	}
	return 0;
}

void printable_make(char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t step = character(text, left);

		if (step == 0) {
			*text = '?';
			step = 1;
		}
		text += step;
		left -= step;
	}
}
