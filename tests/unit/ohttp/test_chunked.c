/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/chunked.h"

#include "gateway.h"

/* Line 18 of the conformance list for RFC 9458 (docs/ohttp.md): draft-ietf-ohai-chunked-ohttp. */

static uint8_t client_buffer[CHUNKED_BUFFER_BYTES], server_buffer[CHUNKED_BUFFER_BYTES];

struct side {
	uint8_t *data;
	size_t size, room;
};

static void append(struct side *s, struct bytes b)
{
	REQUIRE(b.size <= s->room - s->size);
	if (b.size)
		memcpy(s->data + s->size, b.data, b.size);
	s->size += b.size;
}

static struct side new_side(size_t room)
{
	return (struct side){vector_keep(malloc(room)), 0, room};
}

/* Feeds a request in pieces of `step` bytes; what was opened goes to `out`, which is zeroed first. */
static enum veil_status feed_server(struct chunked_server *server, struct crypto *c,
	const struct message_key *key, struct bytes sealed, size_t step, struct side *out)
{
	enum veil_status st = VEIL_OK;
	struct bytes piece;

	out->size = 0;
	chunked_server_init(server, key, 1, server_buffer);
	for (size_t at = 0; at < sealed.size && st == VEIL_OK; at += step) {
		struct bytes in = {sealed.data + at, sealed.size - at < step ? sealed.size - at : step};

		while (in.size && st == VEIL_OK) {
			st = chunked_server_read(server, c, &in, &piece, NULL);
			append(out, piece);
		}
	}
	if (st == VEIL_OK) {
		st = chunked_server_end(server, c, &piece, NULL);
		append(out, piece);
	}
	return st;
}

static enum veil_status feed_client(
	struct chunked_client *client, struct crypto *c, struct bytes sealed, size_t step, struct side *out)
{
	enum veil_status st = VEIL_OK;
	struct bytes piece;

	out->size = 0;
	for (size_t at = 0; at < sealed.size && st == VEIL_OK; at += step) {
		struct bytes in = {sealed.data + at, sealed.size - at < step ? sealed.size - at : step};

		while (in.size && st == VEIL_OK) {
			st = chunked_client_read(client, c, &in, &piece, NULL);
			append(out, piece);
		}
	}
	if (st == VEIL_OK) {
		st = chunked_client_end(client, c, &piece, NULL);
		append(out, piece);
	}
	return st;
}

static size_t write_chunks(struct chunked_writer *w, struct crypto *c, uint8_t *out, const json_t *plaintexts)
{
	const json_t *one;
	size_t i, at = 0;

	json_array_foreach(plaintexts, i, one) at += chunked_write(
		w, c, out + at, vector_unhex(json_string_value(one)), i + 1 == json_array_size(plaintexts));
	return at;
}

Test(rfc9458, line_18_the_draft_s_example_byte_for_byte_both_ways)
{
	json_t *v = vector_load("ohttp-chunked-draft.json");
	struct bytes want = vector_bytes(v, "encapsulated_request"),
		     sealed = vector_bytes(v, "encapsulated_response");
	struct crypto *c = vector_crypto();
	struct message_key key =
		gateway_key(c, 1, KEM_X25519, vector_bytes(v, "gateway_private_key").data, NULL);
	struct keyconfig_choice choice = gateway_choice(&key, 1, 1);
	struct vector_rng state;
	struct rng rng = vector_rng(&state, vector_bytes(v, "client_ephemeral_private_key"));
	struct side out = new_side(256);
	struct chunked_client client;
	struct chunked_server server;
	uint8_t bytes[512];
	size_t at;

	cr_assert_eq(chunked_client_init(&client, c, bytes, &choice, client_buffer, &rng, NULL), VEIL_OK);
	assert_bytes(client.exchange.secret, vector_bytes(v, "exported_secret"), "exported secret");
	at = chunked_head_bytes(&choice);
	at += write_chunks(&client.request, c, bytes + at, json_object_get(v, "request_chunk_plaintexts"));
	cr_assert_eq(at, want.size);
	assert_bytes(bytes, want, "request");

	cr_assert_eq(feed_server(&server, c, &key, want, 7, &out), VEIL_OK);
	cr_assert_eq(out.size, vector_bytes(v, "request_bhttp").size);
	assert_bytes(out.data, vector_bytes(v, "request_bhttp"), "request");

	rng = vector_rng(&state, vector_bytes(v, "response_nonce"));
	at = chunked_server_respond(&server, c, bytes, &rng);
	assert_bytes(server.response.hpke.key, vector_bytes(v, "aead_key"), "key");
	assert_bytes(server.response.hpke.base_nonce, vector_bytes(v, "aead_nonce_base"), "nonce");
	at += write_chunks(&server.response, c, bytes + at, json_object_get(v, "response_chunk_plaintexts"));
	cr_assert_eq(at, sealed.size);
	assert_bytes(bytes, sealed, "response");
	cr_assert_eq(feed_client(&client, c, sealed, 5, &out), VEIL_OK);
	cr_assert_eq(out.size, vector_bytes(v, "response_bhttp").size);
	assert_bytes(out.data, vector_bytes(v, "response_bhttp"), "response");
	chunked_client_clear(&client);
	chunked_server_clear(&server);
	gateway_key_clear(&key);
	crypto_destroy(c);
}

