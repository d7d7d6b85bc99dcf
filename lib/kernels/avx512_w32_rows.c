/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx512_w32.h"
#include "kernels/forms.h"

/* dot and permute. */

static void dot(void *dst, const void *const *a, const void *const *b, size_t terms, size_t n,
	const struct kernels_prime *p)
{
	const struct redc r = redc_of(p, false);
	/* 2^32 mod q as a factor: undoes redc */
	const __m512i w = _mm512_set1_epi32((int)p->mont_one);
	const __m512i quotient = _mm512_set1_epi32((int)((p->mont_one << 32) / p->q));
	const __m512i neg_q = _mm512_set1_epi32(-(int)p->q);

	for (size_t i = 0; i < n; i += WORDS) {
		__m512i even = _mm512_setzero_si512(), odd = even;

		for (size_t t = 0; t < terms; t++) {
			const __m512i x = load_words((const uint32_t *)a[t] + i, n - i),
				      y = load_words((const uint32_t *)b[t] + i, n - i);

			even = _mm512_add_epi64(even, _mm512_mul_epu32(x, y));
			odd = _mm512_add_epi64(odd, _mm512_mul_epu32(odd_words(x), odd_words(y)));
		}
		store_words((uint32_t *)dst + i, n - i,
			reduce_down(mul_shoup(redc(even, odd, r), w, quotient, quotient, neg_q), r.q));
	}
}

/* The group of eight that the places from map on come from. */
INLINE __m256i group_of(const uint32_t *src, const uint32_t *map)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)(src + (map[0] >> 4) * 8));
}

static void permute(void *dst, const void *src, const uint32_t *map, size_t n)
{
	const __m512i group = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 8, 8, 8, 8, 8, 8, 8, 8);
	const uint32_t *from = src;
	uint32_t *to = dst;
	struct kernels generic;
	size_t i = 0;

	for (; i + WORDS <= n; i += WORDS) {
		const __m512i x = _mm512_inserti64x4(
			_mm512_castsi256_si512(group_of(from, map + i)), group_of(from, map + i + 8), 1);
		const __m512i at = _mm512_and_si512(
			_mm512_srli_epi32(_mm512_loadu_si512(map + i), 1), _mm512_set1_epi32(7));

		_mm512_storeu_si512(to + i, _mm512_permutexvar_epi32(_mm512_or_si512(at, group), x));
	}
	kernels_generic_w4(&generic);
	generic.permute(to + i, src, map + i, n - i);
}

void avx512_w32_select_rows(struct kernels *k)
{
	k->dot = dot;
	k->permute = permute;
}
