/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_AVX2_H
#define KERNELS_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#include "base/require.h"

/* Pieces that the AVX2 files share: vectors of eight residues of 32 bits, or of four of 64. */

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

static inline __m256i load(const void *at)
{
	return _mm256_load_si256(at);
}

static inline void store(void *at, __m256i v)
{
	_mm256_store_si256(at, v);
}

/* The same at any address. */

static inline __m256i load_any(const void *at)
{
	return _mm256_loadu_si256(at);
}

static inline void store_any(void *at, __m256i v)
{
	_mm256_storeu_si256(at, v);
}

/** 16 bytes from each. */
static inline __m256i load_halves(const uint8_t *low, const uint8_t *high)
{
	return _mm256_inserti128_si256(
		_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)low)),
		_mm_loadu_si128((const __m128i *)(const void *)high), 1);
}

/** The odd lanes in the place of the even ones. */
static inline __m256i odd_lanes(__m256i v)
{
	return _mm256_srli_epi64(v, 32);
}

/** Of 64-bit products of even and odd lanes, the high words in the lanes that they came from. */
static inline __m256i high_words(__m256i even, __m256i odd)
{
	return _mm256_blend_epi32(_mm256_shuffle_epi32(even, 0xf5), odd, 0xaa);
}

/** x, y = lower halves, upper halves */
static inline void exchange_halves(__m256i *x, __m256i *y)
{
	const __m256i low = _mm256_permute2x128_si256(*x, *y, 0x20);

	*y = _mm256_permute2x128_si256(*x, *y, 0x31);
	*x = low;
}

/** Lanes of 32 bits, x < 2q: back to [0, q). */
static inline __m256i reduce(__m256i x, __m256i q)
{
	return _mm256_min_epu32(x, _mm256_sub_epi32(x, q));
}

#endif
