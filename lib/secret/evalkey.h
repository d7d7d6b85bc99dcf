/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_EVALKEY_H
#define SECRET_EVALKEY_H

#include "rlwe/evalkey.h"
#include "secret/key.h"

struct drbg;

/** Room that secret_evalkey_generate takes of a secret arena, and gives back wiped. */
size_t secret_evalkey_scratch(const struct ring *ring);

/** Fills the keys that rlwe_evalkey_init laid out, for the ring of `key`. For Galois element g the target
 * secret is the image of s, for relinearisation s^2. Ciphertext i is an encryption of zero modulo all primes,
 * in evaluation format, under a seed of its own from `rng`, plus the target times the special prime modulo
 * prime i: the convention of apple/swift-homomorphic-encryption. Constant time. */
void secret_evalkey_generate(struct rlwe_evalkey *out, const struct secret_key *key, const struct rng *rng,
	struct drbg *drbg, struct secret_stream *stream, struct arena *scratch);

#endif
