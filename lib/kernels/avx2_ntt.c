/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/u128.h"
#include "kernels/avx2.h"
#include "kernels/forms.h"

/* Transforms of N >= 64 on eight 32-bit lanes, in the passes of avx2_ntt_body.h. Two butterflies, by the
 * headroom that q leaves:
 *
 * lazy, q < 2^28: signed lanes, so |x| < 8q fits. Shoup's multiplication with w in (-q/2, q/2) and the
 * quotient round(w 2^32 / q): T = w y - floor(y quotient / 2^32) q lies in (-q/4, 5q/4) for |y| < 8q, within
 * |y|/32 of (0, q). Sums and differences are not reduced until `settle` brings them to (-q/2, q/2). strict, q
 * < 2^31: unsigned lanes; every result is reduced to [0, q) or [0, 2q).
 *
 * Lazy values in units of q: a forward stage takes what is below b to below b + 1 + b/32: from [0, 1) six
 * stages end at 2.1, 3.1, 4.2, 5.4, 6.5, 7.7; a stage whose x is settled, then five more, at 1.8, 2.8, 3.9,
 * 5.1, 6.2, 7.4. Settled is the first stage of the last pass, and that of the second pass where more than six
 * stages come before the last pass. Inverse sums double and are settled in the last stage of each pass:
 * inside the vectors they go from [0, 1) to [0, 8); in a radix-8 pass from (-1/2, 5/4) to (-4, 10), of which
 * 3 is taken off. */

#define WORD uint32_t
#define LANES 8
#define TWIDDLES kernels_twiddles_w4

struct constant {
	uint32_t w, quotient;
};

struct table {
	uint32_t q;
	unsigned log_n;
	float inverse_q;
	uint32_t unused;
	/* the last inverse stage, by enum kernels_scale: the factor of the sums, the factor of the
	 * differences */
	struct constant last[2][2];
	uint32_t unused_too[4];
	uint32_t twiddles[]; /* [4][N]: root^brv(i) and their quotients, then root^-brv(i) and theirs */
};

struct twiddles {
	const uint32_t *w, *quotient;
	size_t n;
};

/* What is the same for all lanes and all stages. */
struct ring {
	__m256i q;
	__m256 inverse_q;
};

/* A factor a lane: w; the quotients of the even lanes, and of the odd lanes, each in the even words. */
struct factor {
	__m256i w, even, odd;
};

INLINE struct ring ring_of(const struct table *t)
{
	return (struct ring){_mm256_set1_epi32((int)t->q), _mm256_set1_ps(t->inverse_q)};
}

INLINE struct twiddles twiddles_of(const struct table *t, bool inverse)
{
	const size_t n = (size_t)1 << t->log_n;
	const uint32_t *w = t->twiddles + (inverse ? 2 * n : 0);

	return (struct twiddles){w, w + n, n};
}

INLINE void scales_of(struct factor *scales, const struct table *t, enum kernels_scale scale)
{
	for (int k = 0; k < 2; k++) {
		__m256i quotient = _mm256_set1_epi32((int)t->last[scale][k].quotient);

		scales[k] = (struct factor){_mm256_set1_epi32((int)t->last[scale][k].w), quotient, quotient};
	}
}

INLINE __m256i all(const uint32_t *at)
{
	return _mm256_set1_epi32((int)*at);
}

INLINE __m256i all_pairs(const uint32_t *at)
{
	long long pair;

	memcpy(&pair, at, sizeof pair);
	return _mm256_set1_epi64x(pair);
}

INLINE struct factor factor_all(const struct twiddles *t, size_t i)
{
	const __m256i quotient = all(t->quotient + i);

	return (struct factor){all(t->w + i), quotient, quotient};
}

/* aaaa bbbb */
INLINE struct factor factor_halves(const struct twiddles *t, size_t i)
{
	const __m256i quotient = _mm256_blend_epi32(all(t->quotient + i), all(t->quotient + i + 1), 0xf0);

	return (struct factor){
		_mm256_blend_epi32(all(t->w + i), all(t->w + i + 1), 0xf0), quotient, quotient};
}

/* abab cdcd */
INLINE struct factor factor_quarters(const struct twiddles *t, size_t i)
{
	const __m256i even =
		_mm256_blend_epi32(all_pairs(t->quotient + i), all_pairs(t->quotient + i + 2), 0xf0);

	return (struct factor){_mm256_blend_epi32(all_pairs(t->w + i), all_pairs(t->w + i + 2), 0xf0), even,
		odd_lanes(even)};
}

/* abcd efgh */
INLINE struct factor factor_each(const struct twiddles *t, size_t i)
{
	const __m256i even = load(t->quotient + i);

	return (struct factor){load(t->w + i), even, odd_lanes(even)};
}

/* In each half: x, y = x0 y0 x1 y1, x2 y2 x3 y3. */
INLINE void unpack_words(__m256i *x, __m256i *y)
{
	const __m256i low = _mm256_unpacklo_epi32(*x, *y);

	*y = _mm256_unpackhi_epi32(*x, *y);
	*x = low;
}

/* In each half: x, y = x0 x2 y0 y2, x1 x3 y1 y3: undoes unpack_words. */
INLINE void part_words(__m256i *x, __m256i *y)
{
	const __m256 a = _mm256_castsi256_ps(*x), b = _mm256_castsi256_ps(*y);

	*x = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88));
	*y = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd));
}

INLINE struct table make_table(const struct kernels_prime *p, unsigned log_n)
{
	return (struct table){.q = (uint32_t)p->q, .log_n = log_n, .inverse_q = 1.0f / (float)(uint32_t)p->q};
}

