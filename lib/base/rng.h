/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/** Seam: where randomness comes from. Failure of the system's generator aborts, so filling cannot fail. */
struct rng {
	void (*fill)(void *state, void *out, size_t size);
	void *state;
};

static inline void rng_fill(const struct rng *rng, void *out, size_t size)
{
	rng->fill(rng->state, out, size);
}

/** The operating system's generator (libsodium randombytes). */
struct rng rng_system(void);

/** A deterministic generator for tests and reproducible builds: ChaCha20 keystream of a 32-byte seed.
 * The state must outlive the rng. */
struct rng_seeded {
	uint8_t key[32];
	uint64_t block;
};
struct rng rng_seeded_init(struct rng_seeded *state, const uint8_t seed[32]);
/** Seed from a number. */
struct rng rng_seeded_init_u64(struct rng_seeded *state, uint64_t seed);

/** A public keystream: AES-128-CTR from a zero counter (OpenSSL EVP). Used for the uniform part of
 * ciphertexts, which is published anyway: no secrecy is claimed of it. */
struct keystream;
struct keystream *keystream_create(void);
/** A secret keystream: AES-256-CTR under a fresh key. OpenSSL keeps the key schedule on its heap, which is
 * not locked, and wipes it in keystream_destroy: make it late and destroy it soon. keystream_key is not for
 * this one. */
struct keystream *keystream_create_secret(const uint8_t key[32]);
void keystream_destroy(struct keystream *ks);
/** Restart a public keystream with a key. */
void keystream_key(struct keystream *ks, const uint8_t key[16]);
/** The next `size` bytes of the stream. */
void keystream_read(struct keystream *ks, void *out, size_t size);

#endif
