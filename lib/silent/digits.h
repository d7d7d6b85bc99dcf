/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SILENT_DIGITS_H
#define SILENT_DIGITS_H

#include "rlwe/params.h"

/** A residue as balanced digits: round(centred a / 2^drop) = sum of out[l] 2^(bits l). The last one takes
 * what is left, the others are in [-2^(bits-1), 2^(bits-1)). */
void silent_digits(int32_t out[RLWE_MAX_DIGITS], uint64_t a, uint64_t q, const struct rlwe_gadget *g);

/** x mod q, in [0, q), for |x| < q. */
static inline uint64_t silent_residue(int64_t x, uint64_t q)
{
	return (uint64_t)x + (q & (uint64_t)(x >> 63));
}

/** round(x q / 2^bits) mod q for x < 2^bits, q < 2^40: a word of the wire as a residue. */
uint64_t silent_lift(uint64_t x, unsigned bits, uint64_t q);

#endif
