/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OHTTP_HPKE_H
#define OHTTP_HPKE_H

#include "ohttp/kem.h"

/* Hybrid public key encryption, RFC 9180, base mode. */

#define HPKE_KDF_SHA256 0x0001
#define HPKE_KDF_SHA384 0x0002
#define HPKE_KDF_SHA512 0x0003
#define HPKE_AEAD_AES128_GCM 0x0001
#define HPKE_AEAD_AES256_GCM 0x0002
#define HPKE_AEAD_CHACHA20_POLY1305 0x0003
#define HPKE_AEAD_EXPORT_ONLY 0xffff

enum hpke_mode { HPKE_BASE, HPKE_PSK, HPKE_AUTH, HPKE_AUTH_PSK };

/** A suite by its numbers. Only the base mode (0) is offered. */
struct hpke_suite {
	uint16_t kem, kdf, aead;
	uint8_t mode;
};

/** VEIL_E_UNSUPPORTED, with the name of what is refused: the mode, the KEM, the KDF or the AEAD. */
enum veil_status hpke_suite_check(const struct hpke_suite *suite, struct veil_error *err) VEIL_MUST_CHECK;
/** Key and hash sizes (Nk, Nh) of a suite that was checked; no key where the AEAD only exports. */
size_t hpke_key_bytes(const struct hpke_suite *suite);
size_t hpke_hash_bytes(const struct hpke_suite *suite);
/** The AEAD and the hash of a suite that was checked. */
enum crypto_aead hpke_aead(const struct hpke_suite *suite);
enum crypto_hash hpke_hash(const struct hpke_suite *suite);

/** One side of an exchange, in the caller's memory (secret: wipe it with hpke_clear). Not for several threads
 * at once. Messages are numbered by `sequence` (big-endian, up to 2^96 - 2). */
struct hpke {
	struct hpke_suite suite;
	uint8_t key[CRYPTO_MAX_KEY_BYTES];
	uint8_t base_nonce[CRYPTO_NONCE_BYTES];
	uint8_t sequence[CRYPTO_NONCE_BYTES];
	uint8_t exporter_secret[CRYPTO_MAX_HASH_BYTES];
};

/** SetupBaseS: a context and `enc` (kem->enc_bytes) for the holder of `public_key`. Unsupported suites are
 * refused by name; VEIL_E_MALFORMED: a bad public key. */
enum veil_status hpke_setup_sender(struct hpke *h, struct crypto *c, const struct hpke_suite *suite,
	uint8_t *enc, const uint8_t *public_key, struct bytes info, const struct rng *rng,
	struct veil_error *err) VEIL_MUST_CHECK;
/** SetupBaseR. The suite's KEM must be the key's. VEIL_E_MALFORMED: `enc` has another size or is no point. */
enum veil_status hpke_setup_receiver(struct hpke *h, struct crypto *c, const struct hpke_suite *suite,
	const struct kem_key *key, struct bytes enc, struct bytes info,
	struct veil_error *err) VEIL_MUST_CHECK;
/** KeySchedule: what both do with the KEM's secret. The suite was checked. */
void hpke_schedule(struct hpke *h, struct crypto *c, const struct hpke_suite *suite,
	const uint8_t secret[KEM_SECRET_BYTES], struct bytes info);

/** The next message: `out` gets in.size + CRYPTO_TAG_BYTES bytes and may be in.data. VEIL_E_INVALID: no
 * number is left; VEIL_E_UNSUPPORTED: an export-only context. */
enum veil_status hpke_seal(
	struct hpke *h, struct crypto *c, uint8_t *out, struct bytes aad, struct bytes in) VEIL_MUST_CHECK;
/** The next message: `out` gets in.size - CRYPTO_TAG_BYTES bytes and may be in.data. VEIL_E_MALFORMED: it was
 * not sealed so; nothing is told of why, and the number is not used up. */
enum veil_status hpke_open(
	struct hpke *h, struct crypto *c, uint8_t *out, struct bytes aad, struct bytes in) VEIL_MUST_CHECK;
/** Export. VEIL_E_INVALID: more than 255 hashes are asked for. */
enum veil_status hpke_export(const struct hpke *h, struct crypto *c, uint8_t *out, size_t size,
	struct bytes context) VEIL_MUST_CHECK;
/** Wipes; accepts NULL. */
void hpke_clear(struct hpke *h);

#endif
