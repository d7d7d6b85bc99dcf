/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx512_w32.h"

/* affine, mul_add, sub_mul, from residues of either width. */

struct factor {
	__m512i w, quotient; /* floor(w 2^32 / q) */
};

/* What multiplies the low and the high words of residues. */
struct factors {
	struct factor low, high;
	__m512i q, neg_q;
};

static struct factor factor_of(uint64_t w, uint64_t q)
{
	return (struct factor){_mm512_set1_epi32((int)w), _mm512_set1_epi32((int)((w << 32) / q))};
}

static struct factors factors_of(uint64_t w, uint64_t q)
{
	return (struct factors){factor_of(w, q), factor_of((w << 32) % q, q), _mm512_set1_epi32((int)q),
		_mm512_set1_epi32(-(int)q)};
}

/* w y mod q, for any words. */
INLINE __m512i mul_by(__m512i y, struct factor f, const struct factors *c)
{
	return reduce_down(mul_shoup(y, f.w, f.quotient, f.quotient, c->neg_q), c->q);
}

/* The same of eight and eight words of 8 bytes. */
INLINE __m512i mul_wide(__m512i a, __m512i b, const struct factors *c)
{
	const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
	const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
	__m512i low = mul_by(_mm512_permutex2var_epi32(a, even, b), c->low, c);
	__m512i high = mul_by(_mm512_permutex2var_epi32(a, odd, b), c->high, c);

	return reduce_down(_mm512_add_epi32(low, high), c->q);
}

/* n words of 8 bytes, sixteen at most, in two vectors. */
INLINE void load_wide(__m512i x[2], const uint64_t *from, size_t n)
{
	x[0] = load_words(from, 2 * n);
	x[1] = n > WORDS / 2 ? load_words(from + WORDS / 2, 2 * n - WORDS) : _mm512_setzero_si512();
}

/* w b[i] mod q, and of what follows; n - i of them at most. */
INLINE __m512i mul_from(const void *b, size_t i, size_t n, const struct factors *c, unsigned width)
{
	if (width == 4) {
		return mul_by(load_words((const uint32_t *)b + i, n - i), c->low, c);
	} else {
		__m512i x[2];

		load_wide(x, (const uint64_t *)b + i, n - i < WORDS ? n - i : WORDS);
		return mul_wide(x[0], x[1], c);
	}
}

INLINE void affine_loop(
	uint32_t *z, const void *b, size_t n, const struct factors *c, uint64_t k, unsigned width)
{
	const __m512i add = _mm512_set1_epi32((int)k);

	for (size_t i = 0; i < n; i += WORDS)
		store_words(
			z + i, n - i, reduce_down(_mm512_add_epi32(mul_from(b, i, n, c, width), add), c->q));
}

static void affine(void *dst, const void *b, size_t n, uint64_t w, uint64_t k, const struct kernels_prime *p,
	const struct kernels_prime *from)
{
	const struct factors c = factors_of(w, p->q);

	if (from->width == 4)
		affine_loop(dst, b, n, &c, k, 4);
	else
		affine_loop(dst, b, n, &c, k, 8);
}

INLINE void mul_add_loop(uint32_t *z, const uint32_t *a, const void *b, size_t n, const struct factors *c,
	uint64_t k, unsigned width)
{
	const __m512i add = _mm512_set1_epi32((int)k);

	for (size_t i = 0; i < n; i += WORDS) {
		__m512i y = reduce_down(_mm512_add_epi32(mul_from(b, i, n, c, width), add), c->q);

		y = _mm512_add_epi32(load_words(a + i, n - i), y);
		store_words(z + i, n - i, reduce_down(y, c->q));
	}
}

static void mul_add(void *dst, const void *a, const void *b, size_t n, uint64_t w, uint64_t k,
	const struct kernels_prime *p, const struct kernels_prime *from)
{
	const struct factors c = factors_of(w, p->q);

	if (from->width == 4)
		mul_add_loop(dst, a, b, n, &c, k, 4);
	else
		mul_add_loop(dst, a, b, n, &c, k, 8);
}

/* One where b[i] > half. */
INLINE __m512i above_half(const void *b, size_t i, size_t n, uint64_t half, unsigned width)
{
	const __m512i one = _mm512_set1_epi32(1);

	if (width == 4) {
		const __m512i limit = _mm512_set1_epi32(half > UINT32_MAX ? -1 : (int)(uint32_t)half);
		const __m512i x = load_words((const uint32_t *)b + i, n - i);

		return _mm512_maskz_mov_epi32(_mm512_cmpgt_epu32_mask(x, limit), one);
	} else {
		const __m512i limit = _mm512_set1_epi64((long long)half);
		__m512i x[2];

		load_wide(x, (const uint64_t *)b + i, n - i < WORDS ? n - i : WORDS);
		return _mm512_maskz_mov_epi32((__mmask16)(_mm512_cmpgt_epu64_mask(x[0], limit) |
							  _mm512_cmpgt_epu64_mask(x[1], limit) << 8),
			one);
	}
}

/* Any pair of moduli: w a + (q - w) b. */
INLINE void sub_mul_loop(uint32_t *z, const uint32_t *a, const void *b, size_t n, uint64_t w, uint64_t half,
	const struct kernels_prime *p, unsigned width)
{
	const struct factors c = factors_of(w, p->q), negative = factors_of(w ? p->q - w : 0, p->q);

	for (size_t i = 0; i < n; i += WORDS) {
		__m512i x = mul_by(load_words(a + i, n - i), c.low, &c);

		x = _mm512_add_epi32(x, mul_from(b, i, n, &negative, width));
		x = _mm512_add_epi32(reduce_down(x, c.q), above_half(b, i, n, half, width));
		store_words(z + i, n - i, reduce_down(x, c.q));
	}
}

/* Moduli below 2^30: a + above - b, where above is a multiple of q and no less than any b, is below 3 2^30.
 * So the product is below 7q/4, and for q > 4 one more is below 2q. */
static void sub_mul_narrow(uint32_t *z, const uint32_t *a, const uint32_t *b, size_t n, uint64_t w,
	uint64_t half, const struct kernels_prime *p, const struct kernels_prime *from)
{
	const struct factors c = factors_of(w, p->q);
	const __m512i above = _mm512_set1_epi32((int)((from->q / p->q + 1) * p->q));

	for (size_t i = 0; i < n; i += WORDS) {
		const __m512i x = _mm512_add_epi32(load_words(a + i, n - i), above);
		const __m512i y = _mm512_sub_epi32(x, load_words(b + i, n - i));
		__m512i t = mul_shoup(y, c.low.w, c.low.quotient, c.low.quotient, c.neg_q);

		t = _mm512_add_epi32(t, above_half(b, i, n, half, 4));
		store_words(z + i, n - i, reduce_down(t, c.q));
	}
}

static void sub_mul(void *dst, const void *a, const void *b, size_t n, uint64_t w, uint64_t half,
	const struct kernels_prime *p, const struct kernels_prime *from)
{
	if (p->bits >= 3 && p->bits <= 30 && from->bits <= 30)
		sub_mul_narrow(dst, a, b, n, w, half, p, from);
	else if (from->width == 4)
		sub_mul_loop(dst, a, b, n, w, half, p, 4);
	else
		sub_mul_loop(dst, a, b, n, w, half, p, 8);
}

void avx512_w32_select_constants(struct kernels *k)
{
	k->affine = affine;
	k->mul_add = mul_add;
	k->sub_mul = sub_mul;
}
