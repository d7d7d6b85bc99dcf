/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_AVX2_W64_DIGITS_H
#define KERNELS_AVX2_W64_DIGITS_H

#include "kernels/avx2_w64.h"

/* Arithmetic modulo q < 2^62 on lanes of 64 bits: the multiplier takes 32, so numbers are two digits of 31
 * bits, x = x0 + x1 2^31, whose products leave room for sums.
 *
 * The product y w mod q by a constant w, for any y < 2^62: with the digits of W = w 2^31 mod q and of V = w
 * 2^62 mod q, a Montgomery step of one digit divides y0 W + y1 V (= y w 2^31) by 2^31: a = y0 W0 + y1 V0 <
 * 2^63 m = -a / q mod 2^31        so that a + m q0 ends in 31 zeros; it is below 2^63 + 2^62 r = (a + m q0) /
 * 2^31 + y0 W1 + y1 V1 + m q1 = (y0 W + y1 V + m q) / 2^31 < 3q        seven products, three of them for the
 * reduction */

struct ring {
	__m256i q, q2, q4, q_low, q_high, neg_inv, digit;
};

#define DIGIT (((uint64_t)1 << 31) - 1)

INLINE struct ring ring_for(uint64_t q, uint64_t neg_inv)
{
	return (struct ring){all(q), all(2 * q), all(4 * q), all(q & DIGIT), all(q >> 31),
		all(neg_inv & DIGIT), all(DIGIT)};
}

/* The digits of x < 2^62 in the halves of a word. */
static inline uint64_t digits(uint64_t x)
{
	return (x & DIGIT) | x >> 31 << 32;
}

/** The factor w < q. */
static inline struct constant digits_encode(uint64_t w, uint64_t q)
{
	const uint64_t once = (uint64_t)(((uint128)w << 31) % q);

	return (struct constant){digits(once), digits((uint64_t)(((uint128)once << 31) % q))};
}

INLINE __m256i mul_words(__m256i a, __m256i b)
{
	return _mm256_mul_epu32(a, b);
}

INLINE __m256i add_words(__m256i a, __m256i b)
{
	return _mm256_add_epi64(a, b);
}

/* (a + m q0) / 2^31 for the m that makes it whole; *m is the digit. */
INLINE __m256i digits_reduce(__m256i a, __m256i *m, const struct ring *r)
{
	*m = _mm256_and_si256(mul_words(a, r->neg_inv), r->digit);
	return _mm256_srli_epi64(add_words(a, mul_words(*m, r->q_low)), 31);
}

/** y w mod q in [0, 3q) for y < 2^62. */
INLINE __m256i digits_product(__m256i y, struct factor f, const struct ring *r)
{
	const __m256i low = _mm256_and_si256(y, r->digit), high = _mm256_srli_epi64(y, 31);
	const __m256i w1 = odd_lanes(f.w), v1 = odd_lanes(f.quotient);
	__m256i m, carry;

	carry = digits_reduce(add_words(mul_words(low, f.w), mul_words(high, f.quotient)), &m, r);
	return add_words(add_words(carry, mul_words(m, r->q_high)),
		add_words(mul_words(low, w1), mul_words(high, v1)));
}

#endif
