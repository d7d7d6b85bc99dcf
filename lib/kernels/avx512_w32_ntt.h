/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_AVX512_W32_NTT_H
#define KERNELS_AVX512_W32_NTT_H

#include <stdalign.h>

#include "kernels/avx512_w32.h"

/* The transform, for N = 2^5..2^15, in two forms of the arithmetic.
 *
 * Lazy, q < 2^28: signed words. A stage makes X + T and X - T without any correction; T = W Y is reduced by
 * Shoup's quotient to (-kq/32, q + kq/32) where |Y| < kq. So a bound k grows to k + 1 + k/32 a stage, and
 * must stay below 8: kq < 2^31. From residues (k = 1) six stages may pass: 2.1, 3.1, 4.2, 5.4, 6.5, 7.7. Then
 * a stage reduces its X, by a table of multiples of q; not its Y, which T forgets. That leaves k <= 3.2 (the
 * table to 1.5 where q is near 2^28, to 2 where it is near 2^27 and 32 is 64), and four more stages may
 * pass: 4.3, 5.3, 6.4, 7.5.
 *
 * Wide, q < 2^31: unsigned words in [0, 2q) between stages; a stage reduces both X and T to [0, q).
 *
 * Forward: Cooley-Tukey on the negacyclic twiddles, one a group: outer stages (halves of 16 words and more)
 * on whole vectors, with broadcast twiddles; the last four stages inside pairs of vectors, with a vector of
 * twiddles each.
 *
 * Inverse: decimation in time, that is X + WY and X - WY again and so the same bounds. The twiddles are
 * cyclic, powers of root^-2 that are the same for every group, and the factors root^-j / N follow the last
 * stage. Gentleman-Sande has the same number of multiplications, but its sums double every stage.
 *
 * Memory is passed over twice for N <= 2^12: radix 2..16 at the large strides, and blocks of 256 words, which
 * are 16 vectors held in registers, for the eight stages left. */

#define AVX512_W32_LAZY_BITS 28
#define AVX512_W32_MIN_LOG_N 5

#define INNER_STAGES 4 /* inside pairs of vectors */
#define MAX_STAGES 4 /* of one pass, or outer ones of a block: 16 vectors */

/** A vector of factors with their quotients by q. The odd quotients are read from `quotient + 1`: what
 * follows a factor must be readable. */
struct factors {
	alignas(64) uint32_t w[WORDS];
	uint32_t quotient[WORDS];
};

struct factor {
	uint32_t w, quotient;
};

/** The head of a table. Behind it:
 *    struct factors forward_inner[N/32][INNER_STAGES]
 *    struct factors inverse_inner[INNER_STAGES]      [s]: the stage of halves of 2^s words; the first is all
 * 1, unused struct factors inverse_outer[N/16]              [h + i]: words 16 i.. of the stage of halves of
 * 16 h words struct factors last[2][N/16]                    by enum kernels_scale struct factor
 * forward_outer[N/16]              [g + i]: group i of g */
struct table {
	alignas(64) uint32_t q;
	uint32_t log_n;
	uint32_t step_log; /* bits of q, less one */
	/* [x >> step_log mod 32]: the multiple of q that brings x to [0, q + 2^step_log) */
	alignas(64) uint32_t multiples[2 * WORDS];
	struct factors factors[];
};

/* Where they begin, counted in factors. */
INLINE size_t at_inverse_inner(unsigned log_n)
{
	return ((size_t)INNER_STAGES << log_n) / 32;
}

INLINE size_t at_inverse_outer(unsigned log_n)
{
	return at_inverse_inner(log_n) + INNER_STAGES;
}

INLINE size_t at_last(unsigned log_n, enum kernels_scale scale)
{
	return at_inverse_outer(log_n) + ((1 + (size_t)scale) << log_n) / WORDS;
}

INLINE size_t at_forward_outer(unsigned log_n)
{
	return at_inverse_outer(log_n) + ((size_t)3 << log_n) / WORDS;
}

