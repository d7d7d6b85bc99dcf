/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_AVX2_W64_FMA_H
#define KERNELS_AVX2_W64_FMA_H

#include <string.h>

#include "kernels/avx2_w64.h"

/* Exact arithmetic modulo q < 2^50 on integers that doubles hold.
 *
 * What is assumed: IEEE doubles rounded to nearest, which is how a process begins (MXCSR; nobody in this
 * library changes it, and a host that does must set it back before it calls). No value here is subnormal:
 * integers, and quotients w / q that are 0 or above 2^-50. So neither flushing them nor their cost matters,
 * and the time of the instructions used (add, multiply, fused multiply-add) does not depend on the operands.
 *
 * The product y w mod q for integers |y| < 2^52 and |w| < q/2 (or |y|, |w| <= q):
 *    h = RN(y w), l = RN(y w - h)    h + l = y w exactly: a product of doubles and its rounding error
 *    c = RN(y (w/q))                 the nearest integer: adding 1.5 2^52 leaves no place for a fraction
 *    r = RN(h - c q) + l             = y w - c q
 * The quotient is within 2^-53 of w/q relatively and the fused multiply-add rounds once, so c is the nearest
 * integer to a number within |y| 2^-54 of y w / q: |r| <= q/2 + |y| q 2^-54. As |l| <= 2^48, h - c q = r - l
 * is an integer below 2^53, which is what RN gives; and so is its sum with l. |c| <= |y|/2 < 2^51, as the
 * addend needs. */

#define FMA_MAGIC 0x1.8p52 /* its last place is worth 1, and stays so for 2^51 around */

/** The integer nearest to a b; |a b| < 2^51. */
INLINE __m256d fma_nearest(__m256d a, __m256d b)
{
	const __m256d magic = _mm256_set1_pd(FMA_MAGIC);

	return _mm256_sub_pd(_mm256_fmadd_pd(a, b, magic), magic);
}

/** y w mod q, of either sign; quotient = RN(w / q). */
INLINE __m256d fma_product(__m256d y, __m256d w, __m256d quotient, __m256d q)
{
	const __m256d h = _mm256_mul_pd(y, w), l = _mm256_fmsub_pd(y, w, h);

	return _mm256_add_pd(_mm256_fnmadd_pd(fma_nearest(y, quotient), q, h), l);
}

/** |x| < 2^53 to at most q/2 + |x| 2^-52; q > 4. */
INLINE __m256d fma_settle(__m256d x, __m256d inverse_q, __m256d q)
{
	return _mm256_fnmadd_pd(fma_nearest(x, inverse_q), q, x);
}

/** Integers in [0, 2^52) as doubles: a double of 2^52 ends in them. */
INLINE __m256d fma_enter(__m256i x)
{
	const __m256d high = _mm256_set1_pd(0x1p52);

	return _mm256_sub_pd(_mm256_or_pd(_mm256_castsi256_pd(x), high), high);
}

/** Doubles in (-q, q) as integers in [0, q). No zero may have a sign, and none has that comes from here: a
 * sum is -0 only where both of its terms are, and fma_enter, l above, fma_nearest and the difference of equal
 * numbers are +0. */
INLINE __m256i fma_leave(__m256d x, __m256i q)
{
	const __m256d magic = _mm256_set1_pd(FMA_MAGIC);
	const __m256i bits = _mm256_castpd_si256(magic);

	return _mm256_sub_epi64(_mm256_castpd_si256(_mm256_add_pd(x, magic)),
		by_sign(_mm256_castpd_si256(x), bits, _mm256_sub_epi64(bits, q)));
}

#endif