/* A request of `count` chunks of `size` bytes, the last of `last` bytes. */
static void seal_request(struct side *out, struct crypto *c, const struct keyconfig_choice *choice,
	struct chunked_client *client, struct rng *rng, size_t count, size_t size, size_t last,
	struct side *plain)
{
	uint8_t piece[CHUNKED_MAX_BYTES];

	out->size = chunked_head_bytes(choice), plain->size = 0;
	cr_assert_eq(chunked_client_init(client, c, out->data, choice, client_buffer, rng, NULL), VEIL_OK);
	for (size_t i = 0; i < count; i++) {
		size_t n = i + 1 < count ? size : last;

		memset(piece, 'a' + (int)i % 26, n);
		append(plain, (struct bytes){piece, n});
		out->size += chunked_write(
			&client->request, c, out->data + out->size, (struct bytes){piece, n}, i + 1 == count);
	}
}

Test(rfc9458, line_18_chunks_of_every_size_for_every_suite_fed_in_pieces_of_every_size)
{
	static const size_t shapes[][3] = {
		{1, 0, 0}, {1, 0, 5}, {2, 1, 0}, {3, 100, 7}, {2, 16384, 16384}, {3, 16384, 0}};
	struct crypto *c = vector_crypto();
	struct rng rng = test_rng();
	struct side sealed = new_side(1 << 17), plain = new_side(1 << 17), out = new_side(1 << 17);

	for (size_t k = 0; gateway_kem(k); k++) {
		struct message_key key = gateway_key(c, 9, gateway_kem(k), NULL, &rng);

		for (size_t i = 0; i < 9 * 6; i++) {
			struct keyconfig_choice choice =
				gateway_choice(&key, (uint16_t)(1 + i % 3), (uint16_t)(1 + i / 3 % 3));
			const size_t *shape = shapes[i / 9];
			struct chunked_client client;
			struct chunked_server server;

			seal_request(
				&sealed, c, &choice, &client, &rng, shape[0], shape[1], shape[2], &plain);
			for (size_t step = 1; step <= sealed.size;
				step = step * (shape[1] > 1000 ? 37 : 6) + 1) {
				cr_assert_eq(feed_server(&server, c, &key,
						     (struct bytes){sealed.data, sealed.size}, step, &out),
					VEIL_OK);
				cr_assert_eq(out.size, plain.size);
				cr_assert_arr_eq(out.data, plain.data, plain.size);
			}
			/* the answer is the request, in one chunk more */
			sealed.size = chunked_server_respond(&server, c, sealed.data, &rng);
			for (size_t at = 0; at < plain.size; at += CHUNKED_MAX_BYTES)
				sealed.size += chunked_write(&server.response, c, sealed.data + sealed.size,
					(struct bytes){plain.data + at, plain.size - at < CHUNKED_MAX_BYTES
										? plain.size - at
										: CHUNKED_MAX_BYTES},
					false);
			sealed.size += chunked_write(
				&server.response, c, sealed.data + sealed.size, (struct bytes){0}, true);
			cr_assert_eq(
				feed_client(&client, c, (struct bytes){sealed.data, sealed.size}, 1000, &out),
				VEIL_OK);
			cr_assert_eq(out.size, plain.size);
			cr_assert_arr_eq(out.data, plain.data, plain.size);
		}
		gateway_key_clear(&key);
	}
	free(sealed.data), free(plain.data), free(out.data);
	crypto_destroy(c);
}

