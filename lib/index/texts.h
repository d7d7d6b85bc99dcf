/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDEX_TEXTS_H
#define INDEX_TEXTS_H

#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

/** One short text a row, packed: `start[i]` is where text i begins in `data`, NUL-terminated.
 * Zero-initialise. */
struct index_texts {
	char *data;
	size_t used;
	size_t room;
	size_t *start;
	uint32_t count;
	uint32_t start_room;
};

/** Appends a text of `size` bytes without NUL. VEIL_E_NOMEM leaves it as it was. */
enum veil_status index_texts_add(struct index_texts *t, const char *text, size_t size) VEIL_MUST_CHECK;
const char *index_texts_get(const struct index_texts *t, uint32_t i);
/** Bytes of memory. */
uint64_t index_texts_bytes(const struct index_texts *t);
/** Are all texts distinct? If not, *first < *second is the pair whose second member comes earliest.
 * VEIL_E_INVALID for a pair, VEIL_E_NOMEM. */
enum veil_status index_texts_distinct(
	const struct index_texts *t, uint32_t *first, uint32_t *second) VEIL_MUST_CHECK;
void index_texts_clear(struct index_texts *t);

#endif
