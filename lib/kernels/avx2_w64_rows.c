/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx2_w64_digits.h"

/* dot and permute for words of 8 bytes, four at a time; the generic form does the rest, and dot for q of more
 * than 56 bits. */

static struct kernels generic(void)
{
	struct kernels k;

	kernels_generic_w8(&k);
	return k;
}

#define HALF 28 /* bits: numbers below 2^56 in two */
#define CHUNK 32 /* products whose sum, times 2^-56, is below 2^62 */

struct reduction {
	struct ring r;
	struct factor scale; /* 2^56 */
	__m256i q_low, q_high, neg_inv, half;
};

static struct reduction reduction_of(const struct kernels_prime *p)
{
	const uint64_t mask = ((uint64_t)1 << HALF) - 1;
	const struct constant scale = digits_encode(((uint64_t)1 << 2 * HALF) % p->q, p->q);

	return (struct reduction){ring_for(p->q, p->neg_inv), {all(scale.w), all(scale.quotient)},
		all(p->q & mask), all(p->q >> HALF), all(p->neg_inv & mask), all(mask)};
}

/* Montgomery with digits of 28 bits: x[0] + x[1] 2^28 + x[2] 2^56, of at most CHUNK products, times 2^-56
 * below CHUNK q + 2q; every sum below is less than 2^63. Then times 2^56. */
INLINE __m256i reduce_sums(const __m256i x[3], const struct reduction *r)
{
	__m256i m = _mm256_and_si256(mul_words(x[0], r->neg_inv), r->half), y, z;

	y = _mm256_srli_epi64(add_words(x[0], mul_words(m, r->q_low)), HALF);
	y = add_words(add_words(y, x[1]), mul_words(m, r->q_high));
	m = _mm256_and_si256(mul_words(y, r->neg_inv), r->half);
	z = _mm256_srli_epi64(add_words(y, mul_words(m, r->q_low)), HALF);
	z = add_words(add_words(z, x[2]), mul_words(m, r->q_high));
	z = digits_product(z, r->scale, &r->r);
	return less(less(z, r->r.q2), r->r.q);
}

INLINE void add_product(__m256i x[3], __m256i a, __m256i b, __m256i half)
{
	const __m256i a0 = _mm256_and_si256(a, half), a1 = _mm256_srli_epi64(a, HALF);
	const __m256i b0 = _mm256_and_si256(b, half), b1 = _mm256_srli_epi64(b, HALF);

	x[0] = add_words(x[0], mul_words(a0, b0));
	x[1] = add_words(x[1], add_words(mul_words(a0, b1), mul_words(a1, b0)));
	x[2] = add_words(x[2], mul_words(a1, b1));
}

static size_t dot_loop(void *dst, const void *const *a, const void *const *b, size_t terms, size_t n,
	const struct kernels_prime *p)
{
	const struct reduction r = reduction_of(p);
	size_t i = 0;

	for (; i + 4 <= n; i += 4) {
		__m256i result = _mm256_setzero_si256();

		for (size_t t = 0; t < terms;) {
			const size_t end = terms - t < CHUNK ? terms : t + CHUNK;
			__m256i x[3] = {0};

			for (; t < end; t++)
				add_product(x, load_any((const uint64_t *)a[t] + i),
					load_any((const uint64_t *)b[t] + i), r.half);
			result = less(add_words(result, reduce_sums(x, &r)), r.r.q);
		}
		store_any((uint64_t *)dst + i, result);
	}
	return i;
}

static void dot(void *dst, const void *const *a, const void *const *b, size_t terms, size_t n,
	const struct kernels_prime *p)
{
	size_t i = p->bits <= 2 * HALF ? dot_loop(dst, a, b, terms, n, p) : 0;

	for (; i < n; i++) {
		uint128 sum = 0;

		for (size_t t = 0; t < terms; t++)
			sum += (uint128)((const uint64_t *)a[t])[i] * ((const uint64_t *)b[t])[i];
		((uint64_t *)dst)[i] = (uint64_t)(sum % p->q);
	}
}

static void permute(void *dst, const void *src, const uint32_t *map, size_t n)
{
	const __m256i ones = all((uint64_t)1 << 32);
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		const uint64_t *from = (const uint64_t *)src + (map[i] >> 4) * 8;
		const __m256i x = load_any(from), y = load_any(from + 4);

		for (size_t k = i; k < i + 8; k += 4) {
			/* 2 map, 2 map + 1 in halves of a word: the places of 32 bits; map counts in halves
			 */
			__m256i at = _mm256_cvtepu32_epi64(
				_mm_loadu_si128((const __m128i *)(const void *)(map + k)));
			__m256i upper = _mm256_slli_epi64(at, 60);

			at = _mm256_and_si256(at, all(6));
			at = _mm256_or_si256(_mm256_or_si256(at, _mm256_slli_epi64(at, 32)), ones);
			store_any((uint64_t *)dst + k, by_sign(upper, _mm256_permutevar8x32_epi32(x, at),
							       _mm256_permutevar8x32_epi32(y, at)));
		}
	}
	generic().permute((uint64_t *)dst + i, src, map + i, n - i);
}

void kernels_avx2_w64_rows(struct kernels *k)
{
	k->dot = dot;
	k->permute = permute;
}
