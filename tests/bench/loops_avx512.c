/* SPDX-License-Identifier: Apache-2.0 */
#include "loops.h"

#include <immintrin.h>

/* Every loop over an array is unrolled, or gcc keeps the array in memory. */

static uint64_t read_vectors(const void *data, size_t size)
{
	const __m512i *p = data, *end = p + size / 64;
	__m512i sum[8];

#pragma GCC unroll 8
	for (int i = 0; i < 8; i++)
		sum[i] = _mm512_setzero_si512();
	for (; p < end; p += 8) {
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++)
			sum[i] = _mm512_xor_si512(sum[i], _mm512_load_si512(p + i));
	}
#pragma GCC unroll 8
	for (int i = 1; i < 8; i++)
		sum[0] = _mm512_xor_si512(sum[0], sum[i]);
	return (uint64_t)_mm512_reduce_or_epi64(sum[0]);
}

/* Twelve chains, as in loops_avx2.c. */
static uint64_t mul_vectors(uint64_t seed)
{
	__m512i x[12], y = _mm512_set1_epi32((int)seed | 1);

#pragma GCC unroll 12
	for (int i = 0; i < 12; i++)
		x[i] = _mm512_set1_epi64((long long)seed + i);
	for (int round = 0; round < LOOPS_MULS / 8 / 12; round++) {
#pragma GCC unroll 12
		for (int i = 0; i < 12; i++) {
			x[i] = _mm512_mul_epu32(x[i], y);
			__asm__ volatile("" : "+v"(x[i]));
		}
	}
#pragma GCC unroll 12
	for (int i = 1; i < 12; i++)
		x[0] = _mm512_xor_si512(x[0], x[i]);
	return (uint64_t)_mm512_reduce_or_epi64(x[0]);
}

const struct loops loops_avx512 = {"avx512", read_vectors, mul_vectors, "vpmuludq zmm"};
