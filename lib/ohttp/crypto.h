/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OHTTP_CRYPTO_H
#define OHTTP_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "veil/status.h"

/* The primitives under HPKE, by OpenSSL: the only file of the layer that includes its headers. Sizes of keys,
 * nonces and points are the algorithm's own; a wrong size is a bug of ours. */

#define CRYPTO_MAX_HASH_BYTES 64
#define CRYPTO_MAX_KEY_BYTES 32
#define CRYPTO_NONCE_BYTES 12 /* of all three AEADs */
#define CRYPTO_TAG_BYTES 16
#define CRYPTO_X25519_BYTES 32
#define CRYPTO_P256_POINT_BYTES 65
#define CRYPTO_P256_SCALAR_BYTES 32
#define CRYPTO_ML_KEM_SEED_BYTES 64 /* d || z, FIPS 203 */
#define CRYPTO_ML_KEM_PUBLIC_BYTES 1184
#define CRYPTO_ML_KEM_CIPHERTEXT_BYTES 1088
#define CRYPTO_ML_KEM_SECRET_BYTES 32

/** OpenSSL's algorithms fetched once (a fetch costs more than a short hash) and their working memory. One for
 * each thread. The first one of the process, in whatever thread, also sets OpenSSL's locked heap up, where
 * private keys are kept. */
struct crypto;
enum veil_status crypto_create(struct crypto **out, struct veil_error *err) VEIL_MUST_CHECK;
void crypto_destroy(struct crypto *c);

enum crypto_hash { CRYPTO_SHA256, CRYPTO_SHA384, CRYPTO_SHA512, CRYPTO_HASHES };
size_t crypto_hash_bytes(enum crypto_hash hash);
/** HMAC (RFC 2104) of the parts, one after the other; key and parts may not overlap `out`. */
void crypto_hmac(struct crypto *c, enum crypto_hash hash, uint8_t *out, struct bytes key,
	const struct bytes *parts, size_t count);

enum crypto_aead { CRYPTO_AES128_GCM, CRYPTO_AES256_GCM, CRYPTO_CHACHA20_POLY1305, CRYPTO_AEADS };
size_t crypto_aead_key_bytes(enum crypto_aead aead);
/** `out` gets in.size + CRYPTO_TAG_BYTES bytes and may be in.data itself. Keys are forgotten afterwards. */
void crypto_seal(struct crypto *c, enum crypto_aead aead, uint8_t *out, const uint8_t *key,
	const uint8_t nonce[CRYPTO_NONCE_BYTES], struct bytes aad, struct bytes in);
/** `out` gets in.size - CRYPTO_TAG_BYTES bytes and may be in.data itself. False, and `out` zeroed, when the
 * tag is wrong; `in` must hold a tag. */
bool crypto_open(struct crypto *c, enum crypto_aead aead, uint8_t *out, const uint8_t *key,
	const uint8_t nonce[CRYPTO_NONCE_BYTES], struct bytes aad, struct bytes in);

enum crypto_group { CRYPTO_X25519, CRYPTO_P256 };
/** A private key: in locked memory as far as RLIMIT_MEMLOCK allows, wiped when destroyed, shared by threads.
 * VEIL_E_INVALID: a P-256 scalar that is zero or not below the order. X25519 takes any 32 bytes. */
struct crypto_key;
enum veil_status crypto_key_create(struct crypto_key **out, const struct crypto *c, enum crypto_group group,
	const uint8_t private_key[32]) VEIL_MUST_CHECK;
void crypto_key_destroy(struct crypto_key *key);
/** Its public key, as it travels: 32 bytes, or an uncompressed point of 65. */
const uint8_t *crypto_key_public(const struct crypto_key *key);
/** The 32-byte shared secret (X25519: RFC 7748; P-256: the x coordinate). VEIL_E_MALFORMED: not a point of
 * the curve, not uncompressed, or the secret is all zero. */
enum veil_status crypto_dh(struct crypto *c, const struct crypto_key *key, uint8_t shared[32],
	const uint8_t *peer) VEIL_MUST_CHECK;

/* ML-KEM-768 (FIPS 203) and the SHA-3 of X-Wing, where OpenSSL has them (3.5); never our own. */
bool crypto_has_ml_kem(void);
struct crypto_kem_key;
enum veil_status crypto_kem_key_create(struct crypto_kem_key **out, const struct crypto *c,
	const uint8_t seed[CRYPTO_ML_KEM_SEED_BYTES]) VEIL_MUST_CHECK;
void crypto_kem_key_destroy(struct crypto_kem_key *key);
enum veil_status crypto_kem_key_public(
	const struct crypto_kem_key *key, uint8_t out[CRYPTO_ML_KEM_PUBLIC_BYTES]) VEIL_MUST_CHECK;
/** VEIL_E_MALFORMED: a coefficient of the public key is not reduced. `random` is the 32 bytes m of FIPS 203.
 */
enum veil_status crypto_kem_encap(struct crypto *c, uint8_t secret[CRYPTO_ML_KEM_SECRET_BYTES],
	uint8_t ciphertext[CRYPTO_ML_KEM_CIPHERTEXT_BYTES],
	const uint8_t public_key[CRYPTO_ML_KEM_PUBLIC_BYTES], const uint8_t random[32]) VEIL_MUST_CHECK;
/** A wrong ciphertext gives another secret (implicit rejection); only memory can be missing. */
enum veil_status crypto_kem_decap(struct crypto *c, const struct crypto_kem_key *key,
	uint8_t secret[CRYPTO_ML_KEM_SECRET_BYTES],
	const uint8_t ciphertext[CRYPTO_ML_KEM_CIPHERTEXT_BYTES]) VEIL_MUST_CHECK;
void crypto_sha3_256(struct crypto *c, uint8_t out[32], const struct bytes *parts, size_t count);
void crypto_shake256(struct crypto *c, uint8_t *out, size_t size, const struct bytes *parts, size_t count);

#endif
