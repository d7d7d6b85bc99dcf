/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx2.h"
#include "kernels/forms.h"

/* dot and permute for words of 4 bytes, eight at a time; the generic form does the rest. */

static struct kernels generic(void)
{
	struct kernels k;

	kernels_generic_w4(&k);
	return k;
}

struct reduction {
	__m256i q, neg_inv, mont_one, mont_two;
};

/* x 2^-32 mod q, below 2q, in the high words; x < q 2^32. */
static inline __m256i redc(__m256i x, const struct reduction *r)
{
	return _mm256_add_epi64(x, _mm256_mul_epu32(_mm256_mul_epu32(x, r->neg_inv), r->q));
}

/* generic_body.h, dot: of any sums of 64 bits, in the even lanes and in the odd ones. */
static inline __m256i reduce_sums(__m256i even, __m256i odd, const struct reduction *r)
{
	const __m256i low = _mm256_set1_epi64x(UINT32_MAX);

	even = _mm256_add_epi64(_mm256_mul_epu32(odd_lanes(even), r->mont_one), _mm256_and_si256(even, low));
	odd = _mm256_add_epi64(_mm256_mul_epu32(odd_lanes(odd), r->mont_one), _mm256_and_si256(odd, low));
	/* what is below 2q times mont_two is below q 2^32 too */
	even = _mm256_mul_epu32(odd_lanes(redc(even, r)), r->mont_two);
	odd = _mm256_mul_epu32(odd_lanes(redc(odd, r)), r->mont_two);
	return reduce(high_words(redc(even, r), redc(odd, r)), r->q);
}

static void dot(void *dst, const void *const *a, const void *const *b, size_t terms, size_t n,
	const struct kernels_prime *p)
{
	const struct reduction r = {
		_mm256_set1_epi32((int)p->q),
		_mm256_set1_epi32((int)p->neg_inv),
		_mm256_set1_epi32((int)p->mont_one),
		_mm256_set1_epi32((int)p->mont_two),
	};
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		__m256i even = _mm256_setzero_si256(), odd = even;

		for (size_t t = 0; t < terms; t++) {
			const __m256i x = load_any((const uint32_t *)a[t] + i),
				      y = load_any((const uint32_t *)b[t] + i);

			even = _mm256_add_epi64(even, _mm256_mul_epu32(x, y));
			odd = _mm256_add_epi64(odd, _mm256_mul_epu32(odd_lanes(x), odd_lanes(y)));
		}
		store_any((uint32_t *)dst + i, reduce_sums(even, odd, &r));
	}
	for (; i < n; i++) {
		uint64_t sum = 0;

		for (size_t t = 0; t < terms; t++)
			sum += (uint64_t)((const uint32_t *)a[t])[i] * ((const uint32_t *)b[t])[i];
		((uint32_t *)dst)[i] = (uint32_t)(sum % p->q);
	}
}

static void permute(void *dst, const void *src, const uint32_t *map, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		const __m256i from = _mm256_srli_epi32(load_any(map + i), 1);
		const __m256i x = load_any((const uint32_t *)src + (map[i] >> 4) * 8);

		/* the three low bits count */
		store_any((uint32_t *)dst + i, _mm256_permutevar8x32_epi32(x, from));
	}
	generic().permute((uint32_t *)dst + i, src, map + i, n - i);
}

void kernels_avx2_rows(struct kernels *k)
{
	k->dot = dot;
	k->permute = permute;
}
