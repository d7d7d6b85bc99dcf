/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/message.h"

#include <string.h>

#include "base/ct.h"
#include "base/error.h"
#include "base/require.h"
#include "ohttp/hkdf.h"

static const char request_label[] = "message/bhttp request", response_label[] = "message/bhttp response";

static struct bytes text(const char *s)
{
	return (struct bytes){(const uint8_t *)s, strlen(s)};
}

enum veil_status message_key_init(struct message_key *k, uint8_t id, const struct kem_key *key,
	const struct keyconfig_algorithm *algorithms, size_t count, struct veil_error *err)
{
	REQUIRE(count > 0 && count <= KEYCONFIG_MAX_ALGORITHMS);
	*k = (struct message_key){
		.config = {.id = id, .kem = key->kem, .public_key = key->public_key}, .key = key};
	for (size_t i = 0; i < count; i++) {
		const struct hpke_suite suite = {
			key->kem->id, algorithms[i].kdf, algorithms[i].aead, HPKE_BASE};
		enum veil_status st = hpke_suite_check(&suite, err);

		if (st == VEIL_OK && suite.aead == HPKE_AEAD_EXPORT_ONLY)
			st = error_set(err, VEIL_E_UNSUPPORTED, "OHTTP: the AEAD export-only seals nothing");
		if (st != VEIL_OK)
			return st;
		k->config.algorithms[k->config.algorithm_count++] = algorithms[i];
	}
	return VEIL_OK;
}

/* --- heads */

static uint16_t load_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static bool offers(const struct keyconfig *config, const struct hpke_suite *suite)
{
	for (size_t i = 0; i < config->algorithm_count; i++)
		if (config->algorithms[i].kdf == suite->kdf && config->algorithms[i].aead == suite->aead)
			return config->kem->id == suite->kem;
	return false;
}

enum veil_status message_key_find(const struct message_key **key, struct hpke_suite *suite,
	const struct message_key *keys, size_t count, const uint8_t *header, struct veil_error *err)
{
	*suite = (struct hpke_suite){
		load_be16(header + 1), load_be16(header + 3), load_be16(header + 5), HPKE_BASE};
	*key = NULL;
	for (size_t i = 0; i < count && !*key; i++)
		if (keys[i].config.id == header[0])
			*key = &keys[i];
	if (!*key)
		return error_set(err, VEIL_E_NOT_FOUND,
			"OHTTP: there is no key %u; fetch the key configuration", header[0]);
	if (!offers(&(*key)->config, suite)) {
		*key = NULL;
		return error_set(err, VEIL_E_NOT_FOUND,
			"OHTTP: key %u does not offer KEM 0x%04x, KDF 0x%04x, AEAD 0x%04x; fetch the key "
			"configuration",
			header[0], suite->kem, suite->kdf, suite->aead);
	}
	return VEIL_OK;
}

enum veil_status message_head_read(struct message_head *head, const struct message_key *keys, size_t count,
	const void *data, size_t size, struct veil_error *err)
{
	const uint8_t *p = data;
	size_t before;
	enum veil_status st;

	*head = (struct message_head){0};
	if (size < MESSAGE_HEADER_BYTES)
		return error_set(err, VEIL_E_MALFORMED, "OHTTP: the request is shorter than its header");
	st = message_key_find(&head->key, &head->suite, keys, count, p, err);
	if (st != VEIL_OK)
		return st;
	before = MESSAGE_HEADER_BYTES + head->key->key->kem->enc_bytes;
	if (size < before + CRYPTO_TAG_BYTES) {
		*head = (struct message_head){0};
		return error_set(err, VEIL_E_MALFORMED, "OHTTP: the request is shorter than an empty one");
	}
	head->header = (struct bytes){p, MESSAGE_HEADER_BYTES};
	head->enc = (struct bytes){p + MESSAGE_HEADER_BYTES, before - MESSAGE_HEADER_BYTES};
	head->body = (struct bytes){p + before, size - before};
	return VEIL_OK;
}

