/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OHTTP_MESSAGE_H
#define OHTTP_MESSAGE_H

#include "ohttp/keyconfig.h"

/* Encapsulated requests and responses, RFC 9458 section 4. */

#define MESSAGE_REQUEST_TYPE "message/ohttp-req"
#define MESSAGE_RESPONSE_TYPE "message/ohttp-res"
#define MESSAGE_HEADER_BYTES 7 /* key id, KEM, KDF, AEAD */

/** One of a gateway's keys, with what it publishes of it. A gateway has several: next, active, retiring. */
struct message_key {
	struct keyconfig config;
	const struct kem_key *key;
};
/** `key` outlives it. VEIL_E_UNSUPPORTED, by name: an algorithm that this build lacks. */
enum veil_status message_key_init(struct message_key *k, uint8_t id, const struct kem_key *key,
	const struct keyconfig_algorithm *algorithms, size_t count, struct veil_error *err) VEIL_MUST_CHECK;

/** The head of an encapsulated request: what a gateway may ask of it before any costly step. */
struct message_head {
	const struct message_key *key;
	struct hpke_suite suite;
	struct bytes header, enc, body; /* enc: one value a request, fit for a replay check */
};
/** VEIL_E_NOT_FOUND: no such key, another KEM, or algorithms that the key does not offer: the client's
 * configuration is old (problem type ohttp-key). VEIL_E_MALFORMED: it is too short. */
enum veil_status message_head_read(struct message_head *head, const struct message_key *keys, size_t count,
	const void *data, size_t size, struct veil_error *err) VEIL_MUST_CHECK;
/** The key of a header of MESSAGE_HEADER_BYTES; VEIL_E_NOT_FOUND as above. */
enum veil_status message_key_find(const struct message_key **key, struct hpke_suite *suite,
	const struct message_key *keys, size_t count, const uint8_t *header,
	struct veil_error *err) VEIL_MUST_CHECK;

/** What either side keeps between request and response, in the caller's memory. It serves for one response:
 * both response functions use it up, whatever they return, and a second use aborts. */
struct message_exchange {
	bool live;
	struct hpke_suite suite;
	size_t enc_bytes;
	uint8_t enc[KEM_MAX_ENC_BYTES];
	uint8_t secret[CRYPTO_MAX_KEY_BYTES]; /* exported from the request's HPKE context, which is gone */
};
/** Wipes; accepts NULL. */
void message_exchange_clear(struct message_exchange *x);

/** The bytes that a request or response of up to `content` bytes is padded to (RFC 9292 3.8), head included:
 * a size class, steps of at most an eighth, so that what differs a little looks the same. Both sides use it:
 * a client for all that it asks, by the largest; a gateway for its replies. */
size_t message_padded_bytes(size_t content);
#define MESSAGE_HEAD_ROOM 512 /* of this, for control data and header */

/* --- the client. Every try seals anew: a sealed request leaves once. */

size_t message_request_bytes(const struct keyconfig_choice *choice, size_t size);
/** `out` gets message_request_bytes() bytes. VEIL_E_MALFORMED: the gateway's public key is none. */
enum veil_status message_request_seal(struct message_exchange *x, struct crypto *c, uint8_t *out,
	const struct keyconfig_choice *choice, struct bytes request, const struct rng *rng,
	struct veil_error *err) VEIL_MUST_CHECK;
/** `out` has room for response.size bytes and may be its data; *size gets what it holds. VEIL_E_MALFORMED:
 * not a response to this request. */
enum veil_status message_response_open(struct message_exchange *x, struct crypto *c, uint8_t *out,
	size_t *size, struct bytes response, struct veil_error *err) VEIL_MUST_CHECK;

/* --- the gateway */

/** `out` gets head->body.size - CRYPTO_TAG_BYTES bytes and may be head->body.data. VEIL_E_MALFORMED: it does
 * not decrypt; the sentence is the same whatever the reason. */
enum veil_status message_request_open(struct message_exchange *x, struct crypto *c, uint8_t *out,
	const struct message_head *head, struct veil_error *err) VEIL_MUST_CHECK;
size_t message_response_bytes(const struct hpke_suite *suite, size_t size);
/** `out` gets message_response_bytes() bytes. Its size shows: pad the response first. */
void message_response_seal(struct message_exchange *x, struct crypto *c, uint8_t *out, struct bytes response,
	const struct rng *rng);

/* --- shared with chunked.h */

#define MESSAGE_MAX_LABEL_BYTES 32

/** The sender's context for a label; writes header and enc to `out`. `x` gets what the response needs, under
 * `response_label`. */
enum veil_status message_setup_sender(struct hpke *h, struct message_exchange *x, struct crypto *c,
	uint8_t *out, const struct keyconfig_choice *choice, const char *label, const char *response_label,
	const struct rng *rng, struct veil_error *err) VEIL_MUST_CHECK;
enum veil_status message_setup_receiver(struct hpke *h, struct message_exchange *x, struct crypto *c,
	const struct message_head *head, const char *label, const char *response_label,
	struct veil_error *err) VEIL_MUST_CHECK;
/** The response's nonce: max(Nn, Nk) bytes. */
size_t message_nonce_bytes(const struct hpke_suite *suite);
/** Key and nonce of a response, as a context to seal or open with; uses the exchange up. */
void message_response_keys(
	struct hpke *h, struct message_exchange *x, struct crypto *c, const uint8_t *nonce);

#endif
