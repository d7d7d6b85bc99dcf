/* SPDX-License-Identifier: Apache-2.0 */
#include "loops.h"

#include <immintrin.h>

/* Every loop over an array is unrolled, or gcc keeps the array in memory. */

static uint64_t read_vectors(const void *data, size_t size)
{
	const __m256i *p = data, *end = p + size / 32;
	__m256i sum[8] = {0};

	for (; p < end; p += 8) {
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++)
			sum[i] = _mm256_xor_si256(sum[i], _mm256_load_si256(p + i));
	}
#pragma GCC unroll 8
	for (int i = 1; i < 8; i++)
		sum[0] = _mm256_xor_si256(sum[0], sum[i]);
	return (uint64_t)_mm256_extract_epi64(sum[0], 0) ^ (uint64_t)_mm256_extract_epi64(sum[0], 3);
}

/* Twelve chains: three cycles of latency, up to two multiplies a cycle, and some to spare. */
static uint64_t mul_vectors(uint64_t seed)
{
	__m256i x[12], y = _mm256_set1_epi32((int)seed | 1);

#pragma GCC unroll 12
	for (int i = 0; i < 12; i++)
		x[i] = _mm256_set1_epi64x((long long)seed + i);
	for (int round = 0; round < LOOPS_MULS / 4 / 12; round++) {
#pragma GCC unroll 12
		for (int i = 0; i < 12; i++) {
			x[i] = _mm256_mul_epu32(x[i], y);
			__asm__ volatile("" : "+x"(x[i]));
		}
	}
#pragma GCC unroll 12
	for (int i = 1; i < 12; i++)
		x[0] = _mm256_xor_si256(x[0], x[i]);
	return (uint64_t)_mm256_extract_epi64(x[0], 0) ^ (uint64_t)_mm256_extract_epi64(x[0], 3);
}

const struct loops loops_avx2 = {"avx2", read_vectors, mul_vectors, "vpmuludq ymm"};
