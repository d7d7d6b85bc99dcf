/* SPDX-License-Identifier: Apache-2.0 */

/* Not a header: affine, mul_add and sub_mul for words of 8 bytes, once for each arithmetic. Whoever includes
 * it defines struct arithmetic with q in it, and
 *
 *   arithmetic_of   what a call needs
 *   times           w y in [0, q), for any residue y of `from`
 *   times_less      w (x - y) in [0, q)
 *   fits            can it do this pair of moduli?
 *   otherwise       the form that can, where this one cannot */

INLINE __m512i load_from(const void *b, size_t i, size_t n, unsigned width)
{
	if (width == 8)
		return load_words((const uint64_t *)b + i, n - i);
	return _mm512_cvtepu32_epi64(_mm256_maskz_loadu_epi32(first_words(n - i), (const uint32_t *)b + i));
}

INLINE __m512i add_mod(__m512i x, __m512i y, __m512i q)
{
	return reduce_down(_mm512_add_epi64(x, y), q);
}

INLINE void affine_loop(
	uint64_t *z, const void *b, size_t n, const struct arithmetic *c, uint64_t k, unsigned width)
{
	const __m512i add = _mm512_set1_epi64((long long)k);

	for (size_t i = 0; i < n; i += WORDS)
		store_words(z + i, n - i, add_mod(times(load_from(b, i, n, width), c), add, c->q));
}

static void affine(void *dst, const void *b, size_t n, uint64_t w, uint64_t k, const struct kernels_prime *p,
	const struct kernels_prime *from)
{
	const struct arithmetic c = arithmetic_of(w, p, from);

	if (!fits(p, from))
		otherwise().affine(dst, b, n, w, k, p, from);
	else if (from->width == 4)
		affine_loop(dst, b, n, &c, k, 4);
	else
		affine_loop(dst, b, n, &c, k, 8);
}

INLINE void mul_add_loop(uint64_t *z, const uint64_t *a, const void *b, size_t n, const struct arithmetic *c,
	uint64_t k, unsigned width)
{
	const __m512i add = _mm512_set1_epi64((long long)k);

	for (size_t i = 0; i < n; i += WORDS) {
		const __m512i y = add_mod(times(load_from(b, i, n, width), c), add, c->q);

		store_words(z + i, n - i, add_mod(load_words(a + i, n - i), y, c->q));
	}
}

static void mul_add(void *dst, const void *a, const void *b, size_t n, uint64_t w, uint64_t k,
	const struct kernels_prime *p, const struct kernels_prime *from)
{
	const struct arithmetic c = arithmetic_of(w, p, from);

	if (!fits(p, from))
		otherwise().mul_add(dst, a, b, n, w, k, p, from);
	else if (from->width == 4)
		mul_add_loop(dst, a, b, n, &c, k, 4);
	else
		mul_add_loop(dst, a, b, n, &c, k, 8);
}

INLINE void sub_mul_loop(uint64_t *z, const uint64_t *a, const void *b, size_t n, const struct arithmetic *c,
	uint64_t half, unsigned width)
{
	const __m512i limit = _mm512_set1_epi64((long long)half), one = _mm512_set1_epi64(1);

	for (size_t i = 0; i < n; i += WORDS) {
		const __m512i y = load_from(b, i, n, width);
		const __m512i x = times_less(load_words(a + i, n - i), y, c);

		store_words(z + i, n - i,
			add_mod(x, _mm512_maskz_mov_epi64(_mm512_cmpgt_epu64_mask(y, limit), one), c->q));
	}
}

static void sub_mul(void *dst, const void *a, const void *b, size_t n, uint64_t w, uint64_t half,
	const struct kernels_prime *p, const struct kernels_prime *from)
{
	const struct arithmetic c = arithmetic_of(w, p, from);

	if (!fits(p, from))
		otherwise().sub_mul(dst, a, b, n, w, half, p, from);
	else if (from->width == 4)
		sub_mul_loop(dst, a, b, n, &c, half, 4);
	else
		sub_mul_loop(dst, a, b, n, &c, half, 8);
}
