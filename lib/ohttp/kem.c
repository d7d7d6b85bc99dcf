/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/kem.h"

#include <stdlib.h>
#include <string.h>

#include "base/ct.h"
#include "base/error.h"
#include "base/require.h"
#include "ohttp/hkdf.h"

/* Every identifier that is registered or drafted, so that a refusal can name it. */
static const struct {
	uint16_t id;
	const char *name;
} names[] = {
	{0x0010, "DHKEM(P-256, HKDF-SHA256)"},
	{0x0011, "DHKEM(P-384, HKDF-SHA384)"},
	{0x0012, "DHKEM(P-521, HKDF-SHA512)"},
	{0x0013, "DHKEM(CP-256, HKDF-SHA256)"},
	{0x0014, "DHKEM(CP-384, HKDF-SHA384)"},
	{0x0015, "DHKEM(CP-521, HKDF-SHA512)"},
	{0x0016, "DHKEM(secp256k1, HKDF-SHA256)"},
	{0x0020, "DHKEM(X25519, HKDF-SHA256)"},
	{0x0021, "DHKEM(X448, HKDF-SHA512)"},
	{0x0030, "X25519Kyber768Draft00"},
	{0x0040, "ML-KEM-512"},
	{0x0041, "ML-KEM-768"},
	{0x0042, "ML-KEM-1024"},
	{0x0050, "MLKEM768-P256"},
	{0x0051, "MLKEM1024-P384"},
	{0x647a, "X-Wing"},
};

bool kem_is_post_quantum(uint16_t id)
{
	return id == 0x0030 || (id >= 0x0040 && id <= 0x0042) || id == 0x0050 || id == 0x0051 ||
	       id == KEM_XWING;
}

const char *kem_name(uint16_t id)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].id == id)
			return names[i].name;
	return NULL;
}

/* --- DHKEM, RFC 9180 section 4.1; both curves go with HKDF-SHA256 */

static struct hkdf dhkem_kdf(struct crypto *c, uint16_t id)
{
	static const uint8_t p256[] = {'K', 'E', 'M', KEM_P256 >> 8, KEM_P256 & 255};
	static const uint8_t x25519[] = {'K', 'E', 'M', KEM_X25519 >> 8, KEM_X25519 & 255};

	return (struct hkdf){c, CRYPTO_SHA256, {id == KEM_P256 ? p256 : x25519, sizeof p256}};
}

static void extract_and_expand(struct crypto *c, const struct kem *kem, uint8_t *secret, const uint8_t *dh,
	const uint8_t *enc, const uint8_t *public_key)
{
	struct hkdf kdf = dhkem_kdf(c, kem->id);
	uint8_t prk[32];

	ct_poison(dh, 32); /* for the constant-time checkers: from here on all is ours */
	hkdf_labeled_extract(&kdf, prk, (struct bytes){0}, "eae_prk", (struct bytes){dh, 32});
	hkdf_labeled_expand(&kdf, secret, KEM_SECRET_BYTES, prk, "shared_secret",
		(struct bytes){enc, kem->enc_bytes}, (struct bytes){public_key, kem->public_bytes});
	wipe(prk, sizeof prk);
}

/* An ephemeral key: any 32 bytes for X25519, the next ones below the order for P-256. */
static enum veil_status ephemeral(
	struct crypto_key **key, struct crypto *c, enum crypto_group group, const struct rng *rng)
{
	uint8_t private_key[32];
	enum veil_status st;

	do {
		rng_fill(rng, private_key, sizeof private_key);
		st = crypto_key_create(key, c, group, private_key);
	} while (st == VEIL_E_INVALID);
	wipe(private_key, sizeof private_key);
	return st;
}

static enum veil_status dhkem_encap(struct crypto *c, const struct kem *kem, enum crypto_group group,
	uint8_t *secret, uint8_t *enc, const uint8_t *public_key, const struct rng *rng)
{
	struct crypto_key *key = NULL;
	uint8_t dh[32];
	enum veil_status st = ephemeral(&key, c, group, rng);

	if (st == VEIL_OK)
		st = crypto_dh(c, key, dh, public_key);
	if (st == VEIL_OK) {
		memcpy(enc, crypto_key_public(key), kem->enc_bytes);
		extract_and_expand(c, kem, secret, dh, enc, public_key);
	}
	crypto_key_destroy(key);
	wipe(dh, sizeof dh);
	return st;
}

