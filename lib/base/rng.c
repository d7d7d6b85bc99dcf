/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/ct.h"
#include "base/require.h"

static void fill_system(void *state, void *out, size_t size)
{
	(void)state;
	randombytes_buf(out, size); /* aborts if the kernel's generator fails */
	ct_unpoison(out, size);
}

struct rng rng_system(void)
{
	REQUIRE(sodium_init() >= 0);
	return (struct rng){.fill = fill_system};
}

static void fill_seeded(void *state, void *out, size_t size)
{
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
	struct rng_seeded *s = state;

	if (size == 0)
		return;
	memset(out, 0, size);
	crypto_stream_chacha20_xor_ic(out, out, size, nonce, s->block, s->key);
	s->block += (size + 63) / 64;
}

struct rng rng_seeded_init(struct rng_seeded *state, const uint8_t seed[32])
{
	REQUIRE(sodium_init() >= 0);
	memcpy(state->key, seed, sizeof state->key);
	state->block = 0;
	return (struct rng){.fill = fill_seeded, .state = state};
}

struct rng rng_seeded_init_u64(struct rng_seeded *state, uint64_t seed)
{
	uint8_t bytes[32] = {0};

	store_le64(bytes, seed);
	return rng_seeded_init(state, bytes);
}

struct keystream {
	EVP_CIPHER *cipher; /* fetched once: fetching costs more than keying */
	EVP_CIPHER_CTX *ctx;
};

static const uint8_t zero_counter[16];

static struct keystream *create(const char *cipher, const uint8_t *key)
{
	struct keystream *ks = calloc(1, sizeof *ks);

	if (!ks)
		return NULL;
	ks->cipher = EVP_CIPHER_fetch(NULL, cipher, NULL);
	ks->ctx = EVP_CIPHER_CTX_new();
	if (!ks->cipher || !ks->ctx || !EVP_EncryptInit_ex(ks->ctx, ks->cipher, NULL, key, zero_counter)) {
		keystream_destroy(ks);
		return NULL;
	}
	return ks;
}

struct keystream *keystream_create(void)
{
	static const uint8_t key[16];

	return create("AES-128-CTR", key);
}

struct keystream *keystream_create_secret(const uint8_t key[32])
{
	return create("AES-256-CTR", key);
}

void keystream_destroy(struct keystream *ks)
{
	if (!ks)
		return;
	EVP_CIPHER_CTX_free(ks->ctx);
	EVP_CIPHER_free(ks->cipher);
	free(ks);
}

void keystream_key(struct keystream *ks, const uint8_t key[16])
{
	REQUIRE(EVP_CIPHER_get_key_length(ks->cipher) == 16);
	/* Without a cipher argument the context keeps its own; the counter has to be given, or it would run
	 * on. */
	REQUIRE(EVP_EncryptInit_ex(ks->ctx, NULL, NULL, key, zero_counter));
}

void keystream_read(struct keystream *ks, void *out, size_t size)
{
	static const uint8_t zeros[4096];
	uint8_t *p = out;

	while (size) {
		int piece = (int)(size < sizeof zeros ? size : sizeof zeros), done = 0;

		REQUIRE(EVP_EncryptUpdate(ks->ctx, p, &done, zeros, piece) && done == piece);
		p += piece;
		size -= (size_t)piece;
	}
	ct_unpoison(out, (size_t)(p - (uint8_t *)out)); /* MSan does not see OpenSSL write */
}
