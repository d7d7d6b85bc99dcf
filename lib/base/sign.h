/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SIGN_H
#define BASE_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ed25519 (RFC 8032) by libsodium. A private key is its 32-byte seed. */

#define SIGN_SEED_BYTES 32
#define SIGN_PUBLIC_BYTES 32
#define SIGN_BYTES 64

void sign_public_key(uint8_t public_key[SIGN_PUBLIC_BYTES], const uint8_t seed[SIGN_SEED_BYTES]);
/** Deterministic. */
void sign_make(uint8_t out[SIGN_BYTES], const void *data, size_t size, const uint8_t seed[SIGN_SEED_BYTES]);
/** False for a signature by another key, of other bytes, or malleated; and for a weak key. */
bool sign_verify(const uint8_t signature[SIGN_BYTES], const void *data, size_t size,
	const uint8_t public_key[SIGN_PUBLIC_BYTES]);

#endif