static enum veil_status p256_encap(
	struct crypto *c, uint8_t *secret, uint8_t *enc, const uint8_t *public_key, const struct rng *rng)
{
	return dhkem_encap(c, kem_find(KEM_P256), CRYPTO_P256, secret, enc, public_key, rng);
}

static enum veil_status x25519_encap(
	struct crypto *c, uint8_t *secret, uint8_t *enc, const uint8_t *public_key, const struct rng *rng)
{
	return dhkem_encap(c, kem_find(KEM_X25519), CRYPTO_X25519, secret, enc, public_key, rng);
}

static enum veil_status dhkem_decap(
	struct crypto *c, const struct kem_key *key, uint8_t *secret, const uint8_t *enc)
{
	uint8_t dh[32];
	enum veil_status st = crypto_dh(c, key->dh, dh, enc);

	if (st == VEIL_OK)
		extract_and_expand(c, key->kem, secret, dh, enc, key->public_key);
	wipe(dh, sizeof dh);
	return st;
}

static enum veil_status dhkem_open(
	struct kem_key *key, struct crypto *c, enum crypto_group group, const uint8_t *private_key)
{
	enum veil_status st = crypto_key_create(&key->dh, c, group, private_key);

	if (st == VEIL_OK)
		memcpy(key->public_key, crypto_key_public(key->dh), key->kem->public_bytes);
	return st;
}

static enum veil_status p256_open(struct kem_key *key, struct crypto *c, const uint8_t *private_key)
{
	return dhkem_open(key, c, CRYPTO_P256, private_key);
}

static enum veil_status x25519_open(struct kem_key *key, struct crypto *c, const uint8_t *private_key)
{
	return dhkem_open(key, c, CRYPTO_X25519, private_key);
}

/* DeriveKeyPair, RFC 9180 section 7.1.3 */
static void x25519_derive(struct crypto *c, uint8_t *private_key, struct bytes ikm)
{
	struct hkdf kdf = dhkem_kdf(c, KEM_X25519);
	uint8_t prk[32];

	hkdf_labeled_extract(&kdf, prk, (struct bytes){0}, "dkp_prk", ikm);
	hkdf_labeled_expand(&kdf, private_key, 32, prk, "sk", (struct bytes){0}, (struct bytes){0});
	wipe(prk, sizeof prk);
}

static void p256_derive(struct crypto *c, uint8_t *private_key, struct bytes ikm)
{
	struct hkdf kdf = dhkem_kdf(c, KEM_P256);
	struct crypto_key *key = NULL;
	uint8_t prk[32], counter = 0;

	hkdf_labeled_extract(&kdf, prk, (struct bytes){0}, "dkp_prk", ikm);
	do { /* each try fails with a chance of 2^-32 */
		hkdf_labeled_expand(&kdf, private_key, 32, prk, "candidate", (struct bytes){&counter, 1},
			(struct bytes){0});
		counter++;
	} while (counter && crypto_key_create(&key, c, CRYPTO_P256, private_key) == VEIL_E_INVALID);
	crypto_key_destroy(key);
	wipe(prk, sizeof prk);
}

/* --- ML-KEM and X-Wing */

#ifdef OHTTP_HAVE_ML_KEM

/* LabeledDerive with SHAKE256, draft-ietf-hpke-pq: the labels and the output's length before the input */
static void shake_derive(struct crypto *c, uint16_t id, uint8_t *out, size_t size, struct bytes ikm)
{
	static const char label[] = "DeriveKeyPair", version[] = "HPKE-v1";
	const uint8_t suite_id[] = {'K', 'E', 'M', (uint8_t)(id >> 8), (uint8_t)id};
	const uint8_t lengths[] = {0, sizeof label - 1}, size_be[] = {(uint8_t)(size >> 8), (uint8_t)size};
	const struct bytes parts[] = {ikm, {(const uint8_t *)version, sizeof version - 1},
		{suite_id, sizeof suite_id}, {lengths, 2}, {(const uint8_t *)label, sizeof label - 1},
		{size_be, 2}};

	crypto_shake256(c, out, size, parts, 6);
}

