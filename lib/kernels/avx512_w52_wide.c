/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx512_w52_ntt.h"

/* q < 2^50: a stage reduces its X by its bit 51, which nothing above it disturbs. X < 2^52 goes below
 * max(2^51, 2^52 - 2q), never below 0 as 2q < 2^51; T is in [0, 2q), so X + T and X - T + 2q are in [0, 2^52)
 * again. Eight operations, three of them products. */

INLINE __m512i begin(__m512i x, struct field f)
{
	(void)f;
	return x;
}

INLINE void butterfly(__m512i *x, __m512i *y, struct multiplier m, struct field f)
{
	const __mmask8 large = _mm512_test_epi64_mask(*x, _mm512_set1_epi64((long long)1 << 51));
	__m512i u = _mm512_mask_sub_epi64(*x, large, *x, f.q_2);
	__m512i twice = _mm512_add_epi64(u, _mm512_add_epi64(u, f.q_2));

	*x = add_shoup(u, *y, m.w, m.quotient, f.neg_q);
	*y = _mm512_sub_epi64(twice, *x);
}

INLINE void butterfly_of_one(__m512i *x, __m512i *y, struct field f)
{
	__m512i u = *x;

	*x = _mm512_add_epi64(u, *y);
	*y = _mm512_add_epi64(_mm512_sub_epi64(u, *y), f.q_2);
}

#define FORM(x) avx512_w52_wide_##x
#include "kernels/avx512_w8_ntt_body.h"
