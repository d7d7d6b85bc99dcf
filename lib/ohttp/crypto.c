/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/crypto.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "base/ct.h"
#include "base/error.h"
#include "base/require.h"

static const struct {
	const char *name;
	size_t bytes, block;
} hashes[CRYPTO_HASHES] = {
	[CRYPTO_SHA256] = {"SHA256", 32, 64},
	[CRYPTO_SHA384] = {"SHA384", 48, 128},
	[CRYPTO_SHA512] = {"SHA512", 64, 128},
};

static const struct {
	const char *name;
	size_t key_bytes;
} aeads[CRYPTO_AEADS] = {
	[CRYPTO_AES128_GCM] = {"AES-128-GCM", 16},
	[CRYPTO_AES256_GCM] = {"AES-256-GCM", 32},
	[CRYPTO_CHACHA20_POLY1305] = {"ChaCha20-Poly1305", 32},
};

struct crypto {
	EVP_MD_CTX *hash[CRYPTO_HASHES];
	EVP_CIPHER_CTX *aead[CRYPTO_AEADS];
	EVP_PKEY *peer; /* the other side's X25519 key: its bytes are replaced for each use */
	EC_GROUP *p256;
	BN_CTX *bn;
#ifdef OHTTP_HAVE_ML_KEM
	EVP_MD_CTX *sha3, *shake;
#endif
};

#define LOCKED_HEAP_BYTES 65536 /* a private key takes under 256 */

static EVP_MD_CTX *hash_context(const char *name)
{
	EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!md || !ctx || !EVP_DigestInit_ex(ctx, md, NULL)) {
		EVP_MD_CTX_free(ctx);
		ctx = NULL;
	}
	EVP_MD_free(md); /* the context holds its own reference */
	return ctx;
}

static const uint8_t zeros[CRYPTO_MAX_KEY_BYTES];

static EVP_CIPHER_CTX *aead_context(const char *name)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (!cipher || !ctx || !EVP_CipherInit_ex(ctx, cipher, NULL, zeros, zeros, 1)) {
		EVP_CIPHER_CTX_free(ctx);
		ctx = NULL;
	}
	EVP_CIPHER_free(cipher);
	return ctx;
}

/* Without it keys are wiped, not locked. OpenSSL does not guard its setting up against a second thread. */
static void set_heap_up(void)
{
	if (!CRYPTO_secure_malloc_initialized())
		CRYPTO_secure_malloc_init(LOCKED_HEAP_BYTES, 32);
}

enum veil_status crypto_create(struct crypto **out, struct veil_error *err)
{
	static const uint8_t base_point[CRYPTO_X25519_BYTES] = {9};
	static CRYPTO_ONCE heap = CRYPTO_ONCE_STATIC_INIT;
	struct crypto *c = calloc(1, sizeof *c);
	const char *missing = NULL;

	*out = NULL;
	if (!c)
		return error_set(err, VEIL_E_NOMEM, "OHTTP: no memory for its algorithms");
	CRYPTO_THREAD_run_once(&heap, set_heap_up); /* OpenSSL's own: lib/ takes no lock */
	for (int h = 0; h < CRYPTO_HASHES; h++)
		if (!(c->hash[h] = hash_context(hashes[h].name)))
			missing = hashes[h].name;
	for (int a = 0; a < CRYPTO_AEADS; a++)
		if (!(c->aead[a] = aead_context(aeads[a].name)))
			missing = aeads[a].name;
	c->peer = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, base_point, sizeof base_point);
	if (!c->peer)
		missing = "X25519";
	c->p256 = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	c->bn = BN_CTX_secure_new();
	if (!c->p256 || !c->bn)
		missing = "P-256";
#ifdef OHTTP_HAVE_ML_KEM
	c->sha3 = hash_context("SHA3-256");
	c->shake = hash_context("SHAKE256");
	if (!c->sha3 || !c->shake)
		missing = "SHA-3";
