/* SPDX-License-Identifier: Apache-2.0 */

/* Not a header: affine, mul_add and sub_mul for words of 8 bytes, four at a time, once for each arithmetic;
 * the generic form does the rest. Whoever includes it defines struct arithmetic with q in it, and
 *
 *   arithmetic_of   what a call needs
 *   times           w y in [0, q), for any residue y of `from`
 *   times_less      w (x - y) + 1 where y > half, in [0, q)
 *   fits            can it do this pair of moduli?
 *   otherwise       the other form */

INLINE __m256i load_from(const void *b, size_t i, unsigned width)
{
	if (width == 4)
		return _mm256_cvtepu32_epi64(
			_mm_loadu_si128((const __m128i *)(const void *)((const uint32_t *)b + i)));
	return load_any((const uint64_t *)b + i);
}

INLINE __m256i add_mod(__m256i x, __m256i y, __m256i q)
{
	return less(_mm256_add_epi64(x, y), q);
}

INLINE size_t affine_loop(
	uint64_t *z, const void *b, size_t n, const struct arithmetic *c, uint64_t k, unsigned width)
{
	const __m256i add = all(k);
	size_t i = 0;

	for (; i + 4 <= n; i += 4)
		store_any(z + i, add_mod(times(load_from(b, i, width), c), add, c->q));
	return i;
}

static void affine(void *dst, const void *b, size_t n, uint64_t w, uint64_t k, const struct kernels_prime *p,
	const struct kernels_prime *from)
{
	uint64_t *z = dst;
	size_t i = 0;

	if (fits(p, from)) {
		const struct arithmetic c = arithmetic_of(w, 0, p, from);

		i = from->width == 4 ? affine_loop(z, b, n, &c, k, 4) : affine_loop(z, b, n, &c, k, 8);
	}
	otherwise().affine(z + i, (const uint8_t *)b + i * from->width, n - i, w, k, p, from);
}

INLINE size_t mul_add_loop(uint64_t *z, const uint64_t *a, const void *b, size_t n,
	const struct arithmetic *c, uint64_t k, unsigned width)
{
	const __m256i add = all(k);
	size_t i = 0;

	for (; i + 4 <= n; i += 4) {
		const __m256i y = add_mod(times(load_from(b, i, width), c), add, c->q);

		store_any(z + i, add_mod(load_any(a + i), y, c->q));
	}
	return i;
}

static void mul_add(void *dst, const void *a, const void *b, size_t n, uint64_t w, uint64_t k,
	const struct kernels_prime *p, const struct kernels_prime *from)
{
	const uint64_t *x = a;
	uint64_t *z = dst;
	size_t i = 0;

	if (fits(p, from)) {
		const struct arithmetic c = arithmetic_of(w, 0, p, from);

		i = from->width == 4 ? mul_add_loop(z, x, b, n, &c, k, 4)
				     : mul_add_loop(z, x, b, n, &c, k, 8);
	}
	otherwise().mul_add(z + i, x + i, (const uint8_t *)b + i * from->width, n - i, w, k, p, from);
}

INLINE size_t sub_mul_loop(
	uint64_t *z, const uint64_t *a, const void *b, size_t n, const struct arithmetic *c, unsigned width)
{
	size_t i = 0;

	for (; i + 4 <= n; i += 4)
		store_any(z + i, times_less(load_any(a + i), load_from(b, i, width), c));
	return i;
}

static void sub_mul(void *dst, const void *a, const void *b, size_t n, uint64_t w, uint64_t half,
	const struct kernels_prime *p, const struct kernels_prime *from)
{
	const uint64_t *x = a;
	uint64_t *z = dst;
	size_t i = 0;

	if (fits(p, from)) {
		const struct arithmetic c = arithmetic_of(w, half, p, from);

		i = from->width == 4 ? sub_mul_loop(z, x, b, n, &c, 4) : sub_mul_loop(z, x, b, n, &c, 8);
	}
	otherwise().sub_mul(z + i, x + i, (const uint8_t *)b + i * from->width, n - i, w, half, p, from);
}
