/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_AVX512_W52_NTT_H
#define KERNELS_AVX512_W52_NTT_H

#include "kernels/avx512_w52.h"
#include "kernels/avx512_w8_ntt.h"
#include "kernels/avx512_w8_order.h"

/* The arithmetic that both IFMA forms of the transform have. Between stages a value is a word modulo 2^52
 * that stands for an integer in [0, 2^52). */

struct field {
	__m512i q, q_2, neg_q;
	__m512i inverse; /* floor(2^52 / q) */
	__m512i lift; /* what the lean form begins with */
};

INLINE struct field field_of(const struct table *t)
{
	return (struct field){
		.q = _mm512_set1_epi64((long long)t->q),
		.q_2 = _mm512_set1_epi64((long long)t->q * 2),
		.neg_q = negative(t->q),
		.inverse = _mm512_set1_epi64((long long)(((uint64_t)1 << WORD_BITS) / t->q)),
		.lift = _mm512_set1_epi64((long long)t->q * 32),
	};
}

struct multiplier {
	__m512i w, quotient;
};

INLINE struct multiplier multiplier_one(const struct factor *c)
{
	return (struct multiplier){.w = _mm512_set1_epi64((long long)c->w),
		.quotient = _mm512_set1_epi64((long long)c->quotient)};
}

INLINE struct multiplier multiplier_each(const struct factors *c)
{
	return (struct multiplier){.w = _mm512_load_si512(c->w), .quotient = _mm512_load_si512(c->quotient)};
}

/* Barrett: what is left is below 2q. */
INLINE __m512i finish(__m512i x, struct field f)
{
	__m512i high = _mm512_madd52hi_epu64(_mm512_setzero_si512(), x, f.inverse);

	return reduce_down(low_bits(_mm512_madd52lo_epu64(x, high, f.neg_q)), f.q);
}

INLINE __m512i scale(__m512i x, struct multiplier m, struct field f)
{
	return reduce_down(low_bits(add_shoup(_mm512_setzero_si512(), x, m.w, m.quotient, f.neg_q)), f.q);
}

#endif
