/* SPDX-License-Identifier: Apache-2.0 */
#include "base/u128.h"
#include "kernels/avx512_w64.h"

/* Barrett. With a and b moved up to 64 bits the high half of their product has ab / 2^(2 bits - 64) but for
 * less than 1, which is a quarter of a q or less; times floor(2^(2 bits) / q) / 2^64 it is a quotient at
 * most 2.5 too small. */
struct barrett {
	__m512i q, q_2, inverse;
	__m128i up;
};

INLINE __m512i product(__m512i a, __m512i b, struct barrett c)
{
	__m512i top = mul_high(_mm512_sll_epi64(a, c.up), _mm512_sll_epi64(b, c.up));
	__m512i quotient = mul_high(top, c.inverse);
	__m512i rest = _mm512_sub_epi64(_mm512_mullo_epi64(a, b), _mm512_mullo_epi64(quotient, c.q));

	return reduce_down(reduce_down(rest, c.q_2), c.q);
}

static void mul(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	const struct barrett c = {
		.q = _mm512_set1_epi64((long long)p->q),
		.q_2 = _mm512_set1_epi64((long long)p->q * 2),
		.inverse = _mm512_set1_epi64((long long)(uint64_t)(((uint128)1 << (2 * p->bits)) / p->q)),
		.up = _mm_cvtsi32_si128(64 - (int)p->bits),
	};
	const uint64_t *x = a, *y = b;
	uint64_t *z = dst;

	for (size_t i = 0; i < n; i += WORDS)
		store_words(z + i, n - i, product(load_words(x + i, n - i), load_words(y + i, n - i), c));
}

/* --- multiply-accumulate: sums of the 32-bit products. Those of the high halves are below 2^60, so CHUNK of
 * them fit a word; the others are added to two sums each, whole and without their low 32 bits. */

#define CHUNK 16

struct mac {
	size_t terms;
	__m512i q, neg_inv, inverse; /* floor(2^64 / q) */
};

struct sums {
	__m512i low, low_high, middle, middle_high, high;
};

INLINE struct sums mul_add(struct sums s, __m512i a, __m512i b)
{
	__m512i a1 = _mm512_srli_epi64(a, 32), b1 = _mm512_srli_epi64(b, 32);
	__m512i low = _mm512_mul_epu32(a, b);
	__m512i middle = _mm512_add_epi64(_mm512_mul_epu32(a1, b), _mm512_mul_epu32(a, b1)); /* < 2^63 */

	s.low = _mm512_add_epi64(s.low, low);
	s.low_high = _mm512_add_epi64(s.low_high, _mm512_srli_epi64(low, 32));
	s.middle = _mm512_add_epi64(s.middle, middle);
	s.middle_high = _mm512_add_epi64(s.middle_high, _mm512_srli_epi64(middle, 32));
	s.high = _mm512_add_epi64(s.high, _mm512_mul_epu32(a1, b1));
	return s;
}

/* The sum times 2^-64: its high word mod q, and the low one by Montgomery. */
INLINE __m512i redc(struct sums s, const struct mac *m)
{
	const __m512i one = _mm512_set1_epi64(1);
	/* what a whole sum has below bit 32 of its addends */
	__m512i low_low = _mm512_sub_epi64(s.low, _mm512_slli_epi64(s.low_high, 32));
	__m512i middle_low = _mm512_sub_epi64(s.middle, _mm512_slli_epi64(s.middle_high, 32));
	__m512i middle = _mm512_add_epi64(
		_mm512_add_epi64(s.low_high, middle_low), _mm512_srli_epi64(low_low, 32)); /* < 2^40 */
	__m512i low = _mm512_or_si512(
		_mm512_slli_epi64(middle, 32), _mm512_and_si512(low_low, _mm512_set1_epi64(UINT32_MAX)));
	__m512i high = _mm512_add_epi64(
		_mm512_add_epi64(s.high, s.middle_high), _mm512_srli_epi64(middle, 32)); /* sum < 2^128 */
	__m512i rest = _mm512_sub_epi64(high, _mm512_mullo_epi64(mul_high(high, m->inverse), m->q));
	__m512i x = mul_high(_mm512_mullo_epi64(low, m->neg_inv), m->q); /* low + ... is 0 mod 2^64 */

	x = _mm512_mask_add_epi64(x, _mm512_test_epi64_mask(low, low), x, one);
	return reduce_down(_mm512_add_epi64(reduce_down(rest, m->q), reduce_down(x, m->q)), m->q);
}

