/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx2_apply.h"
#include "kernels/forms.h"

/* Words of 4 bytes: arrays of any length and alignment, through avx2_apply.h. */

/* What the operations take besides their operands. */
struct constants {
	__m256i q, neg_inv, mont_two;
};

static inline struct constants constants_of(const struct kernels_prime *p)
{
	return (struct constants){
		_mm256_set1_epi32((int)p->q),
		_mm256_set1_epi32((int)p->neg_inv),
		_mm256_set1_epi32((int)p->mont_two),
	};
}

static inline __m256i add_lanes(__m256i a, __m256i b, const void *constants)
{
	const struct constants *c = constants;

	return reduce(_mm256_add_epi32(a, b), c->q);
}

static inline __m256i sub_lanes(__m256i a, __m256i b, const void *constants)
{
	const struct constants *c = constants;

	return reduce(_mm256_add_epi32(a, _mm256_sub_epi32(c->q, b)), c->q);
}

static inline __m256i neg_lanes(__m256i a, __m256i b, const void *constants)
{
	const struct constants *c = constants;

	(void)b;
	return reduce(_mm256_sub_epi32(c->q, a), c->q);
}

/* a b 2^-32 mod q */
static inline __m256i mul_redc(__m256i a, __m256i b, const struct constants *c)
{
	__m256i even = _mm256_mul_epu32(a, b), odd = _mm256_mul_epu32(odd_lanes(a), odd_lanes(b));

	even = _mm256_add_epi64(even, _mm256_mul_epu32(_mm256_mul_epu32(even, c->neg_inv), c->q));
	odd = _mm256_add_epi64(odd, _mm256_mul_epu32(_mm256_mul_epu32(odd, c->neg_inv), c->q));
	return reduce(high_words(even, odd), c->q);
}

static inline __m256i mul_lanes(__m256i a, __m256i b, const void *constants)
{
	const struct constants *c = constants;

	return mul_redc(mul_redc(a, b, c), c->mont_two, c);
}

static void add(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	const struct constants c = constants_of(p);

	apply(add_lanes, dst, a, b, n, &c);
}

static void sub(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	const struct constants c = constants_of(p);

	apply(sub_lanes, dst, a, b, n, &c);
}

static void neg(void *dst, const void *a, size_t n, const struct kernels_prime *p)
{
	const struct constants c = constants_of(p);

	apply(neg_lanes, dst, a, a, n, &c);
}

static void mul(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	const struct constants c = constants_of(p);

	apply(mul_lanes, dst, a, b, n, &c);
}

void kernels_avx2_pointwise(struct kernels *k)
{
	k->add = add;
	k->sub = sub;
	k->neg = neg;
	k->mul = mul;
}