static enum veil_status ml_kem_open(struct kem_key *key, struct crypto *c, const uint8_t *private_key)
{
	enum veil_status st = crypto_kem_key_create(&key->ml_kem, c, private_key);

	return st == VEIL_OK ? crypto_kem_key_public(key->ml_kem, key->public_key) : st;
}

static enum veil_status ml_kem_encap(
	struct crypto *c, uint8_t *secret, uint8_t *enc, const uint8_t *public_key, const struct rng *rng)
{
	uint8_t m[32];
	enum veil_status st;

	rng_fill(rng, m, sizeof m);
	st = crypto_kem_encap(c, secret, enc, public_key, m);
	wipe(m, sizeof m);
	return st;
}

static enum veil_status ml_kem_decap(
	struct crypto *c, const struct kem_key *key, uint8_t *secret, const uint8_t *enc)
{
	return crypto_kem_decap(c, key->ml_kem, secret, enc);
}

static void ml_kem_derive(struct crypto *c, uint8_t *private_key, struct bytes ikm)
{
	shake_derive(c, KEM_ML_KEM_768, private_key, CRYPTO_ML_KEM_SEED_BYTES, ikm);
}

/* X-Wing: the keys of ML-KEM-768 first, then X25519, both of one seed of 32 bytes. */
static enum veil_status xwing_open(struct kem_key *key, struct crypto *c, const uint8_t *private_key)
{
	const struct bytes seed = {private_key, 32};
	uint8_t expanded[CRYPTO_ML_KEM_SEED_BYTES + CRYPTO_X25519_BYTES];
	enum veil_status st;

	crypto_shake256(c, expanded, sizeof expanded, &seed, 1);
	st = ml_kem_open(key, c, expanded);
	if (st == VEIL_OK)
		st = crypto_key_create(&key->dh, c, CRYPTO_X25519, expanded + CRYPTO_ML_KEM_SEED_BYTES);
	if (st == VEIL_OK)
		memcpy(key->public_key + CRYPTO_ML_KEM_PUBLIC_BYTES, crypto_key_public(key->dh),
			CRYPTO_X25519_BYTES);
	wipe(expanded, sizeof expanded);
	return st;
}

static void xwing_combine(struct crypto *c, uint8_t *secret, const uint8_t *ml_kem, const uint8_t *dh,
	const uint8_t *enc_dh, const uint8_t *public_dh)
{
	static const uint8_t label[6] = {0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c};
	const struct bytes parts[] = {{ml_kem, 32}, {dh, 32}, {enc_dh, 32}, {public_dh, 32}, {label, 6}};

	crypto_sha3_256(c, secret, parts, 5);
}

static enum veil_status xwing_encap(
	struct crypto *c, uint8_t *secret, uint8_t *enc, const uint8_t *public_key, const struct rng *rng)
{
	uint8_t random[64], ml_kem[32], dh[32], *enc_dh = enc + CRYPTO_ML_KEM_CIPHERTEXT_BYTES;
	const uint8_t *public_dh = public_key + CRYPTO_ML_KEM_PUBLIC_BYTES;
	struct crypto_key *key = NULL;
	enum veil_status st;

	rng_fill(rng, random, sizeof random);
	st = crypto_kem_encap(c, ml_kem, enc, public_key, random);
	if (st == VEIL_OK)
		st = crypto_key_create(&key, c, CRYPTO_X25519, random + 32);
	if (st == VEIL_OK)
		st = crypto_dh(c, key, dh, public_dh);
	if (st == VEIL_OK) {
		memcpy(enc_dh, crypto_key_public(key), CRYPTO_X25519_BYTES);
		xwing_combine(c, secret, ml_kem, dh, enc_dh, public_dh);
	}
	crypto_key_destroy(key);
	wipe(random, sizeof random), wipe(ml_kem, sizeof ml_kem), wipe(dh, sizeof dh);
	return st;
}

