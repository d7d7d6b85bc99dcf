/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/ct.h"
#include "base/require.h"

struct hash {
	EVP_MD_CTX *ctx;
};

struct hash *hash_create(void)
{
	struct hash *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx || !EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL)) {
		hash_destroy(h);
		return NULL;
	}
	return h;
}

void hash_destroy(struct hash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void hash_reset(struct hash *h)
{
	REQUIRE(EVP_DigestInit_ex(h->ctx, NULL, NULL));
}

void hash_add(struct hash *h, const void *data, size_t size)
{
	REQUIRE(EVP_DigestUpdate(h->ctx, data, size));
}

void hash_end(struct hash *h, uint8_t out[HASH_BYTES])
{
	REQUIRE(EVP_DigestFinal_ex(h->ctx, out, NULL));
	ct_unpoison(out, HASH_BYTES);
}

void hash_sha256(uint8_t out[HASH_BYTES], const void *data, size_t size)
{
	REQUIRE(EVP_Digest(data, size, out, NULL, EVP_sha256(), NULL));
	ct_unpoison(out, HASH_BYTES);
}

void hash_hex(char out[HASH_HEX_SIZE], const uint8_t hash[HASH_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < HASH_BYTES; i++) {
		out[2 * i] = digits[hash[i] >> 4];
		out[2 * i + 1] = digits[hash[i] & 15];
	}
	out[2 * HASH_BYTES] = '\0';
}
