/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_DRBG_H
#define BASE_DRBG_H

#include <stddef.h>
#include <stdint.h>

/** NIST CTR_DRBG with AES-128 and no derivation function (SP 800-90A, 10.2.1), on OpenSSL's AES. It expands
 * the public seeds of ciphertexts and keys in the convention of apple/swift-homomorphic-encryption: no
 * secrecy is claimed of its output, and its state lies on an ordinary heap. */
struct drbg;

#define DRBG_SEED_BYTES 32
#define DRBG_REFILL_BYTES 4096

/** Usable after drbg_seed; NULL if there is no memory. Not for several threads at once. */
struct drbg *drbg_create(void);
/** Accepts NULL. */
void drbg_destroy(struct drbg *drbg);

/** Instantiate: `seed` is the entropy input (with the personalisation string added to it, if there is one).
 */
void drbg_seed(struct drbg *drbg, const uint8_t seed[DRBG_SEED_BYTES]);
/** Mixes in other input, as Reseed does, and Generate does before it generates. */
void drbg_update(struct drbg *drbg, const uint8_t input[DRBG_SEED_BYTES]);
/** One Generate of `size` bytes, 1 to 65536; `input` is its additional input, NULL for none. */
void drbg_generate(struct drbg *drbg, void *out, size_t size, const uint8_t input[DRBG_SEED_BYTES]);

/** A view of the next bytes of the stream that Generates of DRBG_REFILL_BYTES make one after the other:
 * *size of them, or what is left of a refill, which *size then says (> 0). Until the next call. drbg_seed
 * drops the rest of a refill. */
const uint8_t *drbg_next(struct drbg *drbg, size_t *size);

#endif