/* 8 coefficients of one output and one vector. */
INLINE __m512i row(const struct mac *m, const uint64_t *w, const uint64_t *x)
{
	const __m512i zero = _mm512_setzero_si512();
	__m512i sum = zero;

	for (size_t begin = 0; begin < m->terms; begin += CHUNK) {
		const size_t end = m->terms - begin < CHUNK ? m->terms : begin + CHUNK;
		struct sums s = {zero, zero, zero, zero, zero};

		for (size_t t = begin * KERNELS_LANES; t < end * KERNELS_LANES; t += KERNELS_LANES)
			s = mul_add(s, _mm512_loadu_si512(w + t), _mm512_loadu_si512(x + t));
		sum = reduce_down(_mm512_add_epi64(sum, redc(s, m)), m->q);
	}
	return sum;
}

static struct mac mac_of(size_t terms, const struct kernels_prime *p)
{
	return (struct mac){
		.terms = terms,
		.q = _mm512_set1_epi64((long long)p->q),
		.neg_inv = _mm512_set1_epi64((long long)p->neg_inv),
		.inverse = _mm512_set1_epi64((long long)(uint64_t)(((uint128)1 << 64) / p->q)),
	};
}

static void mac(void *const *out, const void *w, const void *const *x, unsigned vectors, size_t n,
	size_t outputs, size_t terms, const struct kernels_prime *p)
{
	const struct mac m = mac_of(terms, p);
	const uint64_t *block = w;

	for (size_t i = 0; i < n; i += KERNELS_LANES) {
		for (size_t o = 0; o < outputs; o++, block += terms * KERNELS_LANES) {
			for (unsigned v = 0; v < vectors; v++) {
				const uint64_t *from = (const uint64_t *)x[v] + i * terms;
				uint64_t *to = (uint64_t *)out[v] + o * n + i;

				for (size_t l = 0; l < KERNELS_LANES; l += WORDS)
					_mm512_storeu_si512(to + l, row(&m, block + l, from + l));
			}
		}
	}
}

/* --- by constants, by Shoup */

struct constant {
	__m512i w, quotient; /* floor(w 2^64 / q) */
};

static struct constant constant_of(uint64_t w, uint64_t q)
{
	return (struct constant){
		.w = _mm512_set1_epi64((long long)w),
		.quotient = _mm512_set1_epi64((long long)(uint64_t)(((uint128)w << 64) / q)),
	};
}

/* y w mod q, for any y. */
INLINE __m512i mul_by(__m512i y, struct constant c, __m512i q)
{
	__m512i high = mul_high(y, c.quotient);

	return reduce_down(_mm512_sub_epi64(_mm512_mullo_epi64(y, c.w), _mm512_mullo_epi64(high, q)), q);
}

/* --- sums of products of rows: those of mac, times 2^64 */

static void dot(void *dst, const void *const *a, const void *const *b, size_t terms, size_t n,
	const struct kernels_prime *p)
{
	const struct constant scale = constant_of(p->mont_one, p->q);
	const struct mac m = mac_of(terms, p);
	const __m512i zero = _mm512_setzero_si512();

	for (size_t i = 0; i < n; i += WORDS) {
		__m512i sum = zero;

		for (size_t t = 0; t < terms;) {
			const size_t end = terms - t < CHUNK ? terms : t + CHUNK;
			struct sums s = {zero, zero, zero, zero, zero};

			for (; t < end; t++)
				s = mul_add(s, load_words((const uint64_t *)a[t] + i, n - i),
					load_words((const uint64_t *)b[t] + i, n - i));
			sum = reduce_down(_mm512_add_epi64(sum, redc(s, &m)), m.q);
		}
		store_words((uint64_t *)dst + i, n - i, mul_by(sum, scale, m.q));
	}
}

/* --- remainders of 128 bits: the high word times 2^64 mod q, and the low one */

static void remainder_of_wide(void *dst, const uint8_t *bytes, size_t n, const struct kernels_prime *p)
{
	const struct constant one = constant_of(1, p->q), power = constant_of(p->mont_one, p->q);
	const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7),
		      q = _mm512_set1_epi64((long long)p->q);
	uint64_t *z = dst;

	for (size_t i = 0; i < n; i += WORDS, bytes += 16 * WORDS) {
		const size_t count = n - i < WORDS ? n - i : WORDS, first = count < 4 ? count : 4;
		const __m512i a = load_words(bytes, 2 * first),
			      b = load_words(bytes + 64, 2 * (count - first));
		/* numbers 0 4 1 5 2 6 3 7 */
		__m512i low = mul_by(_mm512_unpacklo_epi64(a, b), one, q);
		__m512i high = mul_by(_mm512_unpackhi_epi64(a, b), power, q);
		__m512i x = reduce_down(_mm512_add_epi64(low, high), q);

		store_words(z + i, count, _mm512_permutexvar_epi64(order, x));
	}
}

void avx512_w64_select_products(struct kernels *k)
{
	k->mul = mul;
	k->remainder = remainder_of_wide;
	k->mac = mac;
	k->dot = dot;
}
