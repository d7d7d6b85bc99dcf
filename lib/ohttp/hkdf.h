/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OHTTP_HKDF_H
#define OHTTP_HKDF_H

#include <stddef.h>
#include <stdint.h>

#include "ohttp/crypto.h"

/** HKDF (RFC 5869) and its labelled form (RFC 9180 section 4). `suite_id` is empty for the plain form. */
struct hkdf {
	struct crypto *crypto;
	enum crypto_hash hash;
	struct bytes suite_id;
};

/** `out` gets crypto_hash_bytes(). */
void hkdf_extract(const struct hkdf *kdf, uint8_t *out, struct bytes salt, struct bytes ikm);
/** size <= 255 hashes; `key` has the size of a hash. */
void hkdf_expand(const struct hkdf *kdf, uint8_t *out, size_t size, const uint8_t *key, struct bytes info);
void hkdf_labeled_extract(
	const struct hkdf *kdf, uint8_t *out, struct bytes salt, const char *label, struct bytes ikm);
/** The info comes in two parts, one after the other, so that nobody copies. */
void hkdf_labeled_expand(const struct hkdf *kdf, uint8_t *out, size_t size, const uint8_t *key,
	const char *label, struct bytes info, struct bytes more);

#endif