#endif
	if (missing) {
		crypto_destroy(c);
		return error_set(err, VEIL_E_UNSUPPORTED,
			"OHTTP: OpenSSL does not offer %s here; see openssl.cnf", missing);
	}
	*out = c;
	return VEIL_OK;
}

void crypto_destroy(struct crypto *c)
{
	if (!c)
		return;
	for (int h = 0; h < CRYPTO_HASHES; h++)
		EVP_MD_CTX_free(c->hash[h]);
	for (int a = 0; a < CRYPTO_AEADS; a++)
		EVP_CIPHER_CTX_free(c->aead[a]);
	EVP_PKEY_free(c->peer);
	EC_GROUP_free(c->p256);
	BN_CTX_free(c->bn);
#ifdef OHTTP_HAVE_ML_KEM
	EVP_MD_CTX_free(c->sha3);
	EVP_MD_CTX_free(c->shake);
#endif
	free(c);
}

/* --- hashes */

size_t crypto_hash_bytes(enum crypto_hash hash)
{
	return hashes[hash].bytes;
}

/* Ends by starting anew, so that the context does not keep the state. */
static void digest(EVP_MD_CTX *ctx, uint8_t *out, const struct bytes *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		REQUIRE(EVP_DigestUpdate(ctx, parts[i].data, parts[i].size));
	REQUIRE(EVP_DigestFinal_ex(ctx, out, NULL) && EVP_DigestInit_ex(ctx, NULL, NULL));
}

void crypto_hmac(struct crypto *c, enum crypto_hash hash, uint8_t *out, struct bytes key,
	const struct bytes *parts, size_t count)
{
	uint8_t pad[128], inner[CRYPTO_MAX_HASH_BYTES], short_key[CRYPTO_MAX_HASH_BYTES];
	size_t block = hashes[hash].block;
	EVP_MD_CTX *ctx = c->hash[hash];

	if (key.size > block) {
		digest(ctx, short_key, &key, 1);
		key = (struct bytes){short_key, hashes[hash].bytes};
	}
	memset(pad, 0x36, block);
	for (size_t i = 0; i < key.size; i++)
		pad[i] ^= key.data[i];
	REQUIRE(EVP_DigestUpdate(ctx, pad, block));
	digest(ctx, inner, parts, count);
	for (size_t i = 0; i < block; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	REQUIRE(EVP_DigestUpdate(ctx, pad, block));
	digest(ctx, out, &(struct bytes){inner, hashes[hash].bytes}, 1);
	wipe(pad, sizeof pad);
	wipe(inner, sizeof inner);
	wipe(short_key, sizeof short_key);
}

/* --- AEAD */

size_t crypto_aead_key_bytes(enum crypto_aead aead)
{
	return aeads[aead].key_bytes;
}

static void update(EVP_CIPHER_CTX *ctx, uint8_t *out, struct bytes in)
{
	while (in.size) {
		int piece = (int)(in.size < 1 << 30 ? in.size : 1 << 30), done = 0;

		REQUIRE(EVP_CipherUpdate(ctx, out, &done, in.data, piece) && done == piece);
		in.data += piece, in.size -= (size_t)piece;
		if (out)
			out += piece;
	}
}

void crypto_seal(struct crypto *c, enum crypto_aead aead, uint8_t *out, const uint8_t *key,
	const uint8_t nonce[CRYPTO_NONCE_BYTES], struct bytes aad, struct bytes in)
{
	EVP_CIPHER_CTX *ctx = c->aead[aead];
	size_t size = in.size;
	int done = 0;

	REQUIRE(EVP_CipherInit_ex(ctx, NULL, NULL, key, nonce, 1));
	update(ctx, NULL, aad);
	update(ctx, out, in);
	REQUIRE(EVP_CipherFinal_ex(ctx, out + size, &done) && done == 0);
	REQUIRE(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG_BYTES, out + size) > 0);
	REQUIRE(EVP_CipherInit_ex(ctx, NULL, NULL, zeros, zeros, 1)); /* over the key schedule */
}

