/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_AVX512_W32_H
#define KERNELS_AVX512_W32_H

#include <stdint.h>

#include "kernels/avx512.h"
#include "kernels/kernels.h"

/* What the AVX-512 (F, BW, DQ, VL) forms for q < 2^31 share: sixteen 32-bit words a vector. A product has 64
 * bits and the multiplier takes the even words of a vector, so most things happen once for the even and once
 * for the odd words. */

#define WORDS 16 /* of a vector */

/* The odd words in the places of the even ones. */
INLINE __m512i odd_words(__m512i x)
{
	return _mm512_shuffle_epi32(x, _MM_PERM_DDBB);
}

/* The high words of the products of the even words, and of those of the odd words, each where it came from.
 */
INLINE __m512i high_words(__m512i even, __m512i odd)
{
	return _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
}

/* x in [0, 2m) to [0, m). */
INLINE __m512i reduce_down(__m512i x, __m512i m)
{
	return _mm512_min_epu32(x, _mm512_sub_epi32(x, m));
}

/* x in [-m, m) to [0, m), m < 2^31. */
INLINE __m512i reduce_up(__m512i x, __m512i m)
{
	return _mm512_min_epu32(x, _mm512_add_epi32(x, m));
}

/* Shoup: y w - floor(y quotient / 2^32) q in [0, 2q) for any y < 2^32, where quotient = floor(w 2^32 / q).
 * odd_quotient needs its even words only: the odd words of quotient. (It adds a product with -q because gcc
 * 12 turns x - (a - b) into x + b - a.) */
INLINE __m512i mul_shoup(__m512i y, __m512i w, __m512i quotient, __m512i odd_quotient, __m512i neg_q)
{
	__m512i even = _mm512_mul_epu32(quotient, y);
	__m512i odd = _mm512_mul_epu32(odd_quotient, odd_words(y));
	__m512i high = high_words(even, odd);

	return _mm512_add_epi32(_mm512_mullo_epi32(w, y), _mm512_mullo_epi32(high, neg_q));
}

/* Signed: for y in (-kq, kq), q < 2^28, k <= 8 and quotient = w 2^32 / q to the nearest, the result is in
 * (-kq/32, q + kq/32): the quotient is at most 1/2 off, which y scales by less than 2^28 k / 2^32. */
INLINE __m512i mul_shoup_signed(__m512i y, __m512i w, __m512i quotient, __m512i odd_quotient, __m512i neg_q)
{
	__m512i even = _mm512_mul_epi32(quotient, y);
	__m512i odd = _mm512_mul_epi32(odd_quotient, odd_words(y));
	__m512i high = high_words(even, odd);

	return _mm512_add_epi32(_mm512_mullo_epi32(w, y), _mm512_mullo_epi32(high, neg_q));
}

/* Montgomery: sums of 64 bits, those of the even and those of the odd words, times 2^-32 mod q. */
struct redc {
	__m512i q, neg_inv, mont_one;
	bool small; /* sums are below q 2^32 */
};

INLINE struct redc redc_of(const struct kernels_prime *p, bool small)
{
	return (struct redc){
		.q = _mm512_set1_epi32((int)p->q),
		.neg_inv = _mm512_set1_epi32((int)p->neg_inv),
		.mont_one = _mm512_set1_epi32((int)p->mont_one),
		.small = small,
	};
}

/* high 2^32 + low = high mont_one + low <= (2^32 - 1) q, for any sum */
INLINE __m512i redc_shrink(__m512i sum, __m512i mont_one)
{
	__m512i low = _mm512_and_si512(sum, _mm512_set1_epi64(UINT32_MAX));

	return _mm512_add_epi64(_mm512_mul_epu32(odd_words(sum), mont_one), low);
}

INLINE __m512i redc(__m512i even, __m512i odd, struct redc r)
{
	if (!r.small) {
		even = redc_shrink(even, r.mont_one);
		odd = redc_shrink(odd, r.mont_one);
	}
	even = _mm512_add_epi64(even, _mm512_mul_epu32(_mm512_mul_epu32(even, r.neg_inv), r.q));
	odd = _mm512_add_epi64(odd, _mm512_mul_epu32(_mm512_mul_epu32(odd, r.neg_inv), r.q));
	return reduce_down(high_words(even, odd), r.q);
}

/* A mask of the first n words, or of all 16. */
INLINE __mmask16 first_words(size_t n)
{
	return n >= WORDS ? 0xffff : (__mmask16)((1u << n) - 1);
}

/* The first n words, or all 16. Whole vectors go without a mask, which costs a store its forwarding. */
INLINE __m512i load_words(const void *from, size_t n)
{
	return n >= WORDS ? _mm512_loadu_si512(from) : _mm512_maskz_loadu_epi32(first_words(n), from);
}

INLINE void store_words(void *to, size_t n, __m512i x)
{
	if (n >= WORDS)
		_mm512_storeu_si512(to, x);
	else
		_mm512_mask_storeu_epi32(to, first_words(n), x);
}

/* The other files' rows of the table; avx512_w32.c calls them. */
void avx512_w32_select_mac(struct kernels *k);
void avx512_w32_select_arrays(struct kernels *k);
void avx512_w32_select_bits(struct kernels *k);
void avx512_w32_select_constants(struct kernels *k);
void avx512_w32_select_rows(struct kernels *k);

#endif
