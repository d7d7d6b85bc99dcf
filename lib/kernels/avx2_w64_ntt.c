/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx2_w64_digits.h"

/* Transforms of N >= 64 for 2^31 < q < 2^62 on four lanes of 64 bits, in the passes of avx2_ntt_body.h, with
 * the products of avx2_w64_digits.h. A multiplicand must be below 2^62. Three butterflies, by the headroom
 * that q leaves:
 *
 * free, q < 2^56: forward, a stage adds at most 4q and nothing is reduced: 15 stages from [0, q) end below
 * 61q, which is below 2^62. Inverse, values stay in [0, 4q): sums are reduced, products are below 3q. lazy, q
 * < 2^60: forward in [0, 4q), inverse in [0, 2q). strict, q < 2^62: [0, q). */

INLINE struct ring ring_of(const struct table *t)
{
	return ring_for(t->q, t->neg_inv);
}

INLINE __m256i keep(__m256i x, const struct ring *r)
{
	(void)r;
	return x;
}

INLINE __m256i add_lanes(__m256i x, __m256i y, const struct ring *r)
{
	(void)r;
	return add_words(x, y);
}

INLINE bool never(unsigned done, unsigned before)
{
	(void)done;
	(void)before;
	return false;
}

/* x < 4q to [0, q). */
INLINE __m256i from_four(__m256i x, const struct ring *r)
{
	return less(less(x, r->q2), r->q);
}

/* --- free */

#define free_enter keep
#define free_begin keep
#define free_mul digits_product
#define free_plus add_lanes
#define free_settle keep
#define free_settles never
#define free_middle keep
#define free_bias keep
#define free_finish_product from_four
#define free_encode digits_encode

INLINE __m256i free_sum(__m256i x, __m256i y, const struct ring *r)
{
	return less(add_words(x, y), r->q4);
}

INLINE __m256i free_difference(__m256i x, __m256i y, const struct ring *r)
{
	return add_words(x, _mm256_sub_epi64(r->q4, y));
}

INLINE __m256i free_finish(__m256i x, const struct ring *r)
{
	x = less(x, _mm256_slli_epi64(r->q4, 3));
	x = less(x, _mm256_slli_epi64(r->q4, 2));
	x = less(x, _mm256_slli_epi64(r->q4, 1));
	return from_four(less(x, r->q4), r);
}

enum { free_max_bits = 56 };

#define NAME(x) free_##x
#include "kernels/avx2_ntt_body.h"
#undef NAME

/* --- lazy */

#define lazy_enter keep
#define lazy_plus add_lanes
#define lazy_settle keep
#define lazy_settles never
#define lazy_middle keep
#define lazy_bias keep
#define lazy_finish from_four
#define lazy_encode digits_encode

INLINE __m256i lazy_begin(__m256i x, const struct ring *r)
{
	return less(x, r->q2);
}

INLINE __m256i lazy_mul(__m256i y, struct factor f, const struct ring *r)
{
	return less(digits_product(y, f, r), r->q);
}

INLINE __m256i lazy_sum(__m256i x, __m256i y, const struct ring *r)
{
	return less(add_words(x, y), r->q2);
}

INLINE __m256i lazy_difference(__m256i x, __m256i y, const struct ring *r)
{
	return add_words(x, _mm256_sub_epi64(r->q2, y));
}

INLINE __m256i lazy_finish_product(__m256i x, const struct ring *r)
{
	return less(x, r->q);
}

enum { lazy_max_bits = 60 };

#define NAME(x) lazy_##x
#include "kernels/avx2_ntt_body.h"
#undef NAME

/* --- strict */

#define strict_enter keep
#define strict_begin keep
#define strict_plus strict_sum
#define strict_settle keep
#define strict_settles never
#define strict_middle keep
#define strict_bias keep
#define strict_finish keep
#define strict_finish_product keep
#define strict_encode digits_encode

INLINE __m256i strict_mul(__m256i y, struct factor f, const struct ring *r)
{
	return from_four(digits_product(y, f, r), r);
}

INLINE __m256i strict_sum(__m256i x, __m256i y, const struct ring *r)
{
	return less(add_words(x, y), r->q);
}

INLINE __m256i strict_difference(__m256i x, __m256i y, const struct ring *r)
{
	return strict_sum(x, _mm256_sub_epi64(r->q, y), r);
}

enum { strict_max_bits = 62 };

#define NAME(x) strict_##x
#include "kernels/avx2_ntt_body.h"
#undef NAME

void kernels_avx2_w64_ntt(struct kernels *k, unsigned q_bits, unsigned log_n)
{
	if (log_n < MIN_LOG_N)
		return;
	k->ntt_table_bytes = table_bytes;
	k->ntt_init = q_bits <= free_max_bits ? free_init : q_bits <= lazy_max_bits ? lazy_init : strict_init;
	k->ntt_forward = q_bits <= free_max_bits   ? free_forward
			 : q_bits <= lazy_max_bits ? lazy_forward
						   : strict_forward;
	k->ntt_inverse = q_bits <= free_max_bits   ? free_inverse
			 : q_bits <= lazy_max_bits ? lazy_inverse
						   : strict_inverse;
	k->name = "avx2";
}