/* A sealed request of three chunks of 4 bytes: header and enc, then each chunk where it begins. */
struct three {
	struct crypto *c;
	struct message_key key;
	struct side sealed, plain, out;
	size_t at[4]; /* chunk 0, 1, the last one, the end */
	struct rng rng;
	struct chunked_client client;
	struct chunked_server server;
};

static void open_three(struct three *t)
{
	struct keyconfig_choice choice;

	*t = (struct three){.c = vector_crypto(), .rng = test_rng()};
	t->sealed = new_side(512), t->plain = new_side(512), t->out = new_side(512);
	t->key = gateway_key(t->c, 1, KEM_X25519, NULL, &t->rng);
	choice = gateway_choice(&t->key, 1, 1);
	seal_request(&t->sealed, t->c, &choice, &t->client, &t->rng, 3, 4, 4, &t->plain);
	for (size_t i = 0; i < 4; i++)
		t->at[i] = chunked_head_bytes(&choice) + i * (1 + 4 + 16);
	cr_assert_eq(t->at[3], t->sealed.size);
}

static enum veil_status receive(struct three *t, struct bytes sealed)
{
	return feed_server(&t->server, t->c, &t->key, sealed, sealed.size ? sealed.size : 1, &t->out);
}

static struct bytes part(const struct three *t, size_t from, size_t to)
{
	return (struct bytes){t->sealed.data + from, to - from};
}

/* The head and those chunks, in that order. */
static enum veil_status reorder(struct three *t, const char *order)
{
	struct side s = new_side(512);
	enum veil_status st;

	append(&s, part(t, 0, t->at[0]));
	for (; *order; order++)
		append(&s, part(t, t->at[*order - '0'], t->at[*order - '0' + 1]));
	st = receive(t, (struct bytes){s.data, s.size});
	free(s.data);
	return st;
}

Test(rfc9458, line_18_chunks_that_are_missing_swapped_repeated_or_behind_the_last_are_refused)
{
	static const char *const bad[] = {
		"", "0", "01", "02", "12", "2", "102", "0012", "0112", "021", "0122", "0120", "20"};
	struct three t;

	open_three(&t);
	cr_assert_eq(reorder(&t, "012"), VEIL_OK);
	cr_assert_eq(t.out.size, 12);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert_eq(reorder(&t, bad[i]), VEIL_E_MALFORMED, "%s", bad[i]);
	cr_assert_eq(reorder(&t, "01"), VEIL_E_MALFORMED);
	cr_assert_eq(t.out.size, 8, "what was opened before the cut was delivered, and the cut reported");
}

