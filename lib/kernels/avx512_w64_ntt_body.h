/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx512_w64.h"
#include "kernels/avx512_w8_ntt.h"
#include "kernels/avx512_w8_order.h"

/* Not a header: the arithmetic of both DQ forms of the transform, included once a form with WIDE defined.
 * Between stages values are in [0, 2m), where T is in [0, m): m = 4q, as the product gives it, or 2q, to
 * which a wide form brings it; 2m <= 2^64. A stage reduces its X to [0, m); X + T and X - T + m follow. */

struct field {
	__m512i q, q_2, neg_q, m;
};

INLINE struct field field_of(const struct table *t)
{
	return (struct field){
		.q = _mm512_set1_epi64((long long)t->q),
		.q_2 = _mm512_set1_epi64((long long)t->q * 2),
		.neg_q = _mm512_set1_epi64(-(long long)t->q),
		.m = _mm512_set1_epi64((long long)t->q * (WIDE ? 2 : 4)),
	};
}

/* `high` has the upper half of the quotient in the lower half of a word: they are read from half a word on.
 */
struct multiplier {
	__m512i w, quotient, high;
};

INLINE struct multiplier multiplier_one(const struct factor *c)
{
	return (struct multiplier){.w = _mm512_set1_epi64((long long)c->w),
		.quotient = _mm512_set1_epi64((long long)c->quotient),
		.high = _mm512_set1_epi32((int)(c->quotient >> 32))};
}

INLINE struct multiplier multiplier_each(const struct factors *c)
{
	return (struct multiplier){.w = _mm512_load_si512(c->w),
		.quotient = _mm512_load_si512(c->quotient),
		.high = _mm512_loadu_si512((const char *)c->quotient + 4)};
}

/* y w mod q in [0, 4q), for any y < 2^64. Of the four 32-bit products of quotient and y the one of the low
 * halves is left out, and the middle ones lose what is below bit 32: less than 3 together. */
INLINE __m512i mul_shoup(__m512i y, struct multiplier m, struct field f)
{
	__m512i y_high = _mm512_srli_epi64(y, 32);
	__m512i middle = _mm512_srli_epi64(_mm512_mul_epu32(m.high, y), 32);
	__m512i other = _mm512_srli_epi64(_mm512_mul_epu32(m.quotient, y_high), 32);
	__m512i high = _mm512_add_epi64(_mm512_mul_epu32(m.high, y_high), _mm512_add_epi64(middle, other));

	return _mm512_add_epi64(_mm512_mullo_epi64(m.w, y), _mm512_mullo_epi64(high, f.neg_q));
}

INLINE __m512i begin(__m512i x, struct field f)
{
	(void)f;
	return x;
}

INLINE void butterfly(__m512i *x, __m512i *y, struct multiplier m, struct field f)
{
	__m512i u = reduce_down(*x, f.m), t = mul_shoup(*y, m, f);

	if (WIDE)
		t = reduce_down(t, f.q_2);
	*x = _mm512_add_epi64(u, t);
	*y = _mm512_add_epi64(_mm512_sub_epi64(u, t), f.m);
}

INLINE void butterfly_of_one(__m512i *x, __m512i *y, struct field f)
{
	__m512i u = *x;

	*x = _mm512_add_epi64(u, *y);
	*y = _mm512_add_epi64(_mm512_sub_epi64(u, *y), f.m);
}

/* x in [0, 4q) to [0, q). */
INLINE __m512i reduce_twice(__m512i x, struct field f)
{
	return reduce_down(reduce_down(x, f.q_2), f.q);
}

INLINE __m512i finish(__m512i x, struct field f)
{
	return reduce_twice(WIDE ? x : reduce_down(x, f.m), f);
}

INLINE __m512i scale(__m512i x, struct multiplier m, struct field f)
{
	return reduce_twice(mul_shoup(x, m, f), f);
}

#include "kernels/avx512_w8_ntt_body.h"
