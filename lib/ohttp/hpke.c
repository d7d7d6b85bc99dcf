/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/hpke.h"

#include <string.h>

#include "base/ct.h"
#include "base/error.h"
#include "base/require.h"
#include "ohttp/hkdf.h"

/* Rows that are offered come with their algorithm; the others are here to be refused by name. */
static const struct algorithm {
	uint16_t id;
	const char *name;
	int number; /* enum crypto_hash or crypto_aead; -1: refused, -2: exports only */
} kdfs[] =
	{
		{HPKE_KDF_SHA256, "HKDF-SHA256", CRYPTO_SHA256},
		{HPKE_KDF_SHA384, "HKDF-SHA384", CRYPTO_SHA384},
		{HPKE_KDF_SHA512, "HKDF-SHA512", CRYPTO_SHA512},
		{0x0010, "SHAKE128", -1},
		{0x0011, "SHAKE256", -1},
		{0x0012, "TurboSHAKE128", -1},
		{0x0013, "TurboSHAKE256", -1},
		{0},
},
  aeads[] = {
	  {HPKE_AEAD_AES128_GCM, "AES-128-GCM", CRYPTO_AES128_GCM},
	  {HPKE_AEAD_AES256_GCM, "AES-256-GCM", CRYPTO_AES256_GCM},
	  {HPKE_AEAD_CHACHA20_POLY1305, "ChaCha20Poly1305", CRYPTO_CHACHA20_POLY1305},
	  {HPKE_AEAD_EXPORT_ONLY, "export-only", -2},
	  {0},
};

static const char *const modes[] = {"base", "psk", "auth", "auth_psk"};

/* The row of an identifier, or the last one, which has no name. */
static const struct algorithm *find(const struct algorithm *rows, uint16_t id)
{
	while (rows->name && rows->id != id)
		rows++;
	return rows;
}

static enum veil_status refuse(struct veil_error *err, const char *kind, unsigned id, const char *name)
{
	return error_set(err, VEIL_E_UNSUPPORTED, "HPKE: the %s 0x%04x (%s) is not offered by this build",
		kind, id, name ? name : "unknown");
}

enum veil_status hpke_suite_check(const struct hpke_suite *suite, struct veil_error *err)
{
	const struct algorithm *kdf = find(kdfs, suite->kdf), *aead = find(aeads, suite->aead);

	if (suite->mode != HPKE_BASE)
		return refuse(
			err, "mode", suite->mode, suite->mode <= HPKE_AUTH_PSK ? modes[suite->mode] : NULL);
	if (!kem_find(suite->kem))
		return refuse(err, "KEM", suite->kem, kem_name(suite->kem));
	if (!kdf->name || kdf->number == -1)
		return refuse(err, "KDF", suite->kdf, kdf->name);
	if (!aead->name)
		return refuse(err, "AEAD", suite->aead, NULL);
	return VEIL_OK;
}

enum crypto_hash hpke_hash(const struct hpke_suite *suite)
{
	return (enum crypto_hash)find(kdfs, suite->kdf)->number;
}

enum crypto_aead hpke_aead(const struct hpke_suite *suite)
{
	return (enum crypto_aead)find(aeads, suite->aead)->number;
}

size_t hpke_key_bytes(const struct hpke_suite *suite)
{
	return suite->aead == HPKE_AEAD_EXPORT_ONLY ? 0 : crypto_aead_key_bytes(hpke_aead(suite));
}

size_t hpke_hash_bytes(const struct hpke_suite *suite)
{
	return crypto_hash_bytes(hpke_hash(suite));
}

#define SUITE_ID_BYTES 10

static struct hkdf suite_kdf(struct crypto *c, const struct hpke_suite *suite, uint8_t id[SUITE_ID_BYTES])
{
	const uint16_t numbers[] = {suite->kem, suite->kdf, suite->aead};

	memcpy(id, "HPKE", 4);
	for (int i = 0; i < 3; i++) {
		id[4 + 2 * i] = (uint8_t)(numbers[i] >> 8);
		id[5 + 2 * i] = (uint8_t)numbers[i];
	}
	return (struct hkdf){c, hpke_hash(suite), {id, SUITE_ID_BYTES}};
}