static enum veil_status xwing_decap(
	struct crypto *c, const struct kem_key *key, uint8_t *secret, const uint8_t *enc)
{
	const uint8_t *enc_dh = enc + CRYPTO_ML_KEM_CIPHERTEXT_BYTES;
	uint8_t ml_kem[32], dh[32];
	enum veil_status st = crypto_kem_decap(c, key->ml_kem, ml_kem, enc);

	if (st == VEIL_OK)
		st = crypto_dh(c, key->dh, dh, enc_dh);
	if (st == VEIL_OK)
		xwing_combine(c, secret, ml_kem, dh, enc_dh, key->public_key + CRYPTO_ML_KEM_PUBLIC_BYTES);
	wipe(ml_kem, sizeof ml_kem), wipe(dh, sizeof dh);
	return st;
}

static void xwing_derive(struct crypto *c, uint8_t *private_key, struct bytes ikm)
{
	shake_derive(c, KEM_XWING, private_key, 32, ikm);
}

#endif

static const struct kem kems[] = {
	{KEM_X25519, "DHKEM(X25519, HKDF-SHA256)", false, 32, 32, 32, x25519_open, x25519_encap, dhkem_decap,
		x25519_derive},
	{KEM_P256, "DHKEM(P-256, HKDF-SHA256)", false, 65, 65, 32, p256_open, p256_encap, dhkem_decap,
		p256_derive},
#ifdef OHTTP_HAVE_ML_KEM
	{KEM_XWING, "X-Wing", true, 1120, 1216, 32, xwing_open, xwing_encap, xwing_decap, xwing_derive},
	{KEM_ML_KEM_768, "ML-KEM-768", true, 1088, 1184, 64, ml_kem_open, ml_kem_encap, ml_kem_decap,
		ml_kem_derive},
#endif
};

const struct kem *kem_find(uint16_t id)
{
	for (size_t i = 0; i < sizeof kems / sizeof *kems; i++)
		if (kems[i].id == id)
			return &kems[i];
	return NULL;
}

enum veil_status kem_key_create(struct kem_key **out, struct crypto *c, const struct kem *kem,
	const uint8_t *private_key, struct veil_error *err)
{
	struct kem_key *key = calloc(1, sizeof *key);
	enum veil_status st;

	*out = NULL;
	if (!key)
		return error_set(err, VEIL_E_NOMEM, "OHTTP: no memory for a key");
	key->kem = kem;
	st = kem->open(key, c, private_key);
	if (st == VEIL_OK) {
		*out = key;
		return VEIL_OK;
	}
	kem_key_destroy(key);
	return error_set(err, st, "OHTTP: %s %s",
		st == VEIL_E_NOMEM ? "no memory for a key of" : "these bytes are no private key of",
		kem->name);
}

void kem_key_destroy(struct kem_key *key)
{
	if (!key)
		return;
	crypto_key_destroy(key->dh);
#ifdef OHTTP_HAVE_ML_KEM
	crypto_kem_key_destroy(key->ml_kem);
#endif
	free(key);
}

void kem_key_random(struct crypto *c, const struct kem *kem, uint8_t *private_key, const struct rng *rng)
{
	uint8_t ikm[KEM_MAX_PRIVATE_BYTES];

	rng_fill(rng, ikm, kem->private_bytes);
	kem_key_derive(c, kem, private_key, (struct bytes){ikm, kem->private_bytes});
	wipe(ikm, sizeof ikm);
}

void kem_key_derive(struct crypto *c, const struct kem *kem, uint8_t *private_key, struct bytes ikm)
{
	kem->derive(c, private_key, ikm);
}

enum veil_status kem_encap(struct crypto *c, const struct kem *kem, uint8_t secret[KEM_SECRET_BYTES],
	uint8_t *enc, const uint8_t *public_key, const struct rng *rng)
{
	enum veil_status st = kem->encap(c, secret, enc, public_key, rng);

	ct_poison(secret, KEM_SECRET_BYTES);
	return st;
}

enum veil_status kem_decap(
	struct crypto *c, const struct kem_key *key, uint8_t secret[KEM_SECRET_BYTES], const uint8_t *enc)
{
	enum veil_status st = key->kem->decap(c, key, secret, enc);

	ct_poison(secret, KEM_SECRET_BYTES);
	return st;
}
