/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OHTTP_CHUNKED_H
#define OHTTP_CHUNKED_H

#include "ohttp/message.h"
#include "ohttp/varint.h"

/* Requests and responses in chunks, draft-ietf-ohai-chunked-ohttp: each is sealed by itself and can be used
 * before the next one is there; the last one is marked, so that a cut is seen. */

#define CHUNKED_REQUEST_TYPE "message/ohttp-chunked-req"
#define CHUNKED_RESPONSE_TYPE "message/ohttp-chunked-res"
#define CHUNKED_MAX_BYTES 16384 /* of plaintext in a chunk, ours and the peer's */
#define CHUNKED_BUFFER_BYTES (CHUNKED_MAX_BYTES + CRYPTO_TAG_BYTES)

/** Seals one direction. */
struct chunked_writer {
	struct hpke hpke;
	bool open; /* the last chunk is still to come */
};
/** The most that chunked_write may write for a piece. */
static inline size_t chunked_write_room(size_t size)
{
	return VARINT_MAX_BYTES + size + CRYPTO_TAG_BYTES;
}
/** Writes a piece of up to CHUNKED_MAX_BYTES as a chunk, and returns its bytes. Only the last piece may be
 * empty; behind it nothing more can be written. */
size_t chunked_write(struct chunked_writer *w, struct crypto *c, uint8_t *out, struct bytes piece, bool last);

/** Opens one direction. Its buffer of CHUNKED_BUFFER_BYTES is the caller's. */
struct chunked_reader {
	struct hpke hpke;
	int state;
	uint8_t *buffer;
	size_t filled, wanted;
};

/* --- the client */

struct chunked_client {
	struct message_exchange exchange;
	struct chunked_writer request;
	struct chunked_reader response;
};
size_t chunked_head_bytes(const struct keyconfig_choice *choice);
/** Begins an exchange: `head` gets chunked_head_bytes(), which go before the chunks of client->request. */
enum veil_status chunked_client_init(struct chunked_client *client, struct crypto *c, uint8_t *head,
	const struct keyconfig_choice *choice, uint8_t *buffer, const struct rng *rng,
	struct veil_error *err) VEIL_MUST_CHECK;
/** Takes from `in` until a chunk is complete: `piece` is its plaintext, in the buffer until the next call, or
 * empty when the input is used up. VEIL_E_MALFORMED: a chunk was changed, swapped, repeated or is missing;
 * nothing more can be read. */
enum veil_status chunked_client_read(struct chunked_client *client, struct crypto *c, struct bytes *in,
	struct bytes *piece, struct veil_error *err) VEIL_MUST_CHECK;
/** The stream has ended: `piece` is the last one, which may be empty. VEIL_E_MALFORMED: it was cut off, and
 * what was read so far is not the whole response. */
enum veil_status chunked_client_end(struct chunked_client *client, struct crypto *c, struct bytes *piece,
	struct veil_error *err) VEIL_MUST_CHECK;
/** Wipes, the buffer too; accepts NULL. */
void chunked_client_clear(struct chunked_client *client);

/* --- the gateway */

struct chunked_server {
	const struct message_key *keys;
	size_t key_count;
	const struct message_key *key; /* of this request, once its header is read */
	struct message_exchange exchange; /* live once enc is read: enc is fit for a replay check */
	struct chunked_reader request;
	struct chunked_writer response;
	struct hpke_suite suite;
};
/** The keys outlive it. */
void chunked_server_init(
	struct chunked_server *server, const struct message_key *keys, size_t count, uint8_t *buffer);
/** As on the client's side; VEIL_E_NOT_FOUND as message_head_read. */
enum veil_status chunked_server_read(struct chunked_server *server, struct crypto *c, struct bytes *in,
	struct bytes *piece, struct veil_error *err) VEIL_MUST_CHECK;
enum veil_status chunked_server_end(struct chunked_server *server, struct crypto *c, struct bytes *piece,
	struct veil_error *err) VEIL_MUST_CHECK;
/** Begins the response, once the exchange is live: writes the nonce to `out` (CRYPTO_MAX_KEY_BYTES at most)
 * and returns its bytes; server->response takes the chunks. */
size_t chunked_server_respond(
	struct chunked_server *server, struct crypto *c, uint8_t *out, const struct rng *rng);
void chunked_server_clear(struct chunked_server *server);

#endif
