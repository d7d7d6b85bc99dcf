/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_AVX2_W64_H
#define KERNELS_AVX2_W64_H

#include "base/u128.h"
#include "kernels/avx2.h"
#include "kernels/forms.h"

/* What the kernels on four lanes of 64 bits share, and their transforms, whatever a lane holds: the table and
 * how factors are read from it. */

#define WORD uint64_t
#define LANES 4
#define TWIDDLES kernels_twiddles_w8
#define MIN_LOG_N 6 /* the block of the last pass, and one stage */

struct constant {
	uint64_t w, quotient; /* what `encode` makes of a constant */
};

struct table {
	uint64_t q, neg_inv;
	uint64_t log_n;
	double inverse_q;
	/* the last inverse stage, by enum kernels_scale: the factor of the sums, the factor of the
	 * differences */
	struct constant last[2][2];
	uint64_t unused[4];
	uint64_t twiddles[]; /* [4][N]: root^brv(i) and their quotients, then root^-brv(i) and theirs */
};

struct twiddles {
	const uint64_t *w, *quotient;
	size_t n;
};

/* A factor a lane. */
struct factor {
	__m256i w, quotient;
};

static inline size_t table_bytes(unsigned log_n)
{
	return sizeof(struct table) + (4 * sizeof(uint64_t) << log_n);
}

INLINE struct table make_table(const struct kernels_prime *p, unsigned log_n)
{
	return (struct table){
		.q = p->q, .neg_inv = p->neg_inv, .log_n = log_n, .inverse_q = 1.0 / (double)p->q};
}

INLINE struct twiddles twiddles_of(const struct table *t, bool inverse)
{
	const size_t n = (size_t)1 << t->log_n;
	const uint64_t *w = t->twiddles + (inverse ? 2 * n : 0);

	return (struct twiddles){w, w + n, n};
}

INLINE __m256i all(uint64_t x)
{
	return _mm256_set1_epi64x((long long)x);
}

/* aa bb */
INLINE __m256i halves(const uint64_t *at)
{
	return _mm256_permute4x64_epi64(
		_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)at)), 0x50);
}

INLINE struct factor factor_all(const struct twiddles *t, size_t i)
{
	return (struct factor){all(t->w[i]), all(t->quotient[i])};
}

INLINE struct factor factor_halves(const struct twiddles *t, size_t i)
{
	return (struct factor){halves(t->w + i), halves(t->quotient + i)};
}

INLINE struct factor factor_each(const struct twiddles *t, size_t i)
{
	return (struct factor){load(t->w + i), load(t->quotient + i)};
}

INLINE void scales_of(struct factor *scales, const struct table *t, enum kernels_scale scale)
{
	for (int k = 0; k < 2; k++)
		scales[k] = (struct factor){all(t->last[scale][k].w), all(t->last[scale][k].quotient)};
}

/* In each half: x, y = x0 y0, x1 y1. It undoes itself. */
INLINE void exchange_words(__m256i *x, __m256i *y)
{
	const __m256i low = _mm256_unpacklo_epi64(*x, *y);

	*y = _mm256_unpackhi_epi64(*x, *y);
	*x = low;
}

/** a where the sign of `by` is clear, b where it is set. */
INLINE __m256i by_sign(__m256i by, __m256i a, __m256i b)
{
	return _mm256_castpd_si256(
		_mm256_blendv_pd(_mm256_castsi256_pd(a), _mm256_castsi256_pd(b), _mm256_castsi256_pd(by)));
}

/** x - m, or x where that is below 0; x - m in [-2^63, 2^63). */
INLINE __m256i less(__m256i x, __m256i m)
{
	const __m256i y = _mm256_sub_epi64(x, m);

	return by_sign(y, y, x);
}

#endif
