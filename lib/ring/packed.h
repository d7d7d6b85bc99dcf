/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RING_PACKED_H
#define RING_PACKED_H

#include "ring/poly.h"

/* Polynomials as bytes, in the format of apple/swift-homomorphic-encryption: one row a prime after the other,
 * each a stream of its residues, MSB first, bit_length(q) - skip bits each: the low `skip` bits are left out.
 * N >= 8, so that every row ends with a byte. skip is below the bit length of every prime. */

size_t ring_packed_bytes(const struct ring *ring, unsigned level, unsigned skip);
/** Writes that many bytes; returns where they end. Constant time. */
uint8_t *ring_pack(uint8_t *out, const struct ring_poly *a, unsigned skip);
/** Reads them into `a`, whose ring, level and format are set; skipped bits become 0. False, and *bad is the
 * number of the prime, if a residue is not below it; `a` is then unspecified. */
bool ring_unpack(struct ring_poly *a, const uint8_t *bytes, unsigned skip, unsigned *bad) VEIL_MUST_CHECK;

#endif
