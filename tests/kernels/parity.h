/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_KERNELS_PARITY_H
#define TESTS_KERNELS_PARITY_H

#include "base/rng.h"
#include "kernels/kernels.h"
#include "kernels/scan.h"

/* Do two tables of kernels give the same bits for every input that kernels.h allows? Inputs: 0, q-1, powers
 * of two, edges of the rounding, random residues; every alignment that is allowed; outputs and their
 * surroundings poisoned; byte streams end where the memory ends. Each difference is a sentence on stderr; the
 * result is their number. */

/** All but the transform; any odd modulus. */
unsigned parity_check_arrays(const struct kernels *reference, const struct kernels *candidate,
	const struct kernels_prime *p, const struct rng *rng);

/** A part of parity_check_arrays: remainders of 128 bits. */
unsigned parity_check_remainder(const struct kernels *reference, const struct kernels *candidate,
	const struct kernels_prime *p, const struct rng *rng);

/** Another: what multiplies by constants and goes from prime to prime. */
unsigned parity_check_constants(const struct kernels *reference, const struct kernels *candidate,
	const struct kernels_prime *p, const struct rng *rng);

/** Another: dot and permute. */
unsigned parity_check_rows(const struct kernels *reference, const struct kernels *candidate,
	const struct kernels_prime *p, const struct rng *rng);

/** The transform of 2^log_n; q prime, = 1 mod 2^(log_n+1). Both tables were selected for this log_n. */
unsigned parity_check_transform(const struct kernels *reference, const struct kernels *candidate,
	const struct kernels_prime *p, unsigned log_n, const struct rng *rng);

/** A primitive 2^(log_n+1)-th root of unity of a prime, 0 if there is none. */
uint64_t parity_root(uint64_t q, unsigned log_n);

/** The scan and apply of a form against sums of one product at a time. */
unsigned parity_check_scan(const struct kernels_scan *candidate, const struct rng *rng);

#endif
