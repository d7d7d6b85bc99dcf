/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx2_w64_fma.h"

/* Transforms of N >= 64 for 2^31 < q < 2^50 on four doubles, in the passes of avx2_ntt_body.h. Every value is
 * an integer that a double holds, and every result is exact (avx2_w64_fma.h); what is written to memory
 * between the passes are doubles, in the last one integers again.
 *
 * Values in units of q. A product of a factor with |y| <= b is at most 1/2 + b q 2^-54, so below 1/2 + b/16
 * for q < 2^50 and 1/2 + b/64 for q < 2^48. A multiplicand must be below 2^52, a sum below 2^53.
 *
 * wide, q < 2^50: multiplicands < 4, sums < 8. Forward, a stage takes b to b + 1/2 + b/16. From [0, 1) three
 * stages end at 1.57, 2.17, 2.8; the first stage of every later pass settles its x, to 1/2, and its product
 * is at most 0.68: it ends at 1.18, the next at 1.75, 2.36, and in the last pass at 3.01, 3.7. Inverse, sums
 * double: from [0, 1) two stages end at 4, the multiplicands are below 2. Sums are settled in the second
 * stage, and so in every second one of a pass and in its last: values of at most 0.63 then end at 1.25, 2.5.
 *
 * lean, q < 2^48: multiplicands < 16, sums < 32. Forward, 15 stages from [0, 1) end at 9.7: only the end
 * settles. Inverse, five stages from [0, 1) end at 32, their multiplicands are below 16; the last stage of a
 * pass settles its sums, so the next pass begins at 0.75 and its three stages end at 6. */

struct ring {
	__m256d q, inverse_q;
	__m256i integer_q;
};

INLINE struct ring ring_of(const struct table *t)
{
	return (struct ring){_mm256_set1_pd((double)t->q), _mm256_set1_pd(t->inverse_q), all(t->q)};
}

static struct constant encode(uint64_t w, uint64_t q)
{
	const double centred = w > q / 2 ? -(double)(q - w) : (double)w, quotient = centred / (double)q;
	struct constant c;

	memcpy(&c.w, &centred, sizeof c.w);
	memcpy(&c.quotient, &quotient, sizeof c.quotient);
	return c;
}

INLINE __m256i mul(__m256i y, struct factor f, const struct ring *r)
{
	return _mm256_castpd_si256(fma_product(
		_mm256_castsi256_pd(y), _mm256_castsi256_pd(f.w), _mm256_castsi256_pd(f.quotient), r->q));
}

INLINE __m256i add_lanes(__m256i x, __m256i y, const struct ring *r)
{
	(void)r;
	return _mm256_castpd_si256(_mm256_add_pd(_mm256_castsi256_pd(x), _mm256_castsi256_pd(y)));
}

INLINE __m256i sub_lanes(__m256i x, __m256i y, const struct ring *r)
{
	(void)r;
	return _mm256_castpd_si256(_mm256_sub_pd(_mm256_castsi256_pd(x), _mm256_castsi256_pd(y)));
}

INLINE __m256i enter(__m256i x, const struct ring *r)
{
	(void)r;
	return _mm256_castpd_si256(fma_enter(x));
}

INLINE __m256i keep(__m256i x, const struct ring *r)
{
	(void)r;
	return x;
}

/* To (-1/2, 1/2), and 2^-50 more. */
INLINE __m256i settle_lanes(__m256i x, const struct ring *r)
{
	return _mm256_castpd_si256(fma_settle(_mm256_castsi256_pd(x), r->inverse_q, r->q));
}

INLINE __m256i finish_product(__m256i x, const struct ring *r)
{
	return fma_leave(_mm256_castsi256_pd(x), r->integer_q);
}

INLINE __m256i finish(__m256i x, const struct ring *r)
{
	return finish_product(settle_lanes(x, r), r);
}

#define wide_enter enter
#define wide_begin keep
#define wide_mul mul
#define wide_plus add_lanes
#define wide_sum add_lanes
#define wide_difference sub_lanes
#define wide_settle settle_lanes
#define wide_middle settle_lanes
#define wide_bias keep
#define wide_finish finish
#define wide_finish_product finish_product
#define wide_encode encode

INLINE bool wide_settles(unsigned done, unsigned before)
{
	(void)before;
	return done > 0;
}

enum { wide_max_bits = 50 };

#define NAME(x) wide_##x
#include "kernels/avx2_ntt_body.h"
#undef NAME

#define lean_enter enter
#define lean_begin keep
#define lean_mul mul
#define lean_plus add_lanes
#define lean_sum add_lanes
#define lean_difference sub_lanes
#define lean_settle settle_lanes
#define lean_middle keep
#define lean_bias keep
#define lean_finish finish
#define lean_finish_product finish_product
#define lean_encode encode

INLINE bool lean_settles(unsigned done, unsigned before)
{
	(void)done;
	(void)before;
	return false;
}

enum { lean_max_bits = 48 };

#define NAME(x) lean_##x
#include "kernels/avx2_ntt_body.h"
#undef NAME

void kernels_avx2_w64_fma(struct kernels *k, unsigned q_bits, unsigned log_n)
{
	const bool lean = q_bits <= lean_max_bits;

	if (q_bits > wide_max_bits || log_n < MIN_LOG_N)
		return;
	k->ntt_table_bytes = table_bytes;
	k->ntt_init = lean ? lean_init : wide_init;
	k->ntt_forward = lean ? lean_forward : wide_forward;
	k->ntt_inverse = lean ? lean_inverse : wide_inverse;
	k->name = "avx2";
}
