/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SILENT_BITS_H
#define SILENT_BITS_H

#include <stddef.h>
#include <stdint.h>

/** Value i of a stream of values of `bits` bits, MSB first, 1 <= bits <= 40. Reads no byte beyond the
 * stream's: of a value it reads those bytes that it is in. */
static inline uint64_t silent_bits(const uint8_t *stream, size_t i, unsigned bits)
{
	const size_t at = i * bits, last = (at + bits - 1) / 8;
	uint64_t x = 0;

	for (size_t k = at / 8; k <= last; k++)
		x = x << 8 | stream[k];
	return x >> (8 * (last + 1) - at - bits) & (((uint64_t)1 << bits) - 1);
}

#endif
