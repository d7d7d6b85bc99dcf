/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RLWE_MODSWITCH_H
#define RLWE_MODSWITCH_H

#include "base/arena.h"
#include "rlwe/ciphertext.h"

/* Modulus switching: every coefficient becomes round(c / q_last), modulo the primes that are left. A phase
 * shrinks with it, up to an error of rounding whose size does not depend on the modulus (docs/protocol.md).
 */

/** Drops the last of at least two primes, in place and in the format that the ciphertext has; coefficient
 * format is faster. `scratch` has ring_row_room. */
void rlwe_modswitch_drop(struct rlwe_ciphertext *ct, struct arena *scratch);
/** Drops primes, one after another, until `level` (>= 1, at most what it has) are left. */
void rlwe_modswitch_to(struct rlwe_ciphertext *ct, unsigned level, struct arena *scratch);

/** The same of one polynomial. */
void rlwe_modswitch_drop_poly(struct ring_poly *a, struct arena *scratch);

/** dst = round(a / q) modulo the primes of `a`, for prime `by` of the ring, which is none of them: `last` are
 * the residues modulo it, in a's format, and are spent. dst may be a. `scratch` has ring_row_room. */
void rlwe_modswitch_divide(
	struct ring_poly *dst, const struct ring_poly *a, void *last, unsigned by, struct arena *scratch);

#endif
