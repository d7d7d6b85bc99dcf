/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RING_CONVERT_H
#define RING_CONVERT_H

#include "ring/poly.h"

/* From residues modulo the primes q_j of a number below half their product Q in size to its residues modulo
 * other primes p_k, or to those of its quotient by Q. With y_j = x_j (Q/q_j)^-1 mod q_j, x is sum y_j Q/q_j -
 * v Q, where v is the integer nearest to sum y_j / q_j (eprint 2018/117, 2.2). v comes from 58 bits of
 * fixed-point fractions, of which the last 32 may be wrong: at worst, a number within 2^-26 Q of Q/2 is taken
 * for itself less Q, the same on every machine. */
struct ring_convert {
	const struct ring *from, *to;
	unsigned from_count, to_count; /* the first primes of both */
	uint64_t y[RING_MAX_PRIMES]; /* what makes y_j of x_j */
	uint64_t w[RING_MAX_PRIMES + 1][RING_MAX_PRIMES]; /* [j][k] for y_j, [from_count][k] for v */
	struct kernels_prime wraps; /* some prime above v */
};

/** For x_j scale[j] instead of x_j, if there is a scale (mod q_j); divided by Q if `divide`. */
void ring_convert_init(struct ring_convert *c, const struct ring *from, unsigned from_count,
	const struct ring *to, unsigned to_count, const uint64_t *scale, bool divide);

/** Room of ring_convert's scratch. */
size_t ring_convert_scratch(const struct ring *from);
/** dst = the numbers of src, or dst += them, in coefficient format. src becomes the y_j. */
void ring_convert(const struct ring_convert *c, struct ring_poly *dst, bool add, struct ring_poly *src,
	struct arena *scratch);

#endif
