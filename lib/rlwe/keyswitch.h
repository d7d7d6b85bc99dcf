/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RLWE_KEYSWITCH_H
#define RLWE_KEYSWITCH_H

#include "rlwe/evalkey.h"

/* Key switching: from a polynomial c that is multiplied by another secret u, to a ciphertext under s whose
 * phase is c u and a little noise (docs/protocol.md). c is cut into its residues modulo each prime q_i of a
 * level, digit i times ciphertext i of the key are summed up modulo these primes and the special one, p, and
 * the sum, whose phase is p c u, is divided by p. The keys are those of apple/swift-homomorphic-encryption
 * and SEAL; the digits are centred, which halves the noise that the key adds. Nothing here is secret, no
 * branch depends on a residue. The special prime is the last of the ring. */

/** The digits of a polynomial of `level` primes, in evaluation format: level (level + 1) rows. */
struct rlwe_digits {
	const struct ring *ring;
	unsigned level;
	void *data;
};

/** In memory of the caller, 64-byte aligned. */
size_t rlwe_digits_bytes(const struct ring *ring, unsigned level);
void rlwe_digits_init(struct rlwe_digits *d, const struct ring *ring, unsigned level, void *data);
/** Digits of `a`, of either format and d's level. `scratch` has ring_row_room. */
void rlwe_decompose(struct rlwe_digits *d, const struct ring_poly *a, struct arena *scratch);

/** A ciphertext before the division by p: two polynomials modulo the primes of a level and p, in evaluation
 * format; its phase is p times that of the ciphertext it will be. Sums of them are divided once. */
struct rlwe_wide {
	struct ring_poly poly[2];
	void *special[2]; /* their residues modulo p */
};

size_t rlwe_wide_bytes(const struct ring *ring, unsigned level);
void rlwe_wide_init(struct rlwe_wide *w, const struct ring *ring, unsigned level, void *data);

/** w = the sum of the digits times the key. With `map`, of an automorphism in evaluation format
 * (ring/galois.h), it is applied to the digits first: one decomposition serves many rotations. `scratch` has
 * d->level ring_row_room. */
void rlwe_switch(struct rlwe_wide *w, const struct rlwe_digits *d, const struct rlwe_switch_key *key,
	const uint32_t *map, struct arena *scratch);
/** dst += a. */
void rlwe_wide_add(struct rlwe_wide *dst, const struct rlwe_wide *a);
/** Adds p a to polynomial k: what needs no switching joins what does. `a` has w's level and is in evaluation
 * format. */
void rlwe_wide_add_poly(struct rlwe_wide *w, unsigned k, const struct ring_poly *a);
/** ct = round(w / p) in that format; w is spent. `scratch` has ring_row_room. */
void rlwe_wide_divide(
	struct rlwe_ciphertext *ct, struct rlwe_wide *w, enum ring_format format, struct arena *scratch);

/** Arena room of digits, wide ciphertext and scratch of one key switch at this level. */
size_t rlwe_switch_room(const struct ring *ring, unsigned level);

#endif
