/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx2.h"
#include "kernels/forms.h"

/* Loops over arrays of any length and alignment; the last few lanes go through a mask. */

static inline __m256i lanes_below(size_t count)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline __m256i load_some(const uint32_t *at, __m256i lanes)
{
	return _mm256_maskload_epi32((const int *)at, lanes);
}

static inline void store_some(uint32_t *at, __m256i lanes, __m256i v)
{
	_mm256_maskstore_epi32((int *)at, lanes, v);
}

/* What the operations take besides their operands. */
struct constants {
	__m256i q, neg_inv, mont_two;
};

typedef __m256i operation(__m256i a, __m256i b, const struct constants *c);

static inline __attribute__((always_inline)) void apply(
	operation *f, void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	const struct constants c = {
		_mm256_set1_epi32((int)p->q),
		_mm256_set1_epi32((int)p->neg_inv),
		_mm256_set1_epi32((int)p->mont_two),
	};
	const uint32_t *x = a, *y = b;
	uint32_t *z = dst;
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
		store_any(z + i, f(load_any(x + i), load_any(y + i), &c));
	if (i < n) {
		const __m256i lanes = lanes_below(n - i);

		store_some(z + i, lanes, f(load_some(x + i, lanes), load_some(y + i, lanes), &c));
	}
}

static inline __m256i add_lanes(__m256i a, __m256i b, const struct constants *c)
{
	return reduce(_mm256_add_epi32(a, b), c->q);
}

static inline __m256i sub_lanes(__m256i a, __m256i b, const struct constants *c)
{
	return reduce(_mm256_add_epi32(a, _mm256_sub_epi32(c->q, b)), c->q);
}

static inline __m256i neg_lanes(__m256i a, __m256i b, const struct constants *c)
{
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

static inline __m256i mul_lanes(__m256i a, __m256i b, const struct constants *c)
{
	return mul_redc(mul_redc(a, b, c), c->mont_two, c);
}

static void add(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	apply(add_lanes, dst, a, b, n, p);
}

static void sub(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	apply(sub_lanes, dst, a, b, n, p);
}

static void neg(void *dst, const void *a, size_t n, const struct kernels_prime *p)
{
	apply(neg_lanes, dst, a, a, n, p);
}

static void mul(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	apply(mul_lanes, dst, a, b, n, p);
}

void kernels_avx2_pointwise(struct kernels *k)
{
	k->add = add;
	k->sub = sub;
	k->neg = neg;
	k->mul = mul;
}
