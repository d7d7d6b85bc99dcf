/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_AVX512_W8_NTT_H
#define KERNELS_AVX512_W8_NTT_H

#include <stdalign.h>

#include "kernels/avx512_w8.h"

/* The transform, for N = 2^8..2^15, in four forms of the arithmetic that share their passes
 * (avx512_w8_ntt_body.h) and the table: avx512_w52_lean.c, avx512_w52_wide.c, avx512_w64_lazy.c and
 * avx512_w64_wide.c say what their stages assume and keep.
 *
 * Every product is Shoup's: y w mod q from quotient = floor(w 2^S / q), S = 52 or 64. WY/q is less than
 * Y / 2^S <= 1 above quotient Y / 2^S, so the floor of that leaves T = WY - floor(..) q in [0, 2q), for any
 * Y < 2^S.
 *
 * Forward: Cooley-Tukey on the negacyclic twiddles, one a group: outer stages (halves of 8 words and more) on
 * whole vectors, with broadcast twiddles; the last three stages inside pairs of vectors, with a vector of
 * twiddles each. Inverse: decimation in time, that is X + WY and X - WY again and so the same bounds; the
 * twiddles are cyclic, powers of root^-2 that are the same for every group, and the factors root^-j / N
 * follow the last stage.
 *
 * Memory is passed over at most three times: one or two passes of up to four stages at the large strides, and
 * blocks of 128 words, which are 16 vectors held in registers, for seven stages. */

#define AVX512_W8_MIN_LOG_N 8
#define AVX512_W8_MAX_LOG_N 15 /* what the bounds of avx512_w52_lean.c allow */

#define INNER_STAGES 3 /* inside pairs of vectors */
#define MAX_STAGES 4 /* of one pass, or outer ones of a block: 16 vectors */

/** A vector of factors with their quotients by q. */
struct factors {
	alignas(64) uint64_t quotient[WORDS];
	uint64_t w[WORDS];
};

struct factor {
	uint64_t quotient, w;
};

/** The head of a table. Behind it:
 *    struct factors forward_inner[N/16][INNER_STAGES]
 *    struct factors inverse_inner[INNER_STAGES]    [s]: the stage of halves of 2^s words; the first is all 1,
 *                                                  unused
 *    struct factors inverse_outer[N/8]             [h + i]: words 8 i.. of the stage of halves of 8 h words
 *    struct factors last[2][N/8]                   by enum kernels_scale
 *    struct factor forward_outer[N/8]              [g + i]: group i of g */
struct table {
	alignas(64) uint64_t q;
	uint32_t log_n;
	struct factors factors[];
};

/* Where they begin, counted in factors. */
INLINE size_t at_inverse_inner(unsigned log_n)
{
	return ((size_t)INNER_STAGES << log_n) / 16;
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

/** Bytes of a table, and how to fill it for S = 52 (q < 2^50) and S = 64. */
size_t avx512_w8_table_bytes(unsigned log_n);
void avx512_w52_table_init(void *table, const struct kernels_prime *p, unsigned log_n, uint64_t root);
void avx512_w64_table_init(void *table, const struct kernels_prime *p, unsigned log_n, uint64_t root);

void avx512_w52_lean_forward(void *a, const void *table);
void avx512_w52_wide_forward(void *a, const void *table);
void avx512_w64_lazy_forward(void *a, const void *table);
void avx512_w64_wide_forward(void *a, const void *table);
void avx512_w52_lean_inverse(void *a, const void *table, enum kernels_scale scale);
void avx512_w52_wide_inverse(void *a, const void *table, enum kernels_scale scale);
void avx512_w64_lazy_inverse(void *a, const void *table, enum kernels_scale scale);
void avx512_w64_wide_inverse(void *a, const void *table, enum kernels_scale scale);

#endif
