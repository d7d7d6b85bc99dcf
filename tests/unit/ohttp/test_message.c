/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/message.h"

#include <signal.h>

#include "gateway.h"

/* Tests are named after the lines of the conformance list for RFC 9458 (docs/ohttp.md). */

Test(rfc9458, line_2_request_and_response_of_appendix_a_byte_for_byte)
{
	json_t *v = vector_load("ohttp-rfc9458-appendix-a.json");
	struct bytes keys = vector_bytes(v, "application_ohttp_keys"),
		     request = vector_bytes(v, "request_bhttp"), response = vector_bytes(v, "response_bhttp"),
		     want = vector_bytes(v, "encapsulated_request"),
		     sealed = vector_bytes(v, "encapsulated_response");
	struct crypto *c = vector_crypto();
	struct message_key key =
		gateway_key(c, 1, KEM_X25519, vector_bytes(v, "gateway_private_key").data, NULL);
	struct message_exchange client = {0}, gateway = {0};
	struct vector_rng state;
	struct rng rng = vector_rng(&state, vector_bytes(v, "client_ephemeral_private_key"));
	struct keyconfig_choice choice = {0};
	struct keyconfig_list list;
	struct message_head head;
	uint8_t out[256];
	struct hpke h;
	size_t size;

	cr_assert_eq(keyconfig_read(&list, keys.data, keys.size, NULL), VEIL_OK);
	cr_assert_eq(keyconfig_choose(&choice, &list, KEYCONFIG_CLASSIC, NULL), VEIL_OK);
	cr_assert_arr_eq(choice.config->public_key, key.config.public_key, 32);
	cr_assert_eq(message_request_bytes(&choice, request.size), want.size);
	cr_assert_eq(message_request_seal(&client, c, out, &choice, request, &rng, NULL), VEIL_OK);
	assert_bytes(out, want, "encapsulated request");
	assert_bytes(client.secret, vector_bytes(v, "exported_secret"), "exported secret");

	cr_assert_eq(message_head_read(&head, &key, 1, want.data, want.size, NULL), VEIL_OK);
	assert_bytes(head.enc.data, vector_bytes(v, "client_ephemeral_public_key"), "enc");
	cr_assert_eq(message_request_open(&gateway, c, out, &head, NULL), VEIL_OK);
	assert_bytes(out, request, "request");

	rng = vector_rng(&state, vector_bytes(v, "response_nonce"));
	cr_assert_eq(message_response_bytes(&gateway.suite, response.size), sealed.size);
	message_response_seal(&gateway, c, out, response, &rng);
	assert_bytes(out, sealed, "encapsulated response");
	gateway = client;
	message_response_keys(&h, &gateway, c, sealed.data);
	assert_bytes(h.key, vector_bytes(v, "aead_key"), "key");
	assert_bytes(h.base_nonce, vector_bytes(v, "aead_nonce"), "nonce");
	cr_assert_eq(message_response_open(&client, c, out, &size, sealed, NULL), VEIL_OK);
	cr_assert_eq(size, response.size);
	assert_bytes(out, response, "response");
	gateway_key_clear(&key);
	crypto_destroy(c);
}

/* One exchange: returns the gateway's verdict of the request after `change`. */
struct trial {
	struct crypto *c;
	struct message_key keys[3];
	struct rng rng;
	struct message_exchange client, gateway;
	uint8_t sealed[2048], out[2048];
	size_t size;
};

static void open_trial(struct trial *t, uint16_t kem)
{
	*t = (struct trial){.c = vector_crypto(), .rng = test_rng()};
	for (size_t i = 0; i < 3; i++)
		t->keys[i] = gateway_key(t->c, (uint8_t)(5 + i), i == 2 ? KEM_P256 : kem, NULL, &t->rng);
}

static void close_trial(struct trial *t)
{
	for (size_t i = 0; i < 3; i++)
		gateway_key_clear(&t->keys[i]);
	crypto_destroy(t->c);
}

static void seal(struct trial *t, size_t key, uint16_t kdf, uint16_t aead, const char *text)
{
	struct keyconfig_choice choice = gateway_choice(&t->keys[key], kdf, aead);

	t->size = message_request_bytes(&choice, strlen(text));
	REQUIRE(t->size <= sizeof t->sealed);
	cr_assert_eq(message_request_seal(
			     &t->client, t->c, t->sealed, &choice, vector_string(text), &t->rng, NULL),
		VEIL_OK);
}

static enum veil_status receive(struct trial *t, size_t key_count, struct veil_error *err)
{
	struct message_head head;
	enum veil_status st = message_head_read(&head, t->keys, key_count, t->sealed, t->size, err);

	return st == VEIL_OK ? message_request_open(&t->gateway, t->c, t->out, &head, err) : st;
}

