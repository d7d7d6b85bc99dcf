/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_AVX512_W8_ORDER_H
#define KERNELS_AVX512_W8_ORDER_H

#include "kernels/avx512_w8.h"

/* Inside a pair of vectors x, y, at first elements 0..7 and 8..15: an exchange trades the bit of the element
 * number that is the next distance for the bit that tells x from y. Bits of the element number, x-or-y first,
 * then the place: forward   3 210 -> 2 310 -> 1 320 -> 0 321 with its lower two swapped, where the
 * butterflies of distances 4, 2, 1 happen; inverse the same way back, the natural order after distance 4. */

INLINE void exchange_words(__m512i *x, __m512i *y)
{
	__m512i a = *x, b = *y;

	*x = _mm512_unpacklo_epi64(a, b);
	*y = _mm512_unpackhi_epi64(a, b);
}

/* Halves of vectors. */
INLINE void exchange_halves(__m512i *x, __m512i *y)
{
	__m512i a = *x, b = *y;

	*x = _mm512_shuffle_i32x4(a, b, 0x44);
	*y = _mm512_shuffle_i32x4(a, b, 0xee);
}

/* Even and odd pairs of words. */
INLINE void exchange_pairs(__m512i *x, __m512i *y)
{
	__m512i a = *x, b = *y;

	*x = _mm512_shuffle_i32x4(a, b, 0x88);
	*y = _mm512_shuffle_i32x4(a, b, 0xdd);
}

/* Before the butterflies of distance 4 >> stage. */
INLINE void forward_exchange(__m512i *x, __m512i *y, int stage)
{
	if (stage == 0)
		exchange_halves(x, y);
	else if (stage == 1)
		exchange_pairs(x, y);
	else
		exchange_words(x, y);
}

/* After the butterflies of distance 1 << stage. */
INLINE void inverse_exchange(__m512i *x, __m512i *y, int stage)
{
	if (stage == 0)
		exchange_words(x, y);
	else if (stage == 1)
		exchange_halves(x, y);
	else
		exchange_pairs(x, y);
}

/* From the order of distance 1 to elements 0..7 and 8..15, and back. */
INLINE void forward_order(__m512i *x, __m512i *y)
{
	const __m512i low = _mm512_setr_epi64(0, 8, 1, 9, 4, 12, 5, 13);
	const __m512i high = _mm512_setr_epi64(2, 10, 3, 11, 6, 14, 7, 15);
	__m512i a = *x, b = *y;

	*x = _mm512_permutex2var_epi64(a, low, b);
	*y = _mm512_permutex2var_epi64(a, high, b);
}

INLINE void inverse_order(__m512i *x, __m512i *y)
{
	const __m512i even = _mm512_setr_epi64(0, 2, 8, 10, 4, 6, 12, 14);
	const __m512i odd = _mm512_setr_epi64(1, 3, 9, 11, 5, 7, 13, 15);
	__m512i a = *x, b = *y;

	*x = _mm512_permutex2var_epi64(a, even, b);
	*y = _mm512_permutex2var_epi64(a, odd, b);
}

#endif
