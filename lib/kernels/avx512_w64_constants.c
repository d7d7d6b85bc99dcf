/* SPDX-License-Identifier: Apache-2.0 */
#include "base/u128.h"
#include "kernels/avx512_w64.h"

/* affine, mul_add, sub_mul by Shoup's products of 64-bit words, for any pair of moduli. */

struct arithmetic {
	__m512i q, q_2;
	__m512i w, quotient, quotient_high; /* floor(w 2^64 / q), and its high half */
	__m512i above; /* a multiple of q; no difference is negative, none above 2^64 */
};

static bool fits(const struct kernels_prime *p, const struct kernels_prime *from)
{
	(void)p, (void)from;
	return true;
}

static struct arithmetic arithmetic_of(
	uint64_t w, const struct kernels_prime *p, const struct kernels_prime *from)
{
	const uint64_t quotient = (uint64_t)(((uint128)w << 64) / p->q);

	return (struct arithmetic){
		.q = _mm512_set1_epi64((long long)p->q),
		.q_2 = _mm512_set1_epi64((long long)p->q * 2),
		.w = _mm512_set1_epi64((long long)w),
		.quotient = _mm512_set1_epi64((long long)quotient),
		.quotient_high = _mm512_set1_epi64((long long)(quotient >> 32)),
		.above = _mm512_set1_epi64((long long)((from->q / p->q + 1) * p->q)),
	};
}

/* The high half of y quotient without what the product of the low words carries, and the low words of the
 * other two cut off: at most 2 too small. So what is left is below 4q. */
INLINE __m512i times(__m512i y, const struct arithmetic *c)
{
	const __m512i y1 = _mm512_srli_epi64(y, 32);
	const __m512i middle = _mm512_srli_epi64(_mm512_mul_epu32(y1, c->quotient), 32),
		      other = _mm512_srli_epi64(_mm512_mul_epu32(y, c->quotient_high), 32);
	const __m512i high =
		_mm512_add_epi64(_mm512_mul_epu32(y1, c->quotient_high), _mm512_add_epi64(middle, other));
	const __m512i rest = _mm512_sub_epi64(_mm512_mullo_epi64(y, c->w), _mm512_mullo_epi64(high, c->q));

	return reduce_down(reduce_down(rest, c->q_2), c->q);
}

INLINE __m512i times_less(__m512i x, __m512i y, const struct arithmetic *c)
{
	return times(_mm512_sub_epi64(_mm512_add_epi64(x, c->above), y), c);
}

static struct kernels otherwise(void)
{
	return (struct kernels){0};
}

#include "kernels/avx512_w8_constants_body.h"

void avx512_w64_select_constants(struct kernels *k)
{
	k->affine = affine;
	k->mul_add = mul_add;
	k->sub_mul = sub_mul;
}
