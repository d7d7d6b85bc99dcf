/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/hkdf.h"

#include <string.h>

#include "base/ct.h"
#include "base/require.h"

static const char version[] = "HPKE-v1";

static struct bytes text(const char *s)
{
	return (struct bytes){(const uint8_t *)s, strlen(s)};
}

void hkdf_extract(const struct hkdf *kdf, uint8_t *out, struct bytes salt, struct bytes ikm)
{
	crypto_hmac(kdf->crypto, kdf->hash, out, salt, &ikm, 1);
}

/* T(i) = HMAC(key, T(i-1) || info parts || i); parts[0] is kept free for T and the last one for i. */
static void expand(const struct hkdf *kdf, uint8_t *out, size_t size, const uint8_t *key, struct bytes *parts,
	size_t count)
{
	size_t hash = crypto_hash_bytes(kdf->hash), piece;
	uint8_t block[CRYPTO_MAX_HASH_BYTES], next[CRYPTO_MAX_HASH_BYTES], number = 0;

	REQUIRE(size <= 255 * hash);
	parts[0] = (struct bytes){block, 0};
	parts[count - 1] = (struct bytes){&number, 1};
	for (; size; size -= piece, out += piece) {
		number++;
		crypto_hmac(kdf->crypto, kdf->hash, next, (struct bytes){key, hash}, parts, count);
		memcpy(block, next, hash);
		parts[0].size = hash;
		piece = size < hash ? size : hash;
		memcpy(out, block, piece);
	}
	wipe(block, sizeof block);
	wipe(next, sizeof next);
}

void hkdf_expand(const struct hkdf *kdf, uint8_t *out, size_t size, const uint8_t *key, struct bytes info)
{
	struct bytes parts[] = {{0}, info, {0}};

	expand(kdf, out, size, key, parts, 3);
}

void hkdf_labeled_extract(
	const struct hkdf *kdf, uint8_t *out, struct bytes salt, const char *label, struct bytes ikm)
{
	const struct bytes parts[] = {text(version), kdf->suite_id, text(label), ikm};

	crypto_hmac(kdf->crypto, kdf->hash, out, salt, parts, 4);
}

void hkdf_labeled_expand(const struct hkdf *kdf, uint8_t *out, size_t size, const uint8_t *key,
	const char *label, struct bytes info, struct bytes more)
{
	const uint8_t length[2] = {(uint8_t)(size >> 8), (uint8_t)size};
	struct bytes parts[] = {{0}, {length, 2}, text(version), kdf->suite_id, text(label), info, more, {0}};

	expand(kdf, out, size, key, parts, 8);
}
