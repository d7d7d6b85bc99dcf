/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RLWE_EVALKEY_H
#define RLWE_EVALKEY_H

#include "rlwe/ciphertext.h"
#include "rlwe/params.h"

/* What lets somebody without the secret rotate and relinearise. Public once made. */

#define RLWE_MAX_GALOIS_KEYS 64

/** Ciphertext i carries the target secret times the special prime modulo prime i of a fresh ciphertext, and
 * nothing modulo the others. Seeded, evaluation format, all primes of the ring. */
struct rlwe_switch_key {
	unsigned count; /* the primes of a fresh ciphertext */
	struct rlwe_ciphertext *ct; /* [count] */
};

struct rlwe_galois_key {
	uint64_t element; /* odd, 1 < element < 2N: the automorphism X -> X^element */
	struct rlwe_switch_key key;
	uint32_t *map; /* of the automorphism, in evaluation format (ring/galois.h) */
};

/** The keys of one client, in an arena that outlives them. */
struct rlwe_evalkey {
	unsigned galois_count;
	bool has_relin;
	struct rlwe_galois_key *galois; /* [galois_count], by ascending element */
	struct rlwe_switch_key relin; /* for s^2 */
};

/** May such keys be asked for? Elements in any order. VEIL_E_INVALID names one that is no Galois element or
 * occurs twice; more than RLWE_MAX_GALOIS_KEYS; any key of a set without a prime for key switching. */
enum veil_status rlwe_evalkey_check(const struct rlwe_params *params, const uint32_t *elements,
	unsigned galois_count, bool relin, struct veil_error *err) VEIL_MUST_CHECK;

/** Arena room of the keys of a ring whose last prime is for key switching. */
size_t rlwe_evalkey_room(const struct ring *ring, unsigned galois_count, bool relin);
/** Keys to be filled, of what rlwe_evalkey_check accepts; their values are those that are in the arena. */
void rlwe_evalkey_init(struct rlwe_evalkey *key, const struct ring *ring, const uint32_t *elements,
	unsigned galois_count, bool relin, struct arena *arena);

/** The key of a Galois element, NULL if there is none. */
struct rlwe_galois_key *rlwe_evalkey_find(const struct rlwe_evalkey *key, uint64_t element);

#endif