/* --- arithmetic; `wide` is a constant wherever these are used */

struct field {
	__m512i q, neg_q, low_multiples, high_multiples;
	__m128i step_log;
};

INLINE struct field field_of(const struct table *t)
{
	return (struct field){
		.q = _mm512_set1_epi32((int)t->q),
		.neg_q = _mm512_set1_epi32(-(int)t->q),
		.low_multiples = _mm512_load_si512(t->multiples),
		.high_multiples = _mm512_load_si512(t->multiples + WORDS),
		.step_log = _mm_cvtsi32_si128((int)t->step_log),
	};
}

/* |x| < 8q to [0, q + 2^step_log): below 2q, and below 1.5 * 2^28. */
INLINE __m512i reduce_lazy(__m512i x, struct field f)
{
	__m512i step = _mm512_srl_epi32(x, f.step_log);

	return _mm512_add_epi32(x, _mm512_permutex2var_epi32(f.low_multiples, step, f.high_multiples));
}

/* To [0, q), from any value between stages. */
INLINE __m512i reduce_fully(__m512i x, struct field f, bool wide)
{
	return reduce_down(wide ? x : reduce_lazy(x, f), f.q);
}

/* A product as a stage wants it. */
INLINE __m512i mul_stage(
	__m512i y, __m512i w, __m512i quotient, __m512i odd_quotient, struct field f, bool wide)
{
	if (wide)
		return reduce_down(mul_shoup(y, w, quotient, odd_quotient, f.neg_q), f.q);
	return mul_shoup_signed(y, w, quotient, odd_quotient, f.neg_q);
}

/* What a stage does to a lazy X first: */
#define REDUCE 1 /* to [0, 2q) */
#define LIFT 2 /* by 8q, so that what becomes |x| < 8q is in (0, 16q) */

/* x + t, x - t. A wide x is reduced each time. */
INLINE void add_sub(__m512i *x, __m512i *y, __m512i t, struct field f, bool wide, int first)
{
	__m512i u = *x;

	if (wide)
		u = reduce_down(u, f.q);
	else if (first & REDUCE)
		u = reduce_lazy(u, f);
	if (!wide && first & LIFT)
		u = _mm512_add_epi32(u, _mm512_slli_epi32(f.q, 3));
	*x = _mm512_add_epi32(u, t);
	u = _mm512_sub_epi32(u, t);
	*y = wide ? _mm512_add_epi32(u, f.q) : u;
}

/* A butterfly with one factor for all words. */
INLINE void butterfly_one(
	__m512i *x, __m512i *y, const struct factor *c, struct field f, bool wide, int first)
{
	__m512i w = _mm512_set1_epi32((int)c->w), quotient = _mm512_set1_epi32((int)c->quotient);

	add_sub(x, y, mul_stage(*y, w, quotient, quotient, f, wide), f, wide, first);
}

/* And with one for each; `pairs` if the words 2i and 2i+1 have the same. */
INLINE void butterfly_each(
	__m512i *x, __m512i *y, const struct factors *c, bool pairs, struct field f, bool wide, int first)
{
	__m512i w = _mm512_load_si512(c->w), quotient = _mm512_load_si512(c->quotient);
	__m512i odd = pairs ? quotient : _mm512_loadu_si512(c->quotient + 1);

	add_sub(x, y, mul_stage(*y, w, quotient, odd, f, wide), f, wide, first);
}

/** Bytes of a table, and how to fill it for the form that p->bits asks for. */
size_t avx512_w32_table_bytes(unsigned log_n);
void avx512_w32_table_init(void *table, const struct kernels_prime *p, unsigned log_n, uint64_t root);

void avx512_w32_forward_lazy(void *a, const void *table);
void avx512_w32_forward_wide(void *a, const void *table);
void avx512_w32_inverse_lazy(void *a, const void *table, enum kernels_scale scale);
void avx512_w32_inverse_wide(void *a, const void *table, enum kernels_scale scale);

#endif
