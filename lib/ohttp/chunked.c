/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/chunked.h"

#include <string.h>

#include "base/ct.h"
#include "base/error.h"
#include "base/require.h"

static const char request_label[] = "message/bhttp chunked request",
		  response_label[] = "message/bhttp chunked response";
static const struct bytes none, final = {(const uint8_t *)"final", 5};

enum state { HEADER, ENC, NONCE, SIZE, CHUNK, LAST, ENDED, FAILED };

size_t chunked_write(struct chunked_writer *w, struct crypto *c, uint8_t *out, struct bytes piece, bool last)
{
	size_t sealed = piece.size + CRYPTO_TAG_BYTES;
	struct writer head;

	REQUIRE(w->open && piece.size <= CHUNKED_MAX_BYTES && (piece.size || last));
	writer_init(&head, out, VARINT_MAX_BYTES);
	varint_write(&head, last ? 0 : sealed);
	REQUIRE(hpke_seal(&w->hpke, c, out + head.at, last ? final : none, piece) == VEIL_OK);
	if (last) {
		hpke_clear(&w->hpke);
		w->open = false;
	}
	return head.at + sealed;
}

/* --- reading */

static void begin(struct chunked_reader *r, enum state state, size_t wanted)
{
	r->state = state;
	r->filled = 0;
	r->wanted = wanted;
}

static enum veil_status fail(
	struct chunked_reader *r, struct veil_error *err, enum veil_status status, const char *text)
{
	hpke_clear(&r->hpke);
	wipe(r->buffer, CHUNKED_BUFFER_BYTES);
	begin(r, FAILED, 0);
	return error_set(err, status, "chunked OHTTP: %s", text);
}

/* True when the buffer holds what is wanted. */
static bool gather(struct chunked_reader *r, struct bytes *in)
{
	size_t more = r->wanted - r->filled;

	if (more > in->size)
		more = in->size;
	memcpy(r->buffer + r->filled, in->data, more);
	r->filled += more;
	in->data += more, in->size -= more;
	return r->filled == r->wanted;
}

static enum veil_status read_size(struct chunked_reader *r, struct bytes *in, struct veil_error *err)
{
	uint64_t size;

	if (r->filled == 0)
		r->wanted = varint_width(*in->data);
	if (!gather(r, in))
		return VEIL_OK;
	size = varint_load(r->buffer);
	if (size == 0)
		begin(r, LAST, CHUNKED_BUFFER_BYTES);
	else if (size <= CRYPTO_TAG_BYTES || size > CHUNKED_BUFFER_BYTES)
		return fail(r, err, VEIL_E_MALFORMED, "a chunk is empty, or longer than 16384 bytes");
	else
		begin(r, CHUNK, (size_t)size);
	return VEIL_OK;
}

static enum veil_status open_chunk(struct chunked_reader *r, struct crypto *c, struct bytes aad,
	enum state next, struct bytes *piece, struct veil_error *err)
{
	struct bytes sealed = {r->buffer, r->filled};

	if (hpke_open(&r->hpke, c, r->buffer, aad, sealed) != VEIL_OK)
		return fail(r, err, VEIL_E_MALFORMED, "a chunk cannot be opened");
	*piece = (struct bytes){r->buffer, sealed.size - CRYPTO_TAG_BYTES};
	begin(r, next, 0);
	return VEIL_OK;
}

/* The states behind the head. */
static enum veil_status read_chunk(struct chunked_reader *r, struct crypto *c, struct bytes *in,
	struct bytes *piece, struct veil_error *err)
{
	switch (r->state) {
	case SIZE:
		return read_size(r, in, err);
	case CHUNK:
		return gather(r, in) ? open_chunk(r, c, none, SIZE, piece, err) : VEIL_OK;
	case LAST:
		(void)gather(r, in);
		return in->size == 0
			       ? VEIL_OK
			       : fail(r, err, VEIL_E_MALFORMED, "the last chunk is longer than 16384 bytes");
	default:
		return fail(r, err, VEIL_E_MALFORMED, "nothing can be read behind an error or the end");
	}
}

static enum veil_status end(
	struct chunked_reader *r, struct crypto *c, struct bytes *piece, struct veil_error *err)
{
	enum veil_status st;

	*piece = none;
	if (r->state != LAST)
		return fail(r, err, VEIL_E_MALFORMED, "it is cut off: the last chunk is missing");
	st = open_chunk(r, c, final, ENDED, piece, err);
	hpke_clear(&r->hpke);
	return st;
}

/* --- the client */

size_t chunked_head_bytes(const struct keyconfig_choice *choice)
{
	return MESSAGE_HEADER_BYTES + choice->config->kem->enc_bytes;
}

