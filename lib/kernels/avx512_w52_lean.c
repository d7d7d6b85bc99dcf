/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx512_w52_ntt.h"

/* q < 2^46: no reduction between stages. Values begin as residues and 32q, of which a stage takes or to which
 * it adds less than 2q; 15 stages leave them in (2q, 63q), and 64q <= 2^52. A butterfly is five operations,
 * three of them products. */

INLINE __m512i begin(__m512i x, struct field f)
{
	return _mm512_add_epi64(x, f.lift);
}

INLINE void butterfly(__m512i *x, __m512i *y, struct multiplier m, struct field f)
{
	__m512i twice = _mm512_add_epi64(*x, *x);

	*x = add_shoup(*x, *y, m.w, m.quotient, f.neg_q);
	*y = _mm512_sub_epi64(twice, *x);
}

INLINE void butterfly_of_one(__m512i *x, __m512i *y, struct field f)
{
	__m512i u = begin(*x, f);

	*x = _mm512_add_epi64(u, *y);
	*y = _mm512_sub_epi64(u, *y);
}

#define FORM(x) avx512_w52_lean_##x
#include "kernels/avx512_w8_ntt_body.h"
