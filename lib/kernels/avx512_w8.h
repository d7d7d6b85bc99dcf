/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_AVX512_W8_H
#define KERNELS_AVX512_W8_H

#include <stdint.h>

#include "kernels/avx512.h"
#include "kernels/kernels.h"

/* What the AVX-512 forms for words of 8 bytes share. The files are
 *    avx512_w8_*     both forms: what does not multiply, the passes of the transform and its table
 *    avx512_w52*     q < 2^50, IFMA: products of 52-bit words
 *    avx512_w64*     q < 2^62, DQ: low halves of 64-bit products, high halves from 32-bit ones */

#define WORDS 8 /* of a vector */

/* x in [0, 2m) to [0, m). */
INLINE __m512i reduce_down(__m512i x, __m512i m)
{
	return _mm512_min_epu64(x, _mm512_sub_epi64(x, m));
}

/* x in [-m, m) to [0, m), m < 2^63. */
INLINE __m512i reduce_up(__m512i x, __m512i m)
{
	return _mm512_min_epu64(x, _mm512_add_epi64(x, m));
}

/* The high halves of the products of 64-bit words. */
INLINE __m512i mul_high(__m512i a, __m512i b)
{
	const __m512i low = _mm512_set1_epi64(UINT32_MAX);
	__m512i a1 = _mm512_srli_epi64(a, 32), b1 = _mm512_srli_epi64(b, 32);
	__m512i middle =
		_mm512_add_epi64(_mm512_mul_epu32(a1, b), _mm512_srli_epi64(_mm512_mul_epu32(a, b), 32));
	__m512i other = _mm512_add_epi64(_mm512_mul_epu32(a, b1), _mm512_and_si512(middle, low));

	return _mm512_add_epi64(_mm512_mul_epu32(a1, b1),
		_mm512_add_epi64(_mm512_srli_epi64(middle, 32), _mm512_srli_epi64(other, 32)));
}

/* A mask of the first n words, or of all 8. */
INLINE __mmask8 first_words(size_t n)
{
	return n >= WORDS ? 0xff : (__mmask8)((1u << n) - 1);
}

/* The first n words, or all 8. Whole vectors go without a mask, which costs a store its forwarding. */
INLINE __m512i load_words(const void *from, size_t n)
{
	return n >= WORDS ? _mm512_loadu_si512(from) : _mm512_maskz_loadu_epi64(first_words(n), from);
}

INLINE void store_words(void *to, size_t n, __m512i x)
{
	if (n >= WORDS)
		_mm512_storeu_si512(to, x);
	else
		_mm512_mask_storeu_epi64(to, first_words(n), x);
}

/** The rows that both forms have; avx512_w64.c calls them. */
void avx512_w8_arrays_select(struct kernels *k);
void avx512_w8_bits_select(struct kernels *k);

#endif
