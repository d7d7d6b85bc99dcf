/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx2_apply.h"
#include "kernels/avx2_w64_digits.h"

/* Words of 8 bytes, q < 2^62: arrays of any length and alignment, through avx2_apply.h. */

struct constants {
	struct ring r;
	struct factor scale; /* 2^62 */
};

static struct constants constants_of(const struct kernels_prime *p)
{
	return (struct constants){.r = ring_for(p->q, p->neg_inv)};
}

INLINE __m256i add_lanes(__m256i a, __m256i b, const void *constants)
{
	const struct constants *c = constants;

	return less(add_words(a, b), c->r.q);
}

INLINE __m256i sub_lanes(__m256i a, __m256i b, const void *constants)
{
	const struct constants *c = constants;
	const __m256i x = _mm256_sub_epi64(a, b);

	return by_sign(x, x, add_words(x, c->r.q));
}

INLINE __m256i neg_lanes(__m256i a, __m256i b, const void *constants)
{
	(void)b;
	return sub_lanes(_mm256_setzero_si256(), a, constants);
}

/* Two steps of avx2_w64_digits.h divide a b by 2^62: with a b = p0 + p1 2^31 + p2 2^62, what is added to p1
 * keeps it below 2 (2^31 - 1)^2 + 2^32 + (2^31 - 1)^2, and m q0 is below (2^31 - 1)^2: just below 2^64. The
 * result, below 2q, times 2^62. */
INLINE __m256i mul_lanes(__m256i a, __m256i b, const void *constants)
{
	const struct constants *c = constants;
	const struct ring *r = &c->r;
	const __m256i a0 = _mm256_and_si256(a, r->digit), a1 = _mm256_srli_epi64(a, 31);
	const __m256i b0 = _mm256_and_si256(b, r->digit), b1 = _mm256_srli_epi64(b, 31);
	__m256i m, x;

	x = digits_reduce(mul_words(a0, b0), &m, r);
	x = add_words(x, mul_words(m, r->q_high));
	x = add_words(x, add_words(mul_words(a0, b1), mul_words(a1, b0)));
	x = digits_reduce(x, &m, r);
	x = add_words(add_words(x, mul_words(m, r->q_high)), mul_words(a1, b1));
	x = digits_product(less(x, r->q), c->scale, r);
	return less(less(x, r->q2), r->q);
}

static void add(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	const struct constants c = constants_of(p);

	apply(add_lanes, dst, a, b, 2 * n, &c);
}

static void sub(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	const struct constants c = constants_of(p);

	apply(sub_lanes, dst, a, b, 2 * n, &c);
}

static void neg(void *dst, const void *a, size_t n, const struct kernels_prime *p)
{
	const struct constants c = constants_of(p);

	apply(neg_lanes, dst, a, a, 2 * n, &c);
}

static void mul(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	struct constants c = constants_of(p);
	const struct constant scale = digits_encode(((uint64_t)1 << 62) % p->q, p->q);

	c.scale = (struct factor){all(scale.w), all(scale.quotient)};
	apply(mul_lanes, dst, a, b, 2 * n, &c);
}

void kernels_avx2_w64_arrays(struct kernels *k)
{
	k->add = add;
	k->sub = sub;
	k->neg = neg;
	k->mul = mul;
}
