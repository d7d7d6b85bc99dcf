/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx512_w8.h"
#include "kernels/forms.h"

#define MAX_FOLD_LOG 32 /* of more than anybody has memory for */

enum operation { ADD, SUB, NEG };

INLINE __m512i apply(enum operation operation, __m512i a, __m512i b, __m512i q)
{
	if (operation == ADD)
		return reduce_down(_mm512_add_epi64(a, b), q);
	if (operation == SUB)
		return reduce_up(_mm512_sub_epi64(a, b), q);
	return reduce_up(_mm512_sub_epi64(_mm512_setzero_si512(), a), q);
}

INLINE void pointwise(enum operation operation, uint64_t *dst, const uint64_t *a, const uint64_t *b, size_t n,
	uint64_t prime)
{
	const __m512i q = _mm512_set1_epi64((long long)prime);

	for (size_t i = 0; i < n; i += WORDS)
		store_words(dst + i, n - i,
			apply(operation, load_words(a + i, n - i), load_words(b + i, n - i), q));
}

static void add(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	pointwise(ADD, dst, a, b, n, p->q);
}

static void sub(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	pointwise(SUB, dst, a, b, n, p->q);
}

static void neg(void *dst, const void *a, size_t n, const struct kernels_prime *p)
{
	pointwise(NEG, dst, a, a, n, p->q);
}

static void interleave(void *dst, const void *src, size_t n, size_t terms, size_t t)
{
	const uint64_t *from = src;
	uint64_t *to = (uint64_t *)dst + t * KERNELS_LANES;

	for (size_t i = 0; i < n; i += KERNELS_LANES, to += terms * KERNELS_LANES) {
		_mm512_storeu_si512(to, _mm512_loadu_si512(from + i));
		_mm512_storeu_si512(to + WORDS, _mm512_loadu_si512(from + i + WORDS));
	}
}

static void permute(void *dst, const void *src, const uint32_t *map, size_t n)
{
	const uint64_t *from = src;
	uint64_t *to = dst;
	struct kernels generic;
	size_t i = 0;

	for (; i + WORDS <= n; i += WORDS) {
		/* the three low bits count */
		const __m512i at = _mm512_cvtepu32_epi64(
			_mm256_srli_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(map + i)), 1));
		const __m512i x = _mm512_loadu_si512(from + (map[i] >> 4) * 8);

		_mm512_storeu_si512(to + i, _mm512_permutexvar_epi64(at, x));
	}
	kernels_generic_w8(&generic);
	generic.permute(to + i, src, map + i, n - i);
}

/* Sums of neighbours: 8 of the 16 words of a, b. */
INLINE __m512i add_pairs(__m512i a, __m512i b, __m512i q)
{
	const __m512i even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
	const __m512i odd = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);

	return apply(ADD, _mm512_permutex2var_epi64(a, even, b), _mm512_permutex2var_epi64(a, odd, b), q);
}

/* Eight outputs are a tree of pairs over `fold` vectors; waiting[l] is the left half of a pair at height l.
 */
static void fold(void *dst, const void *src, size_t n, size_t fold, const struct kernels_prime *p)
{
	const __m512i q = _mm512_set1_epi64((long long)p->q);
	const uint64_t *from = src;
	uint64_t *z = dst;

	for (size_t i = 0; i < n; i += fold * WORDS) {
		__m512i waiting[MAX_FOLD_LOG + 1], x = _mm512_setzero_si512();

		for (size_t v = 0; v < fold; v++) {
			const size_t at = v * WORDS < n - i ? i + v * WORDS : n;
			unsigned height = 0;

			x = load_words(from + at, n - at);
			for (; v >> height & 1; height++)
				x = add_pairs(waiting[height], x, q);
			waiting[height] = x;
		}
		store_words(z + i / fold, (n - i) / fold, x);
	}
}

void avx512_w8_arrays_select(struct kernels *k)
{
	k->add = add;
	k->sub = sub;
	k->neg = neg;
	k->interleave = interleave;
	k->permute = permute;
	k->fold = fold;
}
