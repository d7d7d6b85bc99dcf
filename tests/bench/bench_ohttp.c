/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "ohttp/message.h"
#include "state.h"

/* What a gateway pays for privacy: `decapsulate` opens a request of that size and seals a reply of the same
 * size, the whole of its work for an exchange; `encapsulate` is the client's side of the request. */

struct exchange {
	struct crypto *c;
	struct message_key key;
	struct keyconfig_choice choice;
	struct rng_seeded state;
	struct rng rng;
	size_t size;
	uint8_t *plain, *sealed, *out;
	struct message_exchange client, gateway;
};

static void encapsulate(void *arg)
{
	struct exchange *e = arg;

	REQUIRE(message_request_seal(&e->client, e->c, e->sealed, &e->choice,
			(struct bytes){e->plain, e->size}, &e->rng, NULL) == VEIL_OK);
}

static void decapsulate(void *arg)
{
	struct exchange *e = arg;
	struct message_head head;

	REQUIRE(message_head_read(&head, &e->key, 1, e->sealed, message_request_bytes(&e->choice, e->size),
			NULL) == VEIL_OK);
	REQUIRE(message_request_open(&e->gateway, e->c, e->plain, &head, NULL) == VEIL_OK);
	message_response_seal(&e->gateway, e->c, e->out, (struct bytes){e->plain, e->size}, &e->rng);
}

static void open_exchange(struct exchange *e, const struct kem *kem, size_t size)
{
	static const struct keyconfig_algorithm aes = {HPKE_KDF_SHA256, HPKE_AEAD_AES128_GCM};
	uint8_t private_key[KEM_MAX_PRIVATE_BYTES];
	struct kem_key *key;

	*e = (struct exchange){.size = size};
	e->rng = rng_seeded_init_u64(&e->state, 1);
	REQUIRE(crypto_create(&e->c, NULL) == VEIL_OK);
	kem_key_random(e->c, kem, private_key, &e->rng);
	REQUIRE(kem_key_create(&key, e->c, kem, private_key, NULL) == VEIL_OK);
	REQUIRE(message_key_init(&e->key, 1, key, &aes, 1, NULL) == VEIL_OK);
	e->choice = (struct keyconfig_choice){
		.config = &e->key.config, .suite = {kem->id, aes.kdf, aes.aead, HPKE_BASE}};
	e->plain = calloc(1, size);
	e->sealed = malloc(message_request_bytes(&e->choice, size));
	e->out = malloc(message_response_bytes(&e->choice.suite, size));
	REQUIRE(e->plain && e->sealed && e->out);
	encapsulate(e);
}

static void close_exchange(struct exchange *e)
{
	kem_key_destroy((struct kem_key *)(uintptr_t)e->key.key);
	crypto_destroy(e->c);
	free(e->plain), free(e->sealed), free(e->out);
}

void bench_ohttp(struct bench *b)
{
	static const struct {
		const char *name;
		uint16_t kem;
		size_t size;
		void (*fn)(void *arg);
	} list[] = {
		{"ohttp/decapsulate/x25519/1KiB", KEM_X25519, 1024, decapsulate},
		{"ohttp/decapsulate/x25519/100KB", KEM_X25519, 100000, decapsulate},
		{"ohttp/decapsulate/xwing/1KiB", KEM_XWING, 1024, decapsulate},
		{"ohttp/encapsulate/x25519/1KiB", KEM_X25519, 1024, encapsulate},
	};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		const struct kem *kem = kem_find(list[i].kem);
		struct exchange e;

		if (!kem || !bench_wanted(b, list[i].name))
			continue; /* X-Wing needs OpenSSL 3.5 */
		open_exchange(&e, kem, list[i].size);
		bench_run(b, list[i].name, list[i].fn, &e, 0,
			(double)message_request_bytes(&e.choice, e.size),
			list[i].fn == decapsulate
				? "request opened, reply of that size sealed; bytes: of the request"
				: "bytes: of the request");
		close_exchange(&e);
	}
}
