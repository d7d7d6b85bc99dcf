/* SPDX-License-Identifier: Apache-2.0 */
#include "base/u128.h"
#include "kernels/avx512_w52.h"
#include "kernels/avx512_w64.h"

/* affine, mul_add, sub_mul by Shoup's products of 52-bit words, from residues of at most 50 bits, too. */

struct arithmetic {
	__m512i q, neg_q;
	__m512i w, quotient;
	__m512i above; /* a multiple of q; no difference is negative, all are below 2^52 */
};

static bool fits(const struct kernels_prime *p, const struct kernels_prime *from)
{
	return p->bits <= AVX512_W52_BITS && from->bits <= AVX512_W52_BITS;
}

static struct arithmetic arithmetic_of(
	uint64_t w, const struct kernels_prime *p, const struct kernels_prime *from)
{
	return (struct arithmetic){
		.q = _mm512_set1_epi64((long long)p->q),
		.neg_q = negative(p->q),
		.w = _mm512_set1_epi64((long long)w),
		.quotient = _mm512_set1_epi64((long long)(uint64_t)(((uint128)w << WORD_BITS) / p->q)),
		.above = _mm512_set1_epi64((long long)((from->q / p->q + 1) * p->q)),
	};
}

INLINE __m512i times(__m512i y, const struct arithmetic *c)
{
	const __m512i x = add_shoup(_mm512_setzero_si512(), y, c->w, c->quotient, c->neg_q);

	return reduce_down(low_bits(x), c->q);
}

INLINE __m512i times_less(__m512i x, __m512i y, const struct arithmetic *c)
{
	return times(_mm512_sub_epi64(_mm512_add_epi64(x, c->above), y), c);
}

static struct kernels otherwise(void)
{
	struct kernels k = {0};

	avx512_w64_select_constants(&k);
	return k;
}

#include "kernels/avx512_w8_constants_body.h"

void avx512_w52_select_constants(struct kernels *k)
{
	k->affine = affine;
	k->mul_add = mul_add;
	k->sub_mul = sub_mul;
}
