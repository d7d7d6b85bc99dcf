/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx2_apply.h"
#include "kernels/forms.h"

/* Words of 4 bytes: arrays of any length and alignment, through avx2_apply.h. */

/* What the operations take besides their operands. */
struct constants {
	__m256i q, neg_inv, mont_two;
	__m256i inverse; /* of barrett_lanes, as `below` is */
	__m128i below;
};

static inline struct constants constants_of(const struct kernels_prime *p)
{
	return (struct constants){
		.q = _mm256_set1_epi32((int)p->q),
		.neg_inv = _mm256_set1_epi32((int)p->neg_inv),
		.mont_two = _mm256_set1_epi32((int)p->mont_two),
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

#define BARRETT_BITS 29

/* Of bits <= 29: the product's bits from bits - 2 on, which 32 hold, times floor(2^(bits+30) / q) / 2^32.
 * What is cut off the first factor takes less than 2^(bits-2) / q <= 1/2 from the quotient, what is cut off
 * the second less than 2^(bits-30) <= 1/2: rounded down, it leaves a rest below 2q. */
INLINE void barrett(__m256i *a, const __m256i *b, int count, const void *constants)
{
	const struct constants *c = constants;
	__m256i even[CHAINS], odd[CHAINS];

	UNROLL
	for (int k = 0; k < count; k++) {
		even[k] = _mm256_mul_epu32(a[k], b[k]);
		odd[k] = _mm256_mul_epu32(odd_lanes(a[k]), odd_lanes(b[k]));
		a[k] = _mm256_mullo_epi32(a[k], b[k]);
	}
	UNROLL
	for (int k = 0; k < count; k++) {
		even[k] = _mm256_mul_epu32(_mm256_srl_epi64(even[k], c->below), c->inverse);
		odd[k] = _mm256_mul_epu32(_mm256_srl_epi64(odd[k], c->below), c->inverse);
	}
	UNROLL
	for (int k = 0; k < count; k++)
		even[k] = _mm256_mullo_epi32(high_words(even[k], odd[k]), c->q);
	UNROLL
	for (int k = 0; k < count; k++)
		a[k] = reduce(_mm256_sub_epi32(a[k], even[k]), c->q);
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

static void mul_barrett(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	struct constants c = constants_of(p);

	REQUIRE(p->bits <= BARRETT_BITS);
	c.inverse = _mm256_set1_epi32((int)(uint32_t)(((uint64_t)1 << (p->bits + 30)) / p->q));
	c.below = _mm_cvtsi32_si128((int)p->bits - 2);
	apply_chains(barrett, 4, dst, a, b, n, &c);
}

void kernels_avx2_pointwise(struct kernels *k, unsigned q_bits)
{
	k->add = add;
	k->sub = sub;
	k->neg = neg;
	k->mul = q_bits <= BARRETT_BITS ? mul_barrett : mul;
}
