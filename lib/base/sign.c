/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sign.h"

#include <sodium.h>

#include "base/ct.h"
#include "base/require.h"

static void expand(uint8_t public_key[SIGN_PUBLIC_BYTES], uint8_t expanded[crypto_sign_SECRETKEYBYTES],
	const uint8_t seed[SIGN_SEED_BYTES])
{
	REQUIRE(sodium_init() >= 0);
	crypto_sign_seed_keypair(public_key, expanded, seed);
}

void sign_public_key(uint8_t public_key[SIGN_PUBLIC_BYTES], const uint8_t seed[SIGN_SEED_BYTES])
{
	uint8_t expanded[crypto_sign_SECRETKEYBYTES];

	expand(public_key, expanded, seed);
	wipe(expanded, sizeof expanded);
}

void sign_make(uint8_t out[SIGN_BYTES], const void *data, size_t size, const uint8_t seed[SIGN_SEED_BYTES])
{
	uint8_t public_key[SIGN_PUBLIC_BYTES], expanded[crypto_sign_SECRETKEYBYTES];

	expand(public_key, expanded, seed);
	crypto_sign_detached(out, NULL, data, size, expanded);
	wipe(expanded, sizeof expanded);
}

bool sign_verify(const uint8_t signature[SIGN_BYTES], const void *data, size_t size,
	const uint8_t public_key[SIGN_PUBLIC_BYTES])
{
	REQUIRE(sodium_init() >= 0);
	return crypto_sign_verify_detached(signature, data, size, public_key) == 0;
}
