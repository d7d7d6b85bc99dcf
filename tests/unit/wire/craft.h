/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_CRAFT_H
#define WIRE_CRAFT_H

#include <criterion/criterion.h>

#include "base/bytes.h"
#include "support/nn.h"
#include "wire/messages.h"

/* Protobuf by hand, so that a test can write what no writer would, and a small context to write it for. */

#define CRAFT_MAX_FIELDS 20

enum craft_kind { CRAFT_VARINT = 0, CRAFT_FIXED64 = 1, CRAFT_BYTES = 2, CRAFT_FIXED32 = 5 };

struct craft_field {
	uint32_t number;
	enum craft_kind kind;
	uint64_t value; /* of a number, or the byte that fills a string of bytes */
	size_t size; /* of a string of bytes */
	const void *data; /* its content, if not filled */
};

static inline void craft_varint(struct writer *w, uint64_t v)
{
	for (; v > 127; v >>= 7)
		writer_u8(w, (uint8_t)(v | 128));
	writer_u8(w, (uint8_t)v);
}

static inline void craft_put(struct writer *w, const struct craft_field *f)
{
	craft_varint(w, (uint64_t)f->number << 3 | f->kind);
	if (f->kind == CRAFT_FIXED32) {
		writer_u32(w, (uint32_t)f->value);
	} else if (f->kind == CRAFT_VARINT) {
		craft_varint(w, f->value);
	} else if (f->kind == CRAFT_FIXED64) {
		writer_u64(w, f->value);
	} else {
		craft_varint(w, f->size);
		for (size_t i = 0; i < f->size; i++)
			writer_u8(w, f->data ? ((const uint8_t *)f->data)[i] : (uint8_t)f->value);
	}
}

static inline size_t craft_message(uint8_t *out, size_t room, const struct craft_field *fields, size_t count)
{
	struct writer w;

	writer_init(&w, out, room);
	for (size_t i = 0; i < count; i++)
		craft_put(&w, fields + i);
	return w.at;
}

#endif
