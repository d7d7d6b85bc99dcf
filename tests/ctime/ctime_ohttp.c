/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/ct.h"
#include "base/require.h"
#include "ohttp/message.h"

/* For valgrind and MSan: exchanges of every suite, client and gateway. What Diffie-Hellman and the KEM give
 * is marked as uninitialised where it comes to be (lib/ohttp/kem.c), so all keys that follow from it are:
 * HKDF, the key schedule, nonces, exports. What OpenSSL itself tells is unmarked before it is asked: whether
 * a tag is right. */

#define SIZE 100

static const struct keyconfig_algorithm algorithms[] = {{HPKE_KDF_SHA256, HPKE_AEAD_AES128_GCM},
	{HPKE_KDF_SHA384, HPKE_AEAD_AES256_GCM}, {HPKE_KDF_SHA512, HPKE_AEAD_CHACHA20_POLY1305}};

static const struct rng *get_rng(void)
{
	static struct rng rng;

	rng = rng_system();
	return &rng;
}

static struct kem_key *make_key(struct crypto *c, uint16_t id)
{
	uint8_t private_key[KEM_MAX_PRIVATE_BYTES];
	struct kem_key *key;

	kem_key_random(c, kem_find(id), private_key, get_rng());
	REQUIRE(kem_key_create(&key, c, kem_find(id), private_key, NULL) == VEIL_OK);
	return key;
}

/* The gateway's half, in the steps of message_request_open. */
static void answer(
	struct crypto *c, const struct message_key *key, uint8_t *out, uint8_t *sealed, size_t size)
{
	struct message_head head;
	struct message_exchange x;
	uint8_t plain[SIZE];
	struct hpke h;

	REQUIRE(message_head_read(&head, key, 1, sealed, size, NULL) == VEIL_OK);
	REQUIRE(message_setup_receiver(&h, &x, c, &head, "message/bhttp request", "message/bhttp response",
			NULL) == VEIL_OK);
	ct_unpoison(h.key, sizeof h.key), ct_unpoison(h.base_nonce, sizeof h.base_nonce);
	REQUIRE(hpke_open(&h, c, plain, (struct bytes){0}, head.body) == VEIL_OK);
	hpke_clear(&h);
	ct_poison(x.secret, sizeof x.secret); /* MSan does not see what OpenSSL writes */
	message_response_seal(&x, c, out, (struct bytes){plain, SIZE}, get_rng());
}

static void exchange(struct crypto *c, const struct message_key *key, const struct keyconfig_algorithm *a)
{
	const struct keyconfig_choice choice = {
		.config = &key->config, .suite = {key->config.kem->id, a->kdf, a->aead, HPKE_BASE}};
	static const uint8_t request[SIZE];
	uint8_t sealed[KEM_MAX_ENC_BYTES + SIZE + 64], reply[SIZE + 64];
	size_t size = message_request_bytes(&choice, SIZE),
	       reply_size = message_response_bytes(&choice.suite, SIZE);
	size_t nonce = message_nonce_bytes(&choice.suite);
	struct message_exchange x;
	struct hpke h;

	REQUIRE(message_request_seal(
			&x, c, sealed, &choice, (struct bytes){request, SIZE}, get_rng(), NULL) == VEIL_OK);
	ct_unpoison(sealed, size); /* it is sent */
	answer(c, key, reply, sealed, size);
	ct_unpoison(reply, reply_size);
	ct_poison(x.secret, sizeof x.secret);
	message_response_keys(&h, &x, c, reply);
	ct_unpoison(&h, sizeof h);
	REQUIRE(hpke_open(&h, c, reply, (struct bytes){0},
			(struct bytes){reply + nonce, reply_size - nonce}) == VEIL_OK);
	ct_unpoison(reply, SIZE);
	REQUIRE(memcmp(reply, request, SIZE) == 0);
}

static void leak(struct crypto *c)
{
	struct kem_key *key = make_key(c, KEM_X25519);
	uint8_t secret[KEM_SECRET_BYTES];

	/* a branch on the shared secret, where the library has none */
	REQUIRE(kem_decap(c, key, secret, key->public_key) == VEIL_OK);
	if (secret[0] & 1)
		puts("odd");
	else
		fputs("even\n", stderr);
	kem_key_destroy(key);
}

int main(int argc, char **argv)
{
	static const uint16_t kems[] = {KEM_X25519, KEM_P256, KEM_XWING, KEM_ML_KEM_768};
	struct message_key key;
	struct kem_key *pair;
	struct crypto *c;

	REQUIRE(crypto_create(&c, NULL) == VEIL_OK);
	if (argc > 1 && !strcmp(argv[1], "leak")) {
		leak(c);
		crypto_destroy(c);
		return 0;
	}
	for (size_t k = 0; k < sizeof kems / sizeof *kems && kem_find(kems[k]); k++) {
		pair = make_key(c, kems[k]);
		REQUIRE(message_key_init(&key, 1, pair, algorithms, 3, NULL) == VEIL_OK);
		for (size_t i = 0; i < 3; i++)
			exchange(c, &key, &algorithms[i]);
		kem_key_destroy(pair);
	}
	crypto_destroy(c);
	return 0;
}
