/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx2.h"
#include "kernels/forms.h"

/* affine, mul_add, sub_mul for words of 4 bytes, eight at a time, from residues of either width; the generic
 * form does the rest. */

static struct kernels generic(void)
{
	struct kernels k;

	kernels_generic_w4(&k);
	return k;
}

struct factor {
	__m256i w, quotient; /* floor(w 2^32 / q) */
};

/* What multiplies the low and the high words of residues. */
struct factors {
	struct factor low, high;
	__m256i q;
};

static inline struct factor factor_of(uint64_t w, uint64_t q)
{
	return (struct factor){_mm256_set1_epi32((int)w), _mm256_set1_epi32((int)((w << 32) / q))};
}

static inline struct factors factors_of(uint64_t w, uint64_t q)
{
	return (struct factors){factor_of(w, q), factor_of((w << 32) % q, q), _mm256_set1_epi32((int)q)};
}

/* Shoup: w y mod q in [0, (1 + y / 2^32) q), for any y below 2^32. */
static inline __m256i mul_by_lazy(__m256i y, const struct factor *f, __m256i q)
{
	__m256i high =
		high_words(_mm256_mul_epu32(y, f->quotient), _mm256_mul_epu32(odd_lanes(y), f->quotient));

	return _mm256_sub_epi32(_mm256_mullo_epi32(y, f->w), _mm256_mullo_epi32(high, q));
}

static inline __m256i mul_by(__m256i y, const struct factor *f, __m256i q)
{
	return reduce(mul_by_lazy(y, f, q), q);
}

/* w b[i] mod q */
static inline __attribute__((always_inline)) __m256i mul_from(
	const void *b, size_t i, const struct factors *f, unsigned width)
{
	if (width == 4) {
		return mul_by(load_any((const uint32_t *)b + i), &f->low, f->q);
	} else {
		const __m256 x = _mm256_castsi256_ps(load_any((const uint64_t *)b + i)),
			     y = _mm256_castsi256_ps(load_any((const uint64_t *)b + i + 4));
		__m256i low = _mm256_castps_si256(_mm256_shuffle_ps(x, y, 0x88)),
			high = _mm256_castps_si256(_mm256_shuffle_ps(x, y, 0xdd));

		low = mul_by(_mm256_permute4x64_epi64(low, 0xd8), &f->low, f->q);
		high = mul_by(_mm256_permute4x64_epi64(high, 0xd8), &f->high, f->q);
		return reduce(_mm256_add_epi32(low, high), f->q);
	}
}

static inline __attribute__((always_inline)) size_t affine_loop(
	void *dst, const void *b, size_t n, const struct factors *f, __m256i k, unsigned width)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
		store_any((uint32_t *)dst + i, reduce(_mm256_add_epi32(mul_from(b, i, f, width), k), f->q));
	return i;
}

static void affine(void *dst, const void *b, size_t n, uint64_t w, uint64_t k, const struct kernels_prime *p,
	const struct kernels_prime *from)
{
	const struct factors f = factors_of(w, p->q);
	const __m256i add = _mm256_set1_epi32((int)k);
	const size_t i =
		from->width == 4 ? affine_loop(dst, b, n, &f, add, 4) : affine_loop(dst, b, n, &f, add, 8);

	generic().affine((uint32_t *)dst + i, (const uint8_t *)b + i * from->width, n - i, w, k, p, from);
}

static inline __attribute__((always_inline)) size_t mul_add_loop(
	void *dst, const void *a, const void *b, size_t n, const struct factors *f, __m256i k, unsigned width)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		__m256i y = reduce(_mm256_add_epi32(mul_from(b, i, f, width), k), f->q);

		y = _mm256_add_epi32(load_any((const uint32_t *)a + i), y);
		store_any((uint32_t *)dst + i, reduce(y, f->q));
	}
	return i;
}

static void mul_add(void *dst, const void *a, const void *b, size_t n, uint64_t w, uint64_t k,
	const struct kernels_prime *p, const struct kernels_prime *from)
{
	const struct factors f = factors_of(w, p->q);
	const __m256i add = _mm256_set1_epi32((int)k);
	const size_t i = from->width == 4 ? mul_add_loop(dst, a, b, n, &f, add, 4)
					  : mul_add_loop(dst, a, b, n, &f, add, 8);

	generic().mul_add((uint32_t *)dst + i, (const uint32_t *)a + i, (const uint8_t *)b + i * from->width,
		n - i, w, k, p, from);
}

/* a + (a multiple of q that is not below any b) - b is below 3 2^30 where both primes are below 2^30. So the
 * product is below 7q/4, and for q > 4 one more is below 2q. */
static size_t sub_mul_loop(void *dst, const void *a, const void *b, size_t n, uint64_t w, uint64_t half,
	const struct kernels_prime *p, const struct kernels_prime *from)
{
	const struct factors f = factors_of(w, p->q);
	const __m256i above = _mm256_set1_epi32((int)((from->q / p->q + 1) * p->q));
	const __m256i limit = _mm256_set1_epi32(half > INT32_MAX ? INT32_MAX : (int)half);
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		const __m256i x = load_any((const uint32_t *)a + i), y = load_any((const uint32_t *)b + i);
		__m256i z = mul_by_lazy(_mm256_sub_epi32(_mm256_add_epi32(x, above), y), &f.low, f.q);

		/* a comparison that holds is -1 */
		z = _mm256_sub_epi32(z, _mm256_cmpgt_epi32(y, limit));
		store_any((uint32_t *)dst + i, reduce(z, f.q));
	}
	return i;
}

static void sub_mul(void *dst, const void *a, const void *b, size_t n, uint64_t w, uint64_t half,
	const struct kernels_prime *p, const struct kernels_prime *from)
{
	const bool narrow = p->bits >= 3 && p->bits <= 30 && from->bits <= 30;
	const size_t i = narrow ? sub_mul_loop(dst, a, b, n, w, half, p, from) : 0;

	generic().sub_mul((uint32_t *)dst + i, (const uint32_t *)a + i, (const uint8_t *)b + i * from->width,
		n - i, w, half, p, from);
}

void kernels_avx2_constants(struct kernels *k)
{
	k->affine = affine;
	k->mul_add = mul_add;
	k->sub_mul = sub_mul;
}
