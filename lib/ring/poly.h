/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RING_POLY_H
#define RING_POLY_H

#include <stdbool.h>

#include "base/arena.h"
#include "ring/ring.h"

/* Polynomials in residue number system. Arithmetic returns nothing: operands of other rings, levels or
 * formats are bugs and abort. */

enum ring_format {
	RING_COEFFICIENT, /* coefficients, in order */
	RING_EVALUATION, /* transform values, in bit-reversed order (kernels.h) */
};

/** A polynomial modulo the first `level` primes of a ring, in memory of the caller. */
struct ring_poly {
	const struct ring *ring;
	unsigned level; /* 1..room */
	unsigned room; /* primes that the memory has room for */
	enum ring_format format;
	void *data; /* one row of n residues a prime, at primes[i].offset */
};

/** Bytes of the rows of the first `level` primes, each 64-byte aligned. */
size_t ring_poly_bytes(const struct ring *ring, unsigned level);
/** A polynomial on that many bytes of memory, 64-byte aligned; its values are those that are there. */
void ring_poly_init(
	struct ring_poly *a, const struct ring *ring, unsigned level, enum ring_format format, void *data);

/** The residues modulo prime i of the ring, i < level (or < room, before the level is raised). */
static inline void *ring_poly_row(const struct ring_poly *a, unsigned i)
{
	return (uint8_t *)a->data + a->ring->primes[i].offset;
}

/** dst = a, with a's level and format; dst has room for them. dst may be a. */
void ring_poly_copy(struct ring_poly *dst, const struct ring_poly *a);
/** In place; nothing to do where `a` has that format. */
void ring_poly_transform(struct ring_poly *a, enum ring_format format);

/* a and b have one level and format; dst, which takes them, may be either. */

void ring_poly_add(struct ring_poly *dst, const struct ring_poly *a, const struct ring_poly *b);
void ring_poly_sub(struct ring_poly *dst, const struct ring_poly *a, const struct ring_poly *b);
void ring_poly_neg(struct ring_poly *dst, const struct ring_poly *a);
/** Both in evaluation format; b may have a higher level than a. */
void ring_poly_mul(struct ring_poly *dst, const struct ring_poly *a, const struct ring_poly *b);
/** dst = X^shift a, in coefficient format, shift in (-2N, 2N). dst is not a. */
void ring_poly_shift(struct ring_poly *dst, const struct ring_poly *a, int shift);

/** Is every residue 0? Time depends on the values. */
bool ring_poly_is_zero_vartime(const struct ring_poly *a);

#endif
