/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Little-endian loads and stores of unaligned bytes. */
static inline uint32_t load_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t load_le64(const uint8_t *p)
{
	return (uint64_t)load_le32(p) | (uint64_t)load_le32(p + 4) << 32;
}
static inline void store_le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}
static inline void store_le64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

/** A view of bytes somebody else owns. */
struct bytes {
	const uint8_t *data;
	size_t size;
};

/** Sticky reader: read everything, check once with reader_done. A read past the end yields zeros and marks
 * the reader as failed; nothing is ever read outside [data, data + size). */
struct reader {
	const uint8_t *data;
	size_t size;
	size_t at;
	bool failed;
};

void reader_init(struct reader *r, const void *data, size_t size);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
float reader_f32(struct reader *r);
/** Copies `size` bytes to `out` (zeros on failure). */
void reader_bytes(struct reader *r, void *out, size_t size);
/** A view of the next `size` bytes; NULL on failure. */
const uint8_t *reader_view(struct reader *r, size_t size);
size_t reader_left(const struct reader *r);
/** True when nothing failed and every byte was read. */
bool reader_done(const struct reader *r);

/** Writer into a caller's buffer of fixed capacity; overflowing it is a bug and aborts. */
struct writer {
	uint8_t *data;
	size_t capacity;
	size_t at;
};

void writer_init(struct writer *w, void *data, size_t capacity);
void writer_u8(struct writer *w, uint8_t v);
void writer_u16(struct writer *w, uint16_t v);
void writer_u32(struct writer *w, uint32_t v);
void writer_u64(struct writer *w, uint64_t v);
void writer_f32(struct writer *w, float v);
void writer_bytes(struct writer *w, const void *data, size_t size);

/** The bytes of 2 * size lower-case hexadecimal digits; false, and `out` partly written, where there is
 * another character among them. */
bool bytes_from_hex(uint8_t *out, size_t size, const char *hex);

#endif