enum veil_status chunked_client_init(struct chunked_client *client, struct crypto *c, uint8_t *head,
	const struct keyconfig_choice *choice, uint8_t *buffer, const struct rng *rng, struct veil_error *err)
{
	enum veil_status st;

	*client = (struct chunked_client){.response = {.buffer = buffer}};
	begin(&client->response, NONCE, message_nonce_bytes(&choice->suite));
	st = message_setup_sender(&client->request.hpke, &client->exchange, c, head, choice, request_label,
		response_label, rng, err);
	client->request.open = st == VEIL_OK;
	return st;
}

enum veil_status chunked_client_read(struct chunked_client *client, struct crypto *c, struct bytes *in,
	struct bytes *piece, struct veil_error *err)
{
	struct chunked_reader *r = &client->response;
	enum veil_status st = VEIL_OK;

	*piece = none;
	while (st == VEIL_OK && in->size && piece->size == 0) {
		if (r->state != NONCE) {
			st = read_chunk(r, c, in, piece, err);
		} else if (gather(r, in)) {
			message_response_keys(&r->hpke, &client->exchange, c, r->buffer);
			begin(r, SIZE, 0);
		}
	}
	return st;
}

enum veil_status chunked_client_end(
	struct chunked_client *client, struct crypto *c, struct bytes *piece, struct veil_error *err)
{
	return end(&client->response, c, piece, err);
}

static void clear_reader(struct chunked_reader *r)
{
	hpke_clear(&r->hpke);
	if (r->buffer)
		wipe(r->buffer, CHUNKED_BUFFER_BYTES);
}

void chunked_client_clear(struct chunked_client *client)
{
	if (!client)
		return;
	clear_reader(&client->response);
	wipe(client, sizeof *client);
}

/* --- the gateway */

void chunked_server_init(
	struct chunked_server *server, const struct message_key *keys, size_t count, uint8_t *buffer)
{
	*server = (struct chunked_server){.keys = keys, .key_count = count, .request = {.buffer = buffer}};
	begin(&server->request, HEADER, MESSAGE_HEADER_BYTES);
}

/* The header names the key, and with it the size of enc, which is gathered behind it. */
static enum veil_status read_head(
	struct chunked_server *server, struct crypto *c, struct bytes *in, struct veil_error *err)
{
	struct chunked_reader *r = &server->request;
	struct message_head head;
	enum veil_status st;

	if (!gather(r, in))
		return VEIL_OK;
	if (r->state == HEADER) {
		st = message_key_find(
			&server->key, &server->suite, server->keys, server->key_count, r->buffer, err);
		if (st != VEIL_OK)
			return fail(r, NULL, st, "");
		r->state = ENC;
		r->wanted += server->key->key->kem->enc_bytes;
		return VEIL_OK;
	}
	head = (struct message_head){.key = server->key,
		.suite = server->suite,
		.header = {r->buffer, MESSAGE_HEADER_BYTES},
		.enc = {r->buffer + MESSAGE_HEADER_BYTES, r->wanted - MESSAGE_HEADER_BYTES}};
	st = message_setup_receiver(
		&r->hpke, &server->exchange, c, &head, request_label, response_label, NULL);
	if (st != VEIL_OK)
		return fail(r, err, st, "a chunk cannot be opened");
	begin(r, SIZE, 0);
	return VEIL_OK;
}

enum veil_status chunked_server_read(struct chunked_server *server, struct crypto *c, struct bytes *in,
	struct bytes *piece, struct veil_error *err)
{
	struct chunked_reader *r = &server->request;
	enum veil_status st = VEIL_OK;

	*piece = none;
	while (st == VEIL_OK && in->size && piece->size == 0)
		st = r->state == HEADER || r->state == ENC ? read_head(server, c, in, err)
							   : read_chunk(r, c, in, piece, err);
	return st;
}

enum veil_status chunked_server_end(
	struct chunked_server *server, struct crypto *c, struct bytes *piece, struct veil_error *err)
{
	return end(&server->request, c, piece, err);
}

size_t chunked_server_respond(
	struct chunked_server *server, struct crypto *c, uint8_t *out, const struct rng *rng)
{
	size_t size = message_nonce_bytes(&server->suite);

	rng_fill(rng, out, size);
	message_response_keys(&server->response.hpke, &server->exchange, c, out);
	server->response.open = true;
	return size;
}

void chunked_server_clear(struct chunked_server *server)
{
	if (!server)
		return;
	clear_reader(&server->request);
	wipe(server, sizeof *server);
}
