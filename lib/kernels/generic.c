/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/u128.h"
#include "kernels/forms.h"

/* The definition of every kernel: what does not depend on the width of a word, then the body once for each
 * width. */

static size_t reverse_bits(size_t x, unsigned count)
{
	size_t reversed = 0;

	for (unsigned i = 0; i < count; i++)
		reversed |= (x >> i & 1) << (count - 1 - i);
	return reversed;
}

static inline uint64_t load_be64(const uint8_t *src)
{
	uint64_t x;

	memcpy(&x, src, sizeof x);
	return __builtin_bswap64(x);
}

#define TAKE_BYTES 9 /* read by one take_bits */

/* The `bits` bits (1..62) from bit `position` of src on, MSB first. */
static inline uint64_t take_bits(const uint8_t *src, size_t position, unsigned bits)
{
	const uint8_t *at = src + position / 8;
	unsigned skip = position % 8;

	return (load_be64(at) << skip | at[8] >> (8 - skip)) >> (64 - bits);
}

struct bit_writer {
	uint8_t *dst;
	uint64_t pending; /* in the low bits; what is above them is old */
	unsigned count; /* of pending bits, below 32 */
};

/* The `bits` (1..32) low bits of a value that has no more. */
static inline void put_bits(struct bit_writer *w, uint32_t value, unsigned bits)
{
	w->pending = w->pending << bits | value;
	w->count += bits;
	if (w->count >= 32) {
		uint32_t word = __builtin_bswap32((uint32_t)(w->pending >> (w->count - 32)));

		memcpy(w->dst, &word, sizeof word);
		w->dst += sizeof word;
		w->count -= 32;
	}
}

static void flush_bits(struct bit_writer *w)
{
	uint64_t left = w->pending << (40 - w->count) << 24;

	for (unsigned i = 0; i < w->count; i += 8, left <<= 8)
		*w->dst++ = (uint8_t)(left >> 56);
}

#define WORD uint32_t
#define WIDE uint64_t
#define NAME(x) x##_w4
#include "kernels/generic_body.h"
#undef WORD
#undef WIDE
#undef NAME

#define WORD uint64_t
#define WIDE uint128
#define NAME(x) x##_w8
#include "kernels/generic_body.h"