/* --- contexts */

static struct bytes make_info(uint8_t room[MESSAGE_MAX_LABEL_BYTES + 1 + MESSAGE_HEADER_BYTES],
	const char *label, const uint8_t *header)
{
	struct writer w;

	writer_init(&w, room, MESSAGE_MAX_LABEL_BYTES + 1 + MESSAGE_HEADER_BYTES);
	writer_bytes(&w, label, strlen(label) + 1); /* with its zero byte */
	writer_bytes(&w, header, MESSAGE_HEADER_BYTES);
	return (struct bytes){room, w.at};
}

static void begin_exchange(struct message_exchange *x, const struct hpke *h, struct crypto *c,
	struct bytes enc, const char *label)
{
	*x = (struct message_exchange){.live = true, .suite = h->suite, .enc_bytes = enc.size};
	memcpy(x->enc, enc.data, enc.size);
	REQUIRE(hpke_export(h, c, x->secret, message_nonce_bytes(&h->suite), text(label)) == VEIL_OK);
}

enum veil_status message_setup_sender(struct hpke *h, struct message_exchange *x, struct crypto *c,
	uint8_t *out, const struct keyconfig_choice *choice, const char *label, const char *label_of_response,
	const struct rng *rng, struct veil_error *err)
{
	const struct hpke_suite *s = &choice->suite;
	const uint8_t header[MESSAGE_HEADER_BYTES] = {choice->config->id, (uint8_t)(s->kem >> 8),
		(uint8_t)s->kem, (uint8_t)(s->kdf >> 8), (uint8_t)s->kdf, (uint8_t)(s->aead >> 8),
		(uint8_t)s->aead};
	uint8_t room[MESSAGE_MAX_LABEL_BYTES + 1 + MESSAGE_HEADER_BYTES], *enc = out + sizeof header;
	enum veil_status st;

	memcpy(out, header, sizeof header);
	*x = (struct message_exchange){0};
	st = hpke_setup_sender(
		h, c, s, enc, choice->config->public_key, make_info(room, label, header), rng, err);
	if (st == VEIL_OK)
		begin_exchange(
			x, h, c, (struct bytes){enc, choice->config->kem->enc_bytes}, label_of_response);
	return st;
}

enum veil_status message_setup_receiver(struct hpke *h, struct message_exchange *x, struct crypto *c,
	const struct message_head *head, const char *label, const char *label_of_response,
	struct veil_error *err)
{
	uint8_t room[MESSAGE_MAX_LABEL_BYTES + 1 + MESSAGE_HEADER_BYTES];
	enum veil_status st;

	*x = (struct message_exchange){0};
	st = hpke_setup_receiver(h, c, &head->suite, head->key->key, head->enc,
		make_info(room, label, head->header.data), err);
	if (st == VEIL_OK)
		begin_exchange(x, h, c, head->enc, label_of_response);
	return st;
}

void message_exchange_clear(struct message_exchange *x)
{
	if (x)
		wipe(x, sizeof *x);
}

size_t message_padded_bytes(size_t content)
{
	size_t size = content + MESSAGE_HEAD_ROOM, step = 128;

	while (size > 8 * step)
		step *= 2;
	return (size + step - 1) / step * step;
}

/* --- requests */

size_t message_request_bytes(const struct keyconfig_choice *choice, size_t size)
{
	return MESSAGE_HEADER_BYTES + choice->config->kem->enc_bytes + size + CRYPTO_TAG_BYTES;
}

enum veil_status message_request_seal(struct message_exchange *x, struct crypto *c, uint8_t *out,
	const struct keyconfig_choice *choice, struct bytes request, const struct rng *rng,
	struct veil_error *err)
{
	struct hpke h;
	enum veil_status st =
		message_setup_sender(&h, x, c, out, choice, request_label, response_label, rng, err);