Test(rfc9458, line_3_any_flipped_bit_of_header_enc_or_ciphertext_fails)
{
	struct trial t;

	for (size_t i = 0; gateway_kem(i); i++) {
		size_t step = gateway_kem(i) == KEM_X25519 ? 1 : 97; /* the larger KEMs are slow */

		open_trial(&t, gateway_kem(i));
		seal(&t, 0, 1, 1, "hello");
		cr_assert_eq(receive(&t, 3, NULL), VEIL_OK);
		for (size_t bit = 0; bit < 8 * t.size; bit += step) {
			struct veil_error err = {0};
			enum veil_status st;

			t.sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
			message_exchange_clear(&t.gateway);
			st = receive(&t, 3, &err);
			/* the top bit of an X25519 key does not count for its curve; HPKE counts it */
			cr_assert(st == VEIL_E_MALFORMED || (bit < 56 && st == VEIL_E_NOT_FOUND), "bit %zu",
				bit);
			if (bit >= 56)
				cr_assert_str_eq(err.text, "OHTTP: the request cannot be opened",
					"line 7: one text for all");
			cr_assert(!t.gateway.live);
			t.sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		close_trial(&t);
	}
}

Test(rfc9458, line_4_response_nonces_are_as_long_as_the_key_for_every_suite)
{
	static const size_t nonce_bytes[] = {0, 16, 32, 32};
	struct trial t;

	for (size_t i = 0; gateway_kem(i); i++) {
		open_trial(&t, gateway_kem(i));
		for (uint16_t kdf = 1; kdf <= 3; kdf++) {
			for (uint16_t aead = 1; aead <= 3; aead++) {
				size_t size, want;

				seal(&t, 1, kdf, aead, "the request");
				cr_assert_eq(receive(&t, 3, NULL), VEIL_OK);
				cr_assert_arr_eq(t.out, "the request", 11);
				cr_assert_eq(message_nonce_bytes(&t.gateway.suite), nonce_bytes[aead]);
				cr_assert_arr_eq(t.gateway.secret, t.client.secret, 32);
				want = message_response_bytes(&t.gateway.suite, 8);
				cr_assert_eq(want, nonce_bytes[aead] + 8 + 16);
				message_response_seal(
					&t.gateway, t.c, t.sealed, vector_string("an answe"), &t.rng);
				cr_assert_eq(message_response_open(&t.client, t.c, t.sealed, &size,
						     (struct bytes){t.sealed, want}, NULL),
					VEIL_OK, "in place");
				cr_assert_eq(size, 8);
				cr_assert_arr_eq(t.sealed, "an answe", 8);
			}
		}
		close_trial(&t);
	}
}

Test(rfc9458, line_5_two_encapsulations_of_one_request_share_nothing_but_the_header)
{
	struct trial t;
	uint8_t first[2048];

	open_trial(&t, KEM_X25519);
	seal(&t, 0, 1, 1, "the same request");
	memcpy(first, t.sealed, t.size);
	seal(&t, 0, 1, 1, "the same request");
	cr_assert_arr_eq(first, t.sealed, 7);
	for (size_t at = 7; at + 4 <= t.size; at++)
		cr_assert_neq(memcmp(first + at, t.sealed + at, 4), 0, "four bytes at %zu", at);
	close_trial(&t);
}

Test(rfc9458, line_6_unknown_keys_other_kems_and_suites_not_offered_are_told_apart_from_bad_requests)
{
	struct veil_error err = {0};
	struct trial t;

	open_trial(&t, KEM_X25519);
	seal(&t, 1, 1, 1, "x");
	cr_assert_eq(receive(&t, 1, &err), VEIL_E_NOT_FOUND, "the key is gone");
	cr_assert(strstr(err.text, "there is no key 6"), "%s", err.text);
	cr_assert_eq(receive(&t, 0, &err), VEIL_E_NOT_FOUND);
	cr_assert_eq(receive(&t, 2, &err), VEIL_OK);
	t.sealed[0] = 5; /* another key of the same KEM */
	cr_assert_eq(receive(&t, 3, &err), VEIL_E_MALFORMED);
	t.sealed[0] = 7; /* a key of P-256 */
	cr_assert_eq(receive(&t, 3, &err), VEIL_E_NOT_FOUND);
	t.sealed[0] = 6;
	t.keys[1].config.algorithm_count = 2; /* HKDF-SHA256 with the AES-GCMs */
	cr_assert_eq(receive(&t, 3, &err), VEIL_OK);
	seal(&t, 1, 1, 3, "x");
	cr_assert_eq(receive(&t, 3, &err), VEIL_E_NOT_FOUND);
	cr_assert(
		strstr(err.text, "key 6 does not offer KEM 0x0020, KDF 0x0001, AEAD 0x0003"), "%s", err.text);
	close_trial(&t);
}

Test(rfc9458, line_7_every_short_request_and_response_is_refused)
{
	struct trial t;

	for (size_t i = 0; gateway_kem(i); i++) {
		size_t whole, size;

		open_trial(&t, gateway_kem(i));
		seal(&t, 0, 1, 2, "");
		whole = t.size;
		for (t.size = 0; t.size < whole; t.size++) {
			uint8_t *exact = malloc(t.size + 1);
			struct message_head head;

			REQUIRE(exact);
			memcpy(exact, t.sealed, t.size);
			cr_assert_eq(
				message_head_read(&head, t.keys, 3, exact, t.size, NULL), VEIL_E_MALFORMED);
			free(exact);
		}
		cr_assert_eq(receive(&t, 3, NULL), VEIL_OK);
		message_response_seal(&t.gateway, t.c, t.sealed, vector_string(""), &t.rng);
		for (size_t n = 0; n <= 48; n++) {
			struct message_exchange x = t.client;

			cr_assert_eq(message_response_open(
					     &x, t.c, t.out, &size, (struct bytes){t.sealed, n}, NULL),
				n == 48 ? VEIL_OK : VEIL_E_MALFORMED);
			cr_assert_eq(size, 0);
			cr_assert(!x.live);
		}
		close_trial(&t);
	}
}

Test(rfc9458, line_9_a_response_that_was_changed_or_answers_another_request_is_refused)
{
	struct trial t;
	size_t size, n;

	open_trial(&t, KEM_X25519);
	seal(&t, 0, 1, 1, "x");
	cr_assert_eq(receive(&t, 3, NULL), VEIL_OK);
	n = message_response_bytes(&t.gateway.suite, 3);
	message_response_seal(&t.gateway, t.c, t.sealed, vector_string("yes"), &t.rng);
	for (size_t bit = 0; bit < 8 * n; bit++) {
		struct message_exchange x = t.client;

		t.sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_eq(message_response_open(&x, t.c, t.out, &size, (struct bytes){t.sealed, n}, NULL),
			VEIL_E_MALFORMED);
		t.sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	memcpy(t.out, t.sealed, n);
	seal(&t, 0, 1, 1, "another");
	cr_assert_eq(message_response_open(&t.client, t.c, t.out, &size, (struct bytes){t.out, n}, NULL),
		VEIL_E_MALFORMED);
	close_trial(&t);
}

Test(message, a_context_opens_one_response_a_second_aborts, .signal = SIGABRT)
{
	struct trial t;
	size_t size, n;

	open_trial(&t, KEM_X25519);
	seal(&t, 0, 1, 1, "x");
	cr_assert_eq(receive(&t, 3, NULL), VEIL_OK);
	n = message_response_bytes(&t.gateway.suite, 3);
	message_response_seal(&t.gateway, t.c, t.sealed, vector_string("yes"), &t.rng);
	cr_assert_eq(message_response_open(&t.client, t.c, t.out, &size, (struct bytes){t.sealed, n}, NULL),
		VEIL_OK);
	(void)!message_response_open(&t.client, t.c, t.out, &size, (struct bytes){t.sealed, n}, NULL);
}

Test(message, a_gateway_key_does_not_offer_what_the_build_lacks)
{
	static const struct keyconfig_algorithm refused[] = {{4, 1}, {1, 4}, {0x10, 1}, {1, 0xffff}};
	static const char *const words[] = {"KDF 0x0004", "AEAD 0x0004", "SHAKE128", "export-only"};
	struct trial t;

	open_trial(&t, KEM_X25519);
	for (size_t i = 0; i < 4; i++) {
		struct message_key key;
		struct veil_error err = {0};

		cr_assert_eq(
			message_key_init(&key, 1, t.keys[0].key, &refused[i], 1, &err), VEIL_E_UNSUPPORTED);
		cr_assert(strstr(err.text, words[i]), "%s", err.text);
	}
	close_trial(&t);
}

Test(message, a_public_key_that_is_none_is_refused)
{
	struct keyconfig_choice choice;
	struct trial t;
	static const uint8_t zeros[KEM_MAX_PUBLIC_BYTES];

	open_trial(&t, KEM_X25519);
	for (size_t i = 0; i < 3; i += 2) { /* a point of low order, and one off the curve */
		choice = gateway_choice(&t.keys[i], 1, 1);
		t.keys[i].config.public_key = zeros;
		cr_assert_eq(message_request_seal(
				     &t.client, t.c, t.sealed, &choice, vector_string("x"), &t.rng, NULL),
			VEIL_E_MALFORMED);
		cr_assert(!t.client.live);
	}
	close_trial(&t);
}