bool crypto_open(struct crypto *c, enum crypto_aead aead, uint8_t *out, const uint8_t *key,
	const uint8_t nonce[CRYPTO_NONCE_BYTES], struct bytes aad, struct bytes in)
{
	EVP_CIPHER_CTX *ctx = c->aead[aead];
	uint8_t tag[CRYPTO_TAG_BYTES], last[1];
	int done = 0;
	bool ok;

	REQUIRE(in.size >= CRYPTO_TAG_BYTES);
	in.size -= CRYPTO_TAG_BYTES;
	memcpy(tag, in.data + in.size, sizeof tag);
	REQUIRE(EVP_CipherInit_ex(ctx, NULL, NULL, key, nonce, 0));
	REQUIRE(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, CRYPTO_TAG_BYTES, tag) > 0);
	update(ctx, NULL, aad);
	update(ctx, out, in);
	ok = EVP_CipherFinal_ex(ctx, last, &done) == 1;
	if (!ok)
		wipe(out, in.size);
	REQUIRE(EVP_CipherInit_ex(ctx, NULL, NULL, zeros, zeros, 1));
	return ok;
}

/* --- Diffie-Hellman */

struct crypto_key {
	enum crypto_group group;
	uint8_t public_key[CRYPTO_P256_POINT_BYTES];
	EVP_PKEY *x25519;
	EVP_PKEY_CTX *derive; /* ready for a peer; copied for each use, which costs a third of making it */
	BIGNUM *scalar; /* P-256 */
};

static enum veil_status open_x25519(struct crypto_key *key, const uint8_t *private_key)
{
	size_t size = CRYPTO_X25519_BYTES;

	key->x25519 = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, private_key, size);
	if (!key->x25519 || !EVP_PKEY_get_raw_public_key(key->x25519, key->public_key, &size))
		return VEIL_E_NOMEM;
	key->derive = EVP_PKEY_CTX_new_from_pkey(NULL, key->x25519, NULL);
	return key->derive && EVP_PKEY_derive_init(key->derive) > 0 ? VEIL_OK : VEIL_E_NOMEM;
}

static enum veil_status open_p256(struct crypto_key *key, const struct crypto *c, const uint8_t *private_key)
{
	EC_POINT *point = EC_POINT_new(c->p256);
	enum veil_status st = VEIL_E_NOMEM;

	key->scalar = BN_secure_new();
	if (!point || !key->scalar || !BN_bin2bn(private_key, CRYPTO_P256_SCALAR_BYTES, key->scalar))
		goto out;
	BN_set_flags(key->scalar, BN_FLG_CONSTTIME);
	if (BN_is_zero(key->scalar) || BN_cmp(key->scalar, EC_GROUP_get0_order(c->p256)) >= 0) {
		st = VEIL_E_INVALID;
		goto out;
	}
	if (EC_POINT_mul(c->p256, point, key->scalar, NULL, NULL, c->bn) &&
		EC_POINT_point2oct(c->p256, point, POINT_CONVERSION_UNCOMPRESSED, key->public_key,
			sizeof key->public_key, c->bn) == sizeof key->public_key)
		st = VEIL_OK;
out:
	EC_POINT_free(point);
	return st;
}

enum veil_status crypto_key_create(struct crypto_key **out, const struct crypto *c, enum crypto_group group,
	const uint8_t private_key[32])
{
	struct crypto_key *key = calloc(1, sizeof *key);
	enum veil_status st;

	*out = NULL;
	if (!key)
		return VEIL_E_NOMEM;
	key->group = group;
	st = group == CRYPTO_X25519 ? open_x25519(key, private_key) : open_p256(key, c, private_key);
	if (st == VEIL_OK) {
		*out = key;
		key = NULL;
	}
	crypto_key_destroy(key);
	return st;
}

