/* SPDX-License-Identifier: Apache-2.0 */
#include "loops.h"

/* An empty asm is a value that the compiler cannot see through: it neither folds nor vectorises what follows.
 */
#define OPAQUE(x) __asm__ volatile("" : "+r"(x))

static uint64_t read_words(const void *data, size_t size)
{
	const uint64_t *p = data, *end = p + size / 8;
	uint64_t a = 0, b = 0, c = 0, d = 0;

	for (; p < end; p += 8) {
		a ^= p[0] ^ p[4];
		b ^= p[1] ^ p[5];
		c ^= p[2] ^ p[6];
		d ^= p[3] ^ p[7];
		OPAQUE(a);
	}
	return a ^ b ^ c ^ d;
}

static void update_words(void *x, const void *y, size_t size)
{
	const uint64_t *from = y;
	uint64_t *to = x;

	for (size_t i = 0; i < size / 8; i++)
		to[i] ^= from[i];
}

static uint64_t mul_words(uint64_t seed)
{
	uint64_t x[8];

	for (int i = 0; i < 8; i++)
		x[i] = seed + (uint64_t)i;
	for (int round = 0; round < LOOPS_MULS / 8; round++) {
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++) {
			x[i] = (uint64_t)(uint32_t)x[i] * (uint32_t)seed;
			OPAQUE(x[i]);
		}
	}
	for (int i = 1; i < 8; i++)
		x[0] ^= x[i];
	return x[0];
}

uint64_t loops_chain(uint64_t seed)
{
	uint64_t x = seed;

	for (int round = 0; round < LOOPS_CHAIN / 16; round++) {
#pragma GCC unroll 16
		for (int i = 0; i < 16; i++) {
			x += seed;
			OPAQUE(x);
		}
	}
	return x;
}

const struct loops loops_generic = {
	"generic", read_words, update_words, mul_words, "imul", mul_words, "imul", {3, 3}};
