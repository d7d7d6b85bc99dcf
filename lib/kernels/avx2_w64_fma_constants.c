/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx2_w64_fma.h"

/* affine, mul_add, sub_mul for words of 8 bytes and q < 2^50, on doubles, from residues below 2^50: a
 * multiplicand is below 2^51, so a product by w in (-q/2, q/2) is at most 5q/8. */

#define BITS 50

struct arithmetic {
	__m256i q;
	__m256d q_double, w, quotient;
	__m256i half;
};

static bool fits(const struct kernels_prime *p, const struct kernels_prime *from)
{
	return p->bits <= BITS && from->bits <= BITS;
}

static struct arithmetic arithmetic_of(
	uint64_t w, uint64_t half, const struct kernels_prime *p, const struct kernels_prime *from)
{
	const double q = (double)p->q, centred = w > p->q / 2 ? -(double)(p->q - w) : (double)w;

	(void)from;
	return (struct arithmetic){all(p->q), _mm256_set1_pd(q), _mm256_set1_pd(centred),
		_mm256_set1_pd(centred / q), all(half)};
}

INLINE __m256i times(__m256i y, const struct arithmetic *c)
{
	return fma_leave(fma_product(fma_enter(y), c->w, c->quotient, c->q_double), c->q);
}

/* The difference of residues as the low bits of two doubles of 2^52 is that of the doubles. */
INLINE __m256i times_less(__m256i x, __m256i y, const struct arithmetic *c)
{
	const __m256d high = _mm256_set1_pd(0x1p52);
	const __m256d difference = _mm256_sub_pd(
		_mm256_or_pd(_mm256_castsi256_pd(x), high), _mm256_or_pd(_mm256_castsi256_pd(y), high));
	const __m256d up =
		_mm256_and_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(y, c->half)), _mm256_set1_pd(1.0));

	return fma_leave(_mm256_add_pd(fma_product(difference, c->w, c->quotient, c->q_double), up), c->q);
}

static struct kernels otherwise(void)
{
	struct kernels k;

	kernels_generic_w8(&k);
	kernels_avx2_w64_constants(&k);
	return k;
}

#include "kernels/avx2_w64_constants_body.h"

void kernels_avx2_w64_fma_constants(struct kernels *k, unsigned q_bits)
{
	if (q_bits > BITS)
		return;
	k->affine = affine;
	k->mul_add = mul_add;
	k->sub_mul = sub_mul;
}
