/* SPDX-License-Identifier: Apache-2.0 */

/* Not a header: the loops of one ISA. Whoever includes it defines BYTES of a vector, MUL(x, y) of lanes of 32
 * bits and WIDE_MUL(x, y), which multiplies lanes of 50. Every loop over an array is unrolled, or gcc keeps
 * the array in memory. */

#include <immintrin.h>
#include <stdbool.h>

typedef uint64_t words __attribute__((vector_size(BYTES)));

#define CHAINS 12 /* up to four cycles of latency, up to two multiplies a cycle, and some to spare */
#define LANES (BYTES / 8)

static uint64_t read_vectors(const void *data, size_t size)
{
	const words *p = data, *end = p + size / BYTES;
	words sum[8] = {0};

	for (; p < end; p += 8) {
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++)
			sum[i] ^= p[i];
	}
#pragma GCC unroll 8
	for (int i = 1; i < 8; i++)
		sum[0] ^= sum[i];
	return sum[0][0] ^ sum[0][LANES - 1];
}

static void update_vectors(void *x, const void *y, size_t size)
{
	const words *from = y;
	words *to = x;

	for (size_t i = 0; i < size / BYTES; i++)
		to[i] ^= from[i];
}

static inline __attribute__((always_inline)) uint64_t multiply(uint64_t seed, bool wide)
{
	const words y = (words){0} + (seed | 1);
	words x[CHAINS];

#pragma GCC unroll 12
	for (int i = 0; i < CHAINS; i++)
		x[i] = y + (uint64_t)i;
	for (int round = 0; round < LOOPS_MULS / LANES / CHAINS; round++) {
#pragma GCC unroll 12
		for (int i = 0; i < CHAINS; i++) {
			x[i] = wide ? WIDE_MUL(x[i], y) : MUL(x[i], y);
			__asm__ volatile("" : "+v"(x[i]));
		}
	}
#pragma GCC unroll 12
	for (int i = 1; i < CHAINS; i++)
		x[0] ^= x[i];
	return x[0][0] ^ x[0][LANES - 1];
}

static uint64_t mul_vectors(uint64_t seed)
{
	return multiply(seed, false);
}

/* Half is a number among doubles too, and x/2 + 1/2 neither grows nor vanishes. */
static uint64_t wide_mul_vectors(uint64_t seed)
{
	return multiply(seed + 0x3fe0000000000000, true);
}