void crypto_key_destroy(struct crypto_key *key)
{
	if (!key)
		return;
	EVP_PKEY_CTX_free(key->derive);
	EVP_PKEY_free(key->x25519);
	BN_clear_free(key->scalar);
	free(key);
}

const uint8_t *crypto_key_public(const struct crypto_key *key)
{
	return key->public_key;
}

static enum veil_status dh_x25519(
	struct crypto *c, const struct crypto_key *key, uint8_t *shared, const uint8_t *peer)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(key->derive);
	size_t size = CRYPTO_X25519_BYTES;
	enum veil_status st = VEIL_E_NOMEM;

	if (ctx && EVP_PKEY_set1_encoded_public_key(c->peer, peer, size) &&
		EVP_PKEY_derive_set_peer_ex(ctx, c->peer, 0) > 0)
		st = EVP_PKEY_derive(ctx, shared, &size) > 0 && size == CRYPTO_X25519_BYTES
			     ? VEIL_OK
			     : VEIL_E_MALFORMED; /* it refuses an all-zero secret, RFC 7748 6.1 */
	EVP_PKEY_CTX_free(ctx);
	return st;
}

static enum veil_status dh_p256(
	struct crypto *c, const struct crypto_key *key, uint8_t *shared, const uint8_t *peer)
{
	EC_POINT *point = EC_POINT_new(c->p256);
	BIGNUM *x = BN_secure_new();
	enum veil_status st = VEIL_E_NOMEM;

	if (!point || !x)
		goto out;
	st = VEIL_E_MALFORMED;
	if (peer[0] != POINT_CONVERSION_UNCOMPRESSED ||
		!EC_POINT_oct2point(c->p256, point, peer, CRYPTO_P256_POINT_BYTES, c->bn))
		goto out; /* oct2point checks the curve's equation */
	if (EC_POINT_mul(c->p256, point, NULL, point, key->scalar, c->bn) &&
		EC_POINT_get_affine_coordinates(c->p256, point, x, NULL, c->bn) &&
		BN_bn2binpad(x, shared, CRYPTO_P256_SCALAR_BYTES) == CRYPTO_P256_SCALAR_BYTES)
		st = VEIL_OK;
out:
	EC_POINT_clear_free(point);
	BN_clear_free(x);
	return st;
}

enum veil_status crypto_dh(
	struct crypto *c, const struct crypto_key *key, uint8_t shared[32], const uint8_t *peer)
{
	return key->group == CRYPTO_X25519 ? dh_x25519(c, key, shared, peer) : dh_p256(c, key, shared, peer);
}

/* --- ML-KEM-768 */

#ifdef OHTTP_HAVE_ML_KEM

bool crypto_has_ml_kem(void)
{
	return true;
}

struct crypto_kem_key {
	EVP_PKEY *pkey;
};

static const char ml_kem_768[] = "ML-KEM-768";

/* A key of one parameter: `seed` or `pub`. NULL where OpenSSL refuses the bytes. */
static EVP_PKEY *ml_kem_import(int selection, const char *name, const uint8_t *data, size_t size)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, ml_kem_768, NULL);
	uint8_t copy[CRYPTO_ML_KEM_PUBLIC_BYTES];
	OSSL_PARAM params[2];
	EVP_PKEY *pkey = NULL;

	memcpy(copy, data, size); /* OSSL_PARAM is not const */
	params[0] = OSSL_PARAM_construct_octet_string(name, copy, size);
	params[1] = OSSL_PARAM_construct_end();
	if (ctx && EVP_PKEY_fromdata_init(ctx) > 0)
		(void)EVP_PKEY_fromdata(ctx, &pkey, selection, params); /* NULL when it fails */
	EVP_PKEY_CTX_free(ctx);
	wipe(copy, sizeof copy);
	return pkey;
}

enum veil_status crypto_kem_key_create(
	struct crypto_kem_key **out, const struct crypto *c, const uint8_t seed[CRYPTO_ML_KEM_SEED_BYTES])
{
	struct crypto_kem_key *key = calloc(1, sizeof *key);