	if (st == VEIL_OK)
		REQUIRE(hpke_seal(&h, c, out + MESSAGE_HEADER_BYTES + x->enc_bytes, (struct bytes){0},
				request) == VEIL_OK);
	hpke_clear(&h);
	return st;
}

enum veil_status message_request_open(struct message_exchange *x, struct crypto *c, uint8_t *out,
	const struct message_head *head, struct veil_error *err)
{
	struct hpke h;
	enum veil_status st = message_setup_receiver(&h, x, c, head, request_label, response_label, NULL);

	if (st == VEIL_OK)
		st = hpke_open(&h, c, out, (struct bytes){0}, head->body);
	hpke_clear(&h);
	if (st == VEIL_OK)
		return VEIL_OK;
	message_exchange_clear(x);
	return error_set(err, st,
		st == VEIL_E_NOMEM ? "OHTTP: no memory to open a request"
				   : "OHTTP: the request cannot be opened");
}

/* --- responses */

size_t message_nonce_bytes(const struct hpke_suite *suite)
{
	size_t key = hpke_key_bytes(suite);

	return key > CRYPTO_NONCE_BYTES ? key : CRYPTO_NONCE_BYTES;
}

void message_response_keys(struct hpke *h, struct message_exchange *x, struct crypto *c, const uint8_t *nonce)
{
	const struct hkdf kdf = {.crypto = c, .hash = hpke_hash(&x->suite)};
	size_t size = message_nonce_bytes(&x->suite);
	uint8_t salt[KEM_MAX_ENC_BYTES + CRYPTO_MAX_KEY_BYTES], prk[CRYPTO_MAX_HASH_BYTES];

	REQUIRE(x->live);
	memcpy(salt, x->enc, x->enc_bytes);
	memcpy(salt + x->enc_bytes, nonce, size);
	*h = (struct hpke){.suite = x->suite};
	hkdf_extract(&kdf, prk, (struct bytes){salt, x->enc_bytes + size}, (struct bytes){x->secret, size});
	hkdf_expand(&kdf, h->key, hpke_key_bytes(&x->suite), prk, text("key"));
	hkdf_expand(&kdf, h->base_nonce, CRYPTO_NONCE_BYTES, prk, text("nonce"));
	wipe(prk, sizeof prk);
	message_exchange_clear(x);
}

size_t message_response_bytes(const struct hpke_suite *suite, size_t size)
{
	return message_nonce_bytes(suite) + size + CRYPTO_TAG_BYTES;
}

void message_response_seal(struct message_exchange *x, struct crypto *c, uint8_t *out, struct bytes response,
	const struct rng *rng)
{
	size_t nonce_bytes = message_nonce_bytes(&x->suite);
	struct hpke h;

	rng_fill(rng, out, nonce_bytes);
	message_response_keys(&h, x, c, out);
	REQUIRE(hpke_seal(&h, c, out + nonce_bytes, (struct bytes){0}, response) == VEIL_OK);
	hpke_clear(&h);
}

enum veil_status message_response_open(struct message_exchange *x, struct crypto *c, uint8_t *out,
	size_t *size, struct bytes response, struct veil_error *err)
{
	size_t nonce_bytes = message_nonce_bytes(&x->suite);
	struct hpke h;
	enum veil_status st;

	REQUIRE(x->live);
	*size = 0;
	if (response.size < nonce_bytes + CRYPTO_TAG_BYTES) {
		message_exchange_clear(x);
		return error_set(err, VEIL_E_MALFORMED, "OHTTP: the response is shorter than an empty one");
	}
	message_response_keys(&h, x, c, response.data);
	response.data += nonce_bytes, response.size -= nonce_bytes;
	st = hpke_open(&h, c, out, (struct bytes){0}, response);
	hpke_clear(&h);
	if (st != VEIL_OK)
		return error_set(err, st, "OHTTP: the response does not answer this request, or was changed");
	*size = response.size - CRYPTO_TAG_BYTES;
	return VEIL_OK;
}
