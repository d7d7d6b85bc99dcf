/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_ENCRYPT_H
#define SECRET_ENCRYPT_H

#include "ring/uniform.h"
#include "secret/key.h"

/** Arena room of secret_encrypt_zero. */
size_t secret_encrypt_scratch(const struct ring *ring);

/** A symmetric encryption of zero: b[i] = -(a_i * s) + e mod the prime i, coefficient order, ring->count
 * arrays of n residues, 64-byte aligned. a_i = ring_uniform(domain, seed, k * count + i) is public and not
 * returned: the receiver makes it from the seed. e is CBD(21), fresh from the stream, the same for all
 * primes. Add the message to b to encrypt it.
 *
 * A pair (seed, k) must not be used twice under one secret. b stays marked secret: with the message in it, it
 * may be published. `scratch` is a secret arena, given back on return. */
void secret_encrypt_zero(const struct secret_key *key, void *const *b, struct keystream *ks,
	const uint8_t domain[HASH_BYTES], const uint8_t seed[RING_SEED_BYTES], uint32_t k,
	struct secret_stream *stream, struct arena *scratch);

#endif
