/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RING_RING_H
#define RING_RING_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "kernels/kernels.h"
#include "veil/status.h"

#define RING_MAX_LOG_N 15
#define RING_MAX_PRIMES 32

/** Z_q[X]/(X^N+1) for one prime q = 1 mod 2N: constants, kernels and transform tables. Immutable after
 * creation. */
struct ring_prime {
	struct kernels_prime p;
	struct kernels k;
	uint64_t root; /* the minimum primitive 2N-th root of unity (of a subring: its parent's root^fold) */
	unsigned log_n;
	size_t n;
	size_t offset; /* of its row in a polynomial (ring/poly.h), in bytes */
	void *table; /* of k.ntt_init */
};

/** The ring over a product of distinct primes. A polynomial is one residue array a prime, in the order of the
 * primes. */
struct ring {
	unsigned log_n;
	size_t n;
	unsigned count;
	struct ring_prime *primes; /* [count], owned */
	uint64_t *inverses; /* [count][count], owned: ring_inverse */
};

/** Are these the constants of a ring? N = 2^log_n in 2..2^RING_MAX_LOG_N, 1 <= count <= RING_MAX_PRIMES, each
 * q prime, distinct, = 1 mod 2N, < 2^62; VEIL_E_INVALID names the prime that is not. */
enum veil_status ring_check(
	unsigned log_n, const uint64_t *q, unsigned count, struct veil_error *err) VEIL_MUST_CHECK;

/** Only what ring_check accepts. `features` as cpu_features() gives them. */
enum veil_status ring_create(struct ring **out, unsigned log_n, const uint64_t *q, unsigned count,
	unsigned features, struct veil_error *err) VEIL_MUST_CHECK;
void ring_destroy(struct ring *ring);

/** The ring of the polynomials in X^fold, degree N/fold, whose transform values are those of the parent's
 * groups of `fold` neighbours: for f = sum f_i X^i let g = sum_j f_{j*fold} X^{j*fold}. Then k.fold of NTT(f)
 * gives fold * NTT_sub(g as a polynomial of N/fold coefficients). (In bit-reversed order `fold` neighbours
 * share the value of X^fold.) fold is a power of two, 1 <= fold <= N/2; count is that of the parent. */
enum veil_status ring_create_subring(struct ring **out, const struct ring *parent, size_t fold,
	unsigned features, struct veil_error *err) VEIL_MUST_CHECK;

static inline size_t ring_prime_bytes(const struct ring_prime *r)
{
	return r->n * r->p.width;
}
/** The bytes of the widest residue array of the ring, 64-byte aligned. */
size_t ring_row_room(const struct ring *ring);
/** The inverse of prime j modulo prime i, i != j. */
static inline uint64_t ring_inverse(const struct ring *ring, unsigned j, unsigned i)
{
	return ring->inverses[j * ring->count + i];
}
/** One residue of an array of this prime. */
static inline uint64_t ring_get(const struct ring_prime *r, const void *a, size_t i)
{
	return r->p.width == 4 ? ((const uint32_t *)a)[i] : ((const uint64_t *)a)[i];
}
static inline void ring_set(const struct ring_prime *r, void *a, size_t i, uint64_t v)
{
	if (r->p.width == 4)
		((uint32_t *)a)[i] = (uint32_t)v;
	else
		((uint64_t *)a)[i] = v;
}

/** dst = X^shift * src mod X^N+1 in coefficient order, any shift in (-2N, 2N). dst != src. */
void ring_shift(const struct ring_prime *r, void *dst, const void *src, int shift);

#endif
