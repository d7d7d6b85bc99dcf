/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx2_w64_digits.h"

/* affine, mul_add, sub_mul for words of 8 bytes, with the products of avx2_w64_digits.h: q and the modulus
 * that residues come from below 2^60. */

struct arithmetic {
	__m256i q;
	struct ring r;
	struct factor w;
	__m256i above; /* a multiple of q; no difference is negative */
	__m256i half;
};

/* x + above - y < 2q + 2^60 must be a multiplicand, below 2^62. */
static bool fits(const struct kernels_prime *p, const struct kernels_prime *from)
{
	return p->bits <= 60 && from->bits <= 60;
}

static struct arithmetic arithmetic_of(
	uint64_t w, uint64_t half, const struct kernels_prime *p, const struct kernels_prime *from)
{
	const struct constant c = digits_encode(w, p->q);

	return (struct arithmetic){
		.q = all(p->q),
		.r = ring_for(p->q, p->neg_inv),
		.w = {all(c.w), all(c.quotient)},
		.above = all((from->q / p->q + 1) * p->q),
		.half = all(half),
	};
}

INLINE __m256i times(__m256i y, const struct arithmetic *c)
{
	return less(less(digits_product(y, c->w, &c->r), c->r.q2), c->q);
}

/* A comparison that holds is -1. The product is below q where the multiplicand is 0 and one below 3q
 * elsewhere: one more fits before what takes q off, as `less` takes off what is q or more. */
INLINE __m256i times_less(__m256i x, __m256i y, const struct arithmetic *c)
{
	const __m256i up = _mm256_cmpgt_epi64(y, c->half);
	const __m256i z = digits_product(_mm256_sub_epi64(add_words(x, c->above), y), c->w, &c->r);

	return less(less(_mm256_sub_epi64(z, up), c->r.q2), c->q);
}

static struct kernels otherwise(void)
{
	struct kernels k;

	kernels_generic_w8(&k);
	return k;
}

#include "kernels/avx2_w64_constants_body.h"

void kernels_avx2_w64_constants(struct kernels *k)
{
	k->affine = affine;
	k->mul_add = mul_add;
	k->sub_mul = sub_mul;
}
