/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RING_UNIFORM_H
#define RING_UNIFORM_H

#include <stdint.h>

#include "base/drbg.h"
#include "base/hash.h"
#include "base/rng.h"
#include "ring/ring.h"

#define RING_SEED_BYTES 32

/** The k-th public stream of a seed: n uniform residues from the AES-128-CTR keystream whose key is the first
 * 16 bytes of SHA-256("veil/uniform/1" || domain[32] || seed[32] || le32(k)), by rejection (kernels.h:
 * uniform). n need not be r->n: one stream may serve several polynomials, for a new key costs as much as a
 * thousand residues. `domain` says which protocol and parameters the seed belongs to. Public: no secrecy is
 * claimed of it. */
void ring_uniform(const struct ring_prime *r, void *a, size_t n, struct keystream *ks,
	const uint8_t domain[HASH_BYTES], const uint8_t seed[RING_SEED_BYTES], uint32_t k);

/** The uniform polynomial that the stream of `drbg` comes to next, modulo the first `primes` primes: rows[i],
 * 64-byte aligned, gets N residues of ring->primes[i], each the remainder of the next 16 bytes as a
 * little-endian number. The convention of apple/swift-homomorphic-encryption, where every seeded ciphertext
 * and key starts by drbg_seed and takes the polynomial as transform values. Public. */
void ring_uniform_drbg(const struct ring *ring, unsigned primes, void *const *rows, struct drbg *drbg);

#endif