void hpke_schedule(struct hpke *h, struct crypto *c, const struct hpke_suite *suite,
	const uint8_t secret[KEM_SECRET_BYTES], struct bytes info)
{
	uint8_t id[SUITE_ID_BYTES], context[1 + 2 * CRYPTO_MAX_HASH_BYTES], prk[CRYPTO_MAX_HASH_BYTES];
	const struct hkdf kdf = suite_kdf(c, suite, id);
	const struct bytes none = {0};
	size_t hash = hpke_hash_bytes(suite), key = hpke_key_bytes(suite);
	struct bytes view = {context, 1 + 2 * hash};

	*h = (struct hpke){.suite = *suite};
	context[0] = suite->mode;
	hkdf_labeled_extract(&kdf, context + 1, none, "psk_id_hash", none);
	hkdf_labeled_extract(&kdf, context + 1 + hash, none, "info_hash", info);
	hkdf_labeled_extract(&kdf, prk, (struct bytes){secret, KEM_SECRET_BYTES}, "secret", none);
	if (key) {
		hkdf_labeled_expand(&kdf, h->key, key, prk, "key", view, none);
		hkdf_labeled_expand(&kdf, h->base_nonce, CRYPTO_NONCE_BYTES, prk, "base_nonce", view, none);
	}
	hkdf_labeled_expand(&kdf, h->exporter_secret, hash, prk, "exp", view, none);
	wipe(prk, sizeof prk);
}

enum veil_status hpke_setup_sender(struct hpke *h, struct crypto *c, const struct hpke_suite *suite,
	uint8_t *enc, const uint8_t *public_key, struct bytes info, const struct rng *rng,
	struct veil_error *err)
{
	uint8_t secret[KEM_SECRET_BYTES];
	enum veil_status st = hpke_suite_check(suite, err);

	*h = (struct hpke){0};
	if (st != VEIL_OK)
		return st;
	st = kem_encap(c, kem_find(suite->kem), secret, enc, public_key, rng);
	if (st == VEIL_OK)
		hpke_schedule(h, c, suite, secret, info);
	else
		error_set(err, st, "HPKE: the public key is not one of %s", kem_name(suite->kem));
	wipe(secret, sizeof secret);
	return st;
}

enum veil_status hpke_setup_receiver(struct hpke *h, struct crypto *c, const struct hpke_suite *suite,
	const struct kem_key *key, struct bytes enc, struct bytes info, struct veil_error *err)
{
	uint8_t secret[KEM_SECRET_BYTES];
	enum veil_status st = hpke_suite_check(suite, err);

	*h = (struct hpke){0};
	if (st != VEIL_OK)
		return st;
	REQUIRE(key->kem->id == suite->kem);
	st = enc.size == key->kem->enc_bytes ? kem_decap(c, key, secret, enc.data) : VEIL_E_MALFORMED;
	if (st == VEIL_OK)
		hpke_schedule(h, c, suite, secret, info);
	else
		error_set(err, st, "HPKE: the encapsulated key is not one of %s", key->kem->name);
	wipe(secret, sizeof secret);
	return st;
}

/* The nonce of the next message; false when 2^96 - 1 is reached. */
static bool next_nonce(const struct hpke *h, uint8_t nonce[CRYPTO_NONCE_BYTES])
{
	uint8_t all = 0xff;

	for (size_t i = 0; i < CRYPTO_NONCE_BYTES; i++) {
		nonce[i] = h->base_nonce[i] ^ h->sequence[i];
		all &= h->sequence[i];
	}
	return all != 0xff;
}

static void advance(struct hpke *h)
{
	size_t i = CRYPTO_NONCE_BYTES;

	while (i && ++h->sequence[--i] == 0)
		;
}

enum veil_status hpke_seal(struct hpke *h, struct crypto *c, uint8_t *out, struct bytes aad, struct bytes in)
{
	uint8_t nonce[CRYPTO_NONCE_BYTES];

	if (h->suite.aead == HPKE_AEAD_EXPORT_ONLY)
		return VEIL_E_UNSUPPORTED;
	if (!next_nonce(h, nonce))
		return VEIL_E_INVALID;
	crypto_seal(c, hpke_aead(&h->suite), out, h->key, nonce, aad, in);
	advance(h);
	return VEIL_OK;
}

enum veil_status hpke_open(struct hpke *h, struct crypto *c, uint8_t *out, struct bytes aad, struct bytes in)
{
	uint8_t nonce[CRYPTO_NONCE_BYTES];

	if (h->suite.aead == HPKE_AEAD_EXPORT_ONLY)
		return VEIL_E_UNSUPPORTED;
	if (!next_nonce(h, nonce))
		return VEIL_E_INVALID;
	if (in.size < CRYPTO_TAG_BYTES || !crypto_open(c, hpke_aead(&h->suite), out, h->key, nonce, aad, in))
		return VEIL_E_MALFORMED;
	advance(h);
	return VEIL_OK;
}

enum veil_status hpke_export(
	const struct hpke *h, struct crypto *c, uint8_t *out, size_t size, struct bytes context)
{
	uint8_t id[SUITE_ID_BYTES];
	const struct hkdf kdf = suite_kdf(c, &h->suite, id);

	if (size > 255 * hpke_hash_bytes(&h->suite))
		return VEIL_E_INVALID;
	hkdf_labeled_expand(&kdf, out, size, h->exporter_secret, "sec", context, (struct bytes){0});
	return VEIL_OK;
}

void hpke_clear(struct hpke *h)
{
	if (h)
		wipe(h, sizeof *h);
}
