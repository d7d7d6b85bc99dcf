/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OHTTP_VARINT_H
#define OHTTP_VARINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Variable-length integers of QUIC (RFC 9000 section 16): 1, 2, 4 or 8 bytes, up to 2^62 - 1. */

#define VARINT_MAX_BYTES 8

/** The bytes that the first one announces. */
static inline size_t varint_width(uint8_t first)
{
	return (size_t)1 << (first >> 6);
}

/** Reads one of any width; `p` holds varint_width(*p) bytes. */
static inline uint64_t varint_load(const uint8_t *p)
{
	uint64_t v = p[0] & 0x3f;

	for (size_t i = 1; i < varint_width(p[0]); i++)
		v = v << 8 | p[i];
	return v;
}

/** The shortest width of v < 2^62. */
static inline size_t varint_bytes(uint64_t v)
{
	return v < 1u << 6 ? 1 : v < 1u << 14 ? 2 : v < 1u << 30 ? 4 : 8;
}

static inline void varint_write(struct writer *w, uint64_t v)
{
	size_t width = varint_bytes(v);
	uint8_t log = width == 1 ? 0 : width == 2 ? 1 : width == 4 ? 2 : 3;

	for (size_t i = width; i-- > 0;)
		writer_u8(w, (uint8_t)(v >> (8 * i)) | (i == width - 1 ? (uint8_t)(log << 6) : 0));
}

#endif