INLINE __m256i keep(__m256i x, const struct ring *r)
{
	(void)r;
	return x;
}

INLINE __m256i add_lanes(__m256i x, __m256i y, const struct ring *r)
{
	(void)r;
	return _mm256_add_epi32(x, y);
}

/* --- lazy */

#define lazy_enter keep
#define lazy_begin keep
#define lazy_middle keep
#define lazy_plus add_lanes
#define lazy_sum add_lanes

INLINE __m256i lazy_mul(__m256i y, struct factor f, const struct ring *r)
{
	__m256i even = _mm256_mul_epi32(y, f.even), odd = _mm256_mul_epi32(odd_lanes(y), f.odd);

	return _mm256_sub_epi32(_mm256_mullo_epi32(y, f.w), _mm256_mullo_epi32(high_words(even, odd), r->q));
}

/* The nearest integer. MSan of clang 14 would take the conversion for a branch: in its build, the low bits of
 * x + 1.5 * 2^23, the same integer for |x| < 2^22. */
INLINE __m256i nearest(__m256 x)
{
#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
	const __m256 magic = _mm256_set1_ps(0x1.8p23f);

	return _mm256_sub_epi32(_mm256_castps_si256(_mm256_add_ps(x, magic)), _mm256_castps_si256(magic));
#endif
#endif
	return _mm256_cvtps_epi32(x);
}

/* |x| < 8 to |x| < 1/2, and 2^-19 more for the precision of a float. */
INLINE __m256i lazy_settle(__m256i x, const struct ring *r)
{
	__m256i k = nearest(_mm256_mul_ps(_mm256_cvtepi32_ps(x), r->inverse_q));

	return _mm256_sub_epi32(x, _mm256_mullo_epi32(k, r->q));
}

/* |x| < 1: the representative in [0, q). */
INLINE __m256i lazy_lift(__m256i x, const struct ring *r)
{
	return _mm256_min_epu32(x, _mm256_add_epi32(x, r->q));
}

INLINE __m256i lazy_finish(__m256i x, const struct ring *r)
{
	return lazy_lift(lazy_settle(x, r), r);
}

INLINE __m256i lazy_finish_product(__m256i x, const struct ring *r)
{
	return reduce(lazy_lift(x, r), r->q);
}

INLINE __m256i lazy_difference(__m256i x, __m256i y, const struct ring *r)
{
	(void)r;
	return _mm256_sub_epi32(x, y);
}

INLINE __m256i lazy_bias(__m256i x, const struct ring *r)
{
	return _mm256_sub_epi32(x, _mm256_add_epi32(r->q, _mm256_add_epi32(r->q, r->q)));
}

INLINE bool lazy_settles(unsigned done, unsigned before)
{
	return done == before || (before > 6 && done == 3);
}

static struct constant lazy_encode(uint64_t w, uint64_t q)
{
	const int64_t centred = w > q / 2 ? (int64_t)(w - q) : (int64_t)w;
	/* centred 2^32 / q + 1/2 = numerator / 2q, rounded down; shifted up by q 2^33 to be positive */
	const uint64_t numerator = (uint64_t)(centred + (int64_t)q) * ((uint64_t)1 << 33) + q;

	return (struct constant){(uint32_t)centred, (uint32_t)(numerator / (2 * q))};
}

enum { lazy_max_bits = 28 };

#define NAME(x) lazy_##x
#include "kernels/avx2_ntt_body.h"
#undef NAME

/* --- strict: [0, 2q) going forward, [0, q) going back */

#define strict_enter keep
#define strict_settle keep
#define strict_middle keep
#define strict_plus add_lanes
#define strict_bias keep
#define strict_finish_product keep

INLINE __m256i strict_mul(__m256i y, struct factor f, const struct ring *r)
{
	__m256i even = _mm256_mul_epu32(y, f.even), odd = _mm256_mul_epu32(odd_lanes(y), f.odd);

	return reduce(
		_mm256_sub_epi32(_mm256_mullo_epi32(y, f.w), _mm256_mullo_epi32(high_words(even, odd), r->q)),
		r->q);
}

INLINE __m256i strict_finish(__m256i x, const struct ring *r)
{
	return reduce(x, r->q);
}

INLINE __m256i strict_begin(__m256i x, const struct ring *r)
{
	return reduce(x, r->q);
}

INLINE __m256i strict_sum(__m256i x, __m256i y, const struct ring *r)
{
	return reduce(_mm256_add_epi32(x, y), r->q);
}

INLINE __m256i strict_difference(__m256i x, __m256i y, const struct ring *r)
{
	return _mm256_add_epi32(x, _mm256_sub_epi32(r->q, y));
}

INLINE bool strict_settles(unsigned done, unsigned before)
{
	(void)done;
	(void)before;
	return false;
}

static struct constant strict_encode(uint64_t w, uint64_t q)
{
	return (struct constant){(uint32_t)w, (uint32_t)((w << 32) / q)};
}

enum { strict_max_bits = 31 };

#define NAME(x) strict_##x
#include "kernels/avx2_ntt_body.h"
#undef NAME

static size_t table_bytes(unsigned log_n)
{
	return sizeof(struct table) + (4 * sizeof(uint32_t) << log_n);
}

void kernels_avx2_ntt(struct kernels *k, unsigned q_bits, unsigned log_n)
{
	const bool lazy = q_bits <= lazy_max_bits;

	if (log_n < 6)
		return;
	k->ntt_table_bytes = table_bytes;
	k->ntt_init = lazy ? lazy_init : strict_init;
	k->ntt_forward = lazy ? lazy_forward : strict_forward;
	k->ntt_inverse = lazy ? lazy_inverse : strict_inverse;
	k->name = "avx2";
}