Test(rfc9458, line_18_a_stream_cut_or_changed_anywhere_is_refused)
{
	struct three t;

	open_three(&t);
	for (size_t size = 0; size < t.sealed.size; size++)
		cr_assert_eq(receive(&t, part(&t, 0, size)), VEIL_E_MALFORMED, "cut at %zu", size);
	for (size_t bit = 0; bit < 8 * t.sealed.size; bit++) {
		enum veil_status st;

		t.sealed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		st = receive(&t, part(&t, 0, t.sealed.size));
		cr_assert(st == VEIL_E_MALFORMED || (bit < 56 && st == VEIL_E_NOT_FOUND), "bit %zu", bit);
		t.sealed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	cr_assert_eq(receive(&t, part(&t, 0, t.sealed.size)), VEIL_OK);
}

/* Replaces the length (one byte) of the chunk before `at` + 1 by other bytes. */
static enum veil_status with_length(struct three *t, size_t at, struct bytes length)
{
	struct side s = new_side(512);
	enum veil_status st;

	append(&s, part(t, 0, at));
	append(&s, length);
	append(&s, part(t, at + 1, t->sealed.size));
	st = receive(t, (struct bytes){s.data, s.size});
	free(s.data);
	return st;
}

Test(rfc9458, line_18_lengths_of_any_width_are_read_and_too_long_ones_refused_before_the_data)
{
	static const char *const twenty[] = {"14", "4014", "80000014", "c000000000000014"},
				 *const zero[] = {"00", "4000", "80000000", "c000000000000000"},
				 *const bad[] = {"01", "0f", "10", "13", "15", "8000ffff", "ffffffffffffffff",
					 "80004011"};
	struct three t;
	struct bytes in, piece;

	open_three(&t);
	for (size_t i = 0; i < 4; i++) {
		cr_assert_eq(with_length(&t, t.at[1], vector_unhex(twenty[i])), VEIL_OK);
		cr_assert_eq(with_length(&t, t.at[2], vector_unhex(zero[i])), VEIL_OK);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert_eq(with_length(&t, t.at[1], vector_unhex(bad[i])), VEIL_E_MALFORMED, "%s", bad[i]);
	/* at once, not when a buffer is full */
	chunked_server_init(&t.server, &t.key, 1, server_buffer);
	in = part(&t, 0, t.at[0]);
	cr_assert_eq(chunked_server_read(&t.server, t.c, &in, &piece, NULL), VEIL_OK);
	in = vector_unhex("80004011");
	cr_assert_eq(chunked_server_read(&t.server, t.c, &in, &piece, NULL), VEIL_E_MALFORMED);
	in = vector_unhex("00");
	cr_assert_eq(chunked_server_read(&t.server, t.c, &in, &piece, NULL), VEIL_E_MALFORMED, "for good");
}

Test(rfc9458, line_18_an_empty_chunk_that_is_not_the_last_is_refused_though_well_sealed)
{
	struct three t;
	struct bytes in;
	uint8_t empty[1 + 16], bytes[64];

	open_three(&t);
	/* sealed as our writer never does */
	cr_assert_eq(receive(&t, part(&t, 0, t.sealed.size)), VEIL_OK);
	in.size = chunked_server_respond(&t.server, t.c, bytes, &t.rng);
	in.data = bytes;
	empty[0] = 16;
	cr_assert_eq(hpke_seal(&t.server.response.hpke, t.c, empty + 1, (struct bytes){0}, (struct bytes){0}),
		VEIL_OK);
	memcpy(bytes + in.size, empty, sizeof empty);
	cr_assert_eq(feed_client(&t.client, t.c, (struct bytes){bytes, in.size + sizeof empty}, 100, &t.out),
		VEIL_E_MALFORMED);
}

Test(rfc9458, line_18_a_plain_request_is_no_chunked_one_and_the_reverse)
{
	struct three t;
	struct keyconfig_choice choice;
	struct message_exchange x, gateway;
	struct message_head head;
	uint8_t plain[128], out[512];
	size_t size;

	open_three(&t);
	choice = gateway_choice(&t.key, 1, 1);
	size = message_request_bytes(&choice, 20);
	cr_assert_eq(message_request_seal(
			     &x, t.c, plain, &choice, vector_string("12345678901234567890"), &t.rng, NULL),
		VEIL_OK);
	cr_assert_eq(receive(&t, (struct bytes){plain, size}), VEIL_E_MALFORMED);
	cr_assert_eq(message_head_read(&head, &t.key, 1, t.sealed.data, t.sealed.size, NULL), VEIL_OK);
	cr_assert_eq(message_request_open(&gateway, t.c, out, &head, NULL), VEIL_E_MALFORMED);
}

Test(chunked, a_last_chunk_beyond_the_limit_is_refused)
{
	struct three t;
	static uint8_t zeros[CHUNKED_BUFFER_BYTES];
	struct bytes in, piece;

	open_three(&t);
	chunked_server_init(&t.server, &t.key, 1, server_buffer);
	in = part(&t, 0, t.at[2] + 1); /* up to the zero length of the last one */
	while (in.size)
		cr_assert_eq(chunked_server_read(&t.server, t.c, &in, &piece, NULL), VEIL_OK);
	in = (struct bytes){zeros, sizeof zeros};
	cr_assert_eq(chunked_server_read(&t.server, t.c, &in, &piece, NULL), VEIL_OK);
	in = (struct bytes){zeros, 1};
	cr_assert_eq(chunked_server_read(&t.server, t.c, &in, &piece, NULL), VEIL_E_MALFORMED);
}

Test(chunked, a_cleared_side_holds_no_secret_nor_plaintext)
{
	static const struct chunked_server no_server;
	static const uint8_t zeros[CHUNKED_BUFFER_BYTES];
	struct three t;

	open_three(&t);
	cr_assert_eq(receive(&t, part(&t, 0, t.sealed.size)), VEIL_OK);
	cr_assert_arr_neq(server_buffer, zeros, sizeof zeros);
	chunked_server_clear(&t.server);
	chunked_server_clear(NULL);
	chunked_client_clear(NULL);
	cr_assert_arr_eq(server_buffer, zeros, sizeof zeros);
	cr_assert_arr_eq(&t.server, &no_server, sizeof no_server);
}
