/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_AVX512_W32_ORDER_H
#define KERNELS_AVX512_W32_ORDER_H

#include "kernels/avx512_w32.h"

/* Inside a pair of vectors x, y, at first elements 0..15 and 16..31: an exchange trades the bit of the
 * element number that is the next distance for the bit that tells x from y. Bits of the element number,
 * x-or-y first, then the place: forward   4 3210 -> 3 4210 -> 2 3410 -> 1 3420 -> 0 3412, where the
 * butterflies of distances 8, 4, 2, 1 happen; inverse   0 3412 -> 1 3420 -> 2 3410 -> 3 2410 -> 4 3210, after
 * those of distances 1, 2, 4, 8. */

INLINE __m512i concat_words(__m512i a, __m512i b, int odd)
{
	__m512 x = _mm512_castsi512_ps(a), y = _mm512_castsi512_ps(b);

	return _mm512_castps_si512(odd ? _mm512_shuffle_ps(x, y, 0xdd) : _mm512_shuffle_ps(x, y, 0x88));
}

/* Before the butterflies of distance 8 >> stage. */
INLINE void forward_exchange(__m512i *x, __m512i *y, int stage)
{
	__m512i a = *x, b = *y;

	if (stage == 0) {
		*x = _mm512_shuffle_i32x4(a, b, 0x44);
		*y = _mm512_shuffle_i32x4(a, b, 0xee);
	} else if (stage == 1) {
		*x = _mm512_shuffle_i32x4(a, b, 0x88);
		*y = _mm512_shuffle_i32x4(a, b, 0xdd);
	} else if (stage == 2) {
		*x = _mm512_unpacklo_epi64(a, b);
		*y = _mm512_unpackhi_epi64(a, b);
	} else {
		*x = concat_words(a, b, 0);
		*y = concat_words(a, b, 1);
	}
}

/* After the butterflies of distance 1 << stage. */
INLINE void inverse_exchange(__m512i *x, __m512i *y, int stage)
{
	__m512i a = *x, b = *y;

	if (stage == 0) {
		*x = _mm512_unpacklo_epi32(a, b);
		*y = _mm512_unpackhi_epi32(a, b);
	} else if (stage == 1) {
		*x = _mm512_unpacklo_epi64(a, b);
		*y = _mm512_unpackhi_epi64(a, b);
	} else if (stage == 2) {
		*x = _mm512_shuffle_i32x4(a, b, 0x44);
		*y = _mm512_shuffle_i32x4(a, b, 0xee);
	} else {
		*x = _mm512_shuffle_i32x4(a, b, 0x88);
		*y = _mm512_shuffle_i32x4(a, b, 0xdd);
	}
}

/* From the order of distance 1 (0 3412) to elements 0..15 and 16..31, and back. */
INLINE void forward_order(__m512i *x, __m512i *y)
{
	const __m512i low = _mm512_setr_epi32(0, 16, 2, 18, 1, 17, 3, 19, 8, 24, 10, 26, 9, 25, 11, 27);
	const __m512i high = _mm512_setr_epi32(4, 20, 6, 22, 5, 21, 7, 23, 12, 28, 14, 30, 13, 29, 15, 31);
	__m512i a = *x, b = *y;

	*x = _mm512_permutex2var_epi32(a, low, b);
	*y = _mm512_permutex2var_epi32(a, high, b);
}

INLINE void inverse_order(__m512i *x, __m512i *y)
{
	const __m512i even = _mm512_setr_epi32(0, 4, 2, 6, 16, 20, 18, 22, 8, 12, 10, 14, 24, 28, 26, 30);
	const __m512i odd = _mm512_setr_epi32(1, 5, 3, 7, 17, 21, 19, 23, 9, 13, 11, 15, 25, 29, 27, 31);
	__m512i a = *x, b = *y;

	*x = _mm512_permutex2var_epi32(a, even, b);
	*y = _mm512_permutex2var_epi32(a, odd, b);
}

#endif