	(void)c;
	*out = NULL;
	if (!key)
		return VEIL_E_NOMEM;
	key->pkey =
		ml_kem_import(EVP_PKEY_KEYPAIR, OSSL_PKEY_PARAM_ML_KEM_SEED, seed, CRYPTO_ML_KEM_SEED_BYTES);
	if (!key->pkey) {
		crypto_kem_key_destroy(key);
		return VEIL_E_NOMEM;
	}
	*out = key;
	return VEIL_OK;
}

void crypto_kem_key_destroy(struct crypto_kem_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

enum veil_status crypto_kem_key_public(
	const struct crypto_kem_key *key, uint8_t out[CRYPTO_ML_KEM_PUBLIC_BYTES])
{
	size_t size = CRYPTO_ML_KEM_PUBLIC_BYTES;

	return EVP_PKEY_get_raw_public_key(key->pkey, out, &size) && size == CRYPTO_ML_KEM_PUBLIC_BYTES
		       ? VEIL_OK
		       : VEIL_E_NOMEM;
}

enum veil_status crypto_kem_encap(struct crypto *c, uint8_t secret[CRYPTO_ML_KEM_SECRET_BYTES],
	uint8_t ciphertext[CRYPTO_ML_KEM_CIPHERTEXT_BYTES],
	const uint8_t public_key[CRYPTO_ML_KEM_PUBLIC_BYTES], const uint8_t random[32])
{
	uint8_t m[32];
	OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_KEM_PARAM_IKME, m, sizeof m),
		OSSL_PARAM_construct_end()};
	EVP_PKEY *pkey = ml_kem_import(
		EVP_PKEY_PUBLIC_KEY, OSSL_PKEY_PARAM_PUB_KEY, public_key, CRYPTO_ML_KEM_PUBLIC_BYTES);
	EVP_PKEY_CTX *ctx = NULL;
	size_t ciphertext_size = CRYPTO_ML_KEM_CIPHERTEXT_BYTES, secret_size = CRYPTO_ML_KEM_SECRET_BYTES;
	enum veil_status st = VEIL_E_NOMEM;

	(void)c;
	memcpy(m, random, sizeof m);
	if (!pkey) {
		st = VEIL_E_MALFORMED;
		goto out;
	}
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (ctx && EVP_PKEY_encapsulate_init(ctx, params) > 0 &&
		EVP_PKEY_encapsulate(ctx, ciphertext, &ciphertext_size, secret, &secret_size) > 0)
		st = VEIL_OK;
out:
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	wipe(m, sizeof m);
	return st;
}

enum veil_status crypto_kem_decap(struct crypto *c, const struct crypto_kem_key *key,
	uint8_t secret[CRYPTO_ML_KEM_SECRET_BYTES], const uint8_t ciphertext[CRYPTO_ML_KEM_CIPHERTEXT_BYTES])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	size_t size = CRYPTO_ML_KEM_SECRET_BYTES;
	bool ok;

	(void)c;
	ok = ctx && EVP_PKEY_decapsulate_init(ctx, NULL) > 0 &&
	     EVP_PKEY_decapsulate(ctx, secret, &size, ciphertext, CRYPTO_ML_KEM_CIPHERTEXT_BYTES) > 0;
	EVP_PKEY_CTX_free(ctx);
	return ok ? VEIL_OK : VEIL_E_NOMEM;
}

void crypto_sha3_256(struct crypto *c, uint8_t out[32], const struct bytes *parts, size_t count)
{
	digest(c->sha3, out, parts, count);
}

void crypto_shake256(struct crypto *c, uint8_t *out, size_t size, const struct bytes *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		REQUIRE(EVP_DigestUpdate(c->shake, parts[i].data, parts[i].size));
	REQUIRE(EVP_DigestFinalXOF(c->shake, out, size) && EVP_DigestInit_ex(c->shake, NULL, NULL));
}

#else

bool crypto_has_ml_kem(void)
{
	return false;
}

#endif
