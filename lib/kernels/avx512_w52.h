/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_AVX512_W52_H
#define KERNELS_AVX512_W52_H

#include "kernels/avx512_w8.h"

/* What the IFMA forms for q < 2^50 share. A product has 104 bits in two halves of 52, each added to a word;
 * the multiplier looks at the low 52 bits of its factors and no others. So a word may carry anything above
 * bit 51: values are words modulo 2^52, and subtracting high q is adding the low half of high (2^52 - q). */

#define WORD_BITS 52
#define AVX512_W52_BITS 50 /* of q at most */
#define AVX512_W52_LEAN_BITS 46 /* for the faster transform */

INLINE __m512i low_bits(__m512i x)
{
	return _mm512_and_si512(x, _mm512_set1_epi64(((long long)1 << WORD_BITS) - 1));
}

/* sum + T where T = y w mod q, in [0, 2q), modulo 2^52, for quotient = floor(w 2^52 / q) and any y. */
INLINE __m512i add_shoup(__m512i sum, __m512i y, __m512i w, __m512i quotient, __m512i neg_q)
{
	__m512i high = _mm512_madd52hi_epu64(_mm512_setzero_si512(), quotient, y);

	return _mm512_madd52lo_epu64(_mm512_madd52lo_epu64(sum, w, y), high, neg_q);
}

/* 2^52 - q */
INLINE __m512i negative(uint64_t q)
{
	return _mm512_set1_epi64((long long)(((uint64_t)1 << WORD_BITS) - q));
}

/** mul, mac and dot. */
void avx512_w52_select_products(struct kernels *k);
/** affine, mul_add, sub_mul. */
void avx512_w52_select_constants(struct kernels *k);

#endif
