/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "ohttp/bhttp.h"
#include "ohttp/chunked.h"

/* lib/ohttp on lines of standard input and output, for tests/interop/ohttp-peer/interop.mjs. Binary values
 * are hex. keys                      -> application/ohttp-keys: every KEM of this build with every algorithm
 *   open plain|chunked HEX    -> the sealed response, which echoes the request's content and trailers;
 * "refused NAME" seal plain|chunked KDF AEAD FRAMING KEYS CONTENT -> a request to the first key of KEYS that
 * we know answer HEX                -> the content of the response to that request
 *   wrap KDF AEAD KEYS HEX    -> HEX, a message of binary HTTP, sealed to the first of KEYS
 *   unwrap HEX                -> the message in the response to it
 * For tests/integration too. */

#define MAX_BYTES (1 << 18)

struct peer {
	struct crypto *crypto;
	struct message_key keys[4];
	size_t key_count;
	struct rng rng;
	struct message_exchange exchange; /* of `seal plain` */
	struct chunked_client client; /* of `seal chunked` */
	bool chunked;
	uint8_t buffer[CHUNKED_BUFFER_BYTES];
	uint8_t in[MAX_BYTES], plain[MAX_BYTES], out[2 * MAX_BYTES];
};

static size_t unhex(uint8_t *out, const char *hex)
{
	size_t size = strlen(hex) / 2;

	REQUIRE(size <= MAX_BYTES);
	for (size_t i = 0; i < size; i++) {
		unsigned byte;

		REQUIRE(sscanf(hex + 2 * i, "%2x", &byte) == 1);
		out[i] = (uint8_t)byte;
	}
	return size;
}

static void print_hex(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		printf("%02x", data[i]);
	printf("\n");
	fflush(stdout);
}

static void refuse(enum veil_status status)
{
	printf("refused %s\n", veil_status_name(status));
	fflush(stdout);
}

static void make_keys(struct peer *p)
{
	static const uint16_t kems[] = {KEM_X25519, KEM_P256, KEM_XWING, KEM_ML_KEM_768};
	static const struct keyconfig_algorithm all[] = {
		{1, 1}, {1, 2}, {1, 3}, {2, 1}, {2, 2}, {2, 3}, {3, 1}, {3, 2}, {3, 3}};

	for (size_t i = 0; i < 4; i++) {
		const struct kem *kem = kem_find(kems[i]);
		uint8_t private_key[KEM_MAX_PRIVATE_BYTES];
		struct kem_key *key;

		if (!kem)
			continue;
		kem_key_random(p->crypto, kem, private_key, &p->rng);
		REQUIRE(kem_key_create(&key, p->crypto, kem, private_key, NULL) == VEIL_OK);
		REQUIRE(message_key_init(&p->keys[p->key_count], (uint8_t)(i + 1), key, all, 9, NULL) ==
			VEIL_OK);
		p->key_count++;
	}
}

static void print_keys(struct peer *p)
{
	struct keyconfig configs[4];
	size_t size;

	for (size_t i = 0; i < p->key_count; i++)
		configs[i] = p->keys[i].config;
	size = keyconfig_bytes(configs, p->key_count);
	keyconfig_write(p->out, configs, p->key_count);
	print_hex(p->out, size);
}

/* A request's content and trailers come back in a response of the same framing, padded. */
static size_t echo(struct peer *p, size_t size)
{
	struct bhttp_message request, response = {.status = 200};
	enum bhttp_framing framing = p->plain[0] == 0 ? BHTTP_KNOWN_RESPONSE : BHTTP_INDETERMINATE_RESPONSE;
	size_t padded;

	REQUIRE(bhttp_read(&request, BHTTP_REQUEST, p->plain, size, NULL) == VEIL_OK);
	response.content = request.content;
	response.trailer_count = request.trailer_count;
	memcpy(response.fields, request.fields + request.header_count,
		request.trailer_count * sizeof response.fields[0]);
	padded = bhttp_bytes(&response, framing) + 100;
	REQUIRE(padded <= MAX_BYTES);
	bhttp_write(p->in, padded, &response, framing);
	return padded;
}

static size_t write_chunks(struct peer *p, struct chunked_writer *w, size_t at, struct bytes data)
{
	size_t piece;

	do {
		piece = data.size < 5000 ? data.size : 5000;
		at += chunked_write(
			w, p->crypto, p->out + at, (struct bytes){data.data, piece}, piece == data.size);
		data.data += piece, data.size -= piece;
	} while (w->open);
	return at;
}

static void open_plain(struct peer *p, size_t size)
{
	struct message_exchange x;
	struct message_head head;
	enum veil_status st = message_head_read(&head, p->keys, p->key_count, p->in, size, NULL);

	if (st == VEIL_OK)
		st = message_request_open(&x, p->crypto, p->plain, &head, NULL);
	if (st != VEIL_OK) {
		refuse(st);
		return;
	}
	size = echo(p, head.body.size - CRYPTO_TAG_BYTES);
	message_response_seal(&x, p->crypto, p->out, (struct bytes){p->in, size}, &p->rng);
	print_hex(p->out, message_response_bytes(&head.suite, size));
}

static void open_chunked(struct peer *p, size_t size)
{
	struct chunked_server server;
	struct bytes in = {p->in, size}, piece;
	enum veil_status st = VEIL_OK;
	size_t at = 0;

	chunked_server_init(&server, p->keys, p->key_count, p->buffer);
	while (st == VEIL_OK && in.size) {
		st = chunked_server_read(&server, p->crypto, &in, &piece, NULL);
		memcpy(p->plain + at, piece.data ? piece.data : p->plain, piece.size);
		at += piece.size;
	}
	if (st == VEIL_OK)
		st = chunked_server_end(&server, p->crypto, &piece, NULL);
	if (st != VEIL_OK) {
		refuse(st);
		return;
	}
	memcpy(p->plain + at, piece.data, piece.size);
	size = echo(p, at + piece.size);
	at = chunked_server_respond(&server, p->crypto, p->out, &p->rng);
	print_hex(p->out, write_chunks(p, &server.response, at, (struct bytes){p->in, size}));
	chunked_server_clear(&server);
}

static void seal(struct peer *p, const char *kind, unsigned kdf, unsigned aead, unsigned framing,
	const char *keys, const char *content)
{
	static const struct bytes method = {(const uint8_t *)"POST", 4},
				  scheme = {(const uint8_t *)"https", 5},
				  authority = {(const uint8_t *)"a.example", 9},
				  path = {(const uint8_t *)"/q?x=1&y=%20", 12},
				  name = {(const uint8_t *)"x-a", 3};
	struct bhttp_message m = {.method = method,
		.scheme = scheme,
		.authority = authority,
		.path = path,
		.header_count = 1,
		.trailer_count = 1,
		.fields = {{name, method}, {name, path}}};
	size_t size = unhex(p->in, keys), head;
	struct keyconfig_list list;
	struct keyconfig_choice choice;

	REQUIRE(keyconfig_read(&list, p->in, size, NULL) == VEIL_OK && list.count > 0);
	choice = (struct keyconfig_choice){.config = &list.configs[0],
		.suite = {list.configs[0].kem->id, (uint16_t)kdf, (uint16_t)aead, HPKE_BASE}};
	m.content = (struct bytes){p->out, unhex(p->out, content)};
	size = bhttp_bytes(&m, (enum bhttp_framing)framing) + 33;
	bhttp_write(p->plain, size, &m, (enum bhttp_framing)framing);
	p->chunked = strcmp(kind, "chunked") == 0;
	if (p->chunked) {
		REQUIRE(chunked_client_init(
				&p->client, p->crypto, p->out, &choice, p->buffer, &p->rng, NULL) == VEIL_OK);
		head = chunked_head_bytes(&choice);
		print_hex(p->out, write_chunks(p, &p->client.request, head, (struct bytes){p->plain, size}));
	} else {
		REQUIRE(message_request_seal(&p->exchange, p->crypto, p->out, &choice,
				(struct bytes){p->plain, size}, &p->rng, NULL) == VEIL_OK);
		print_hex(p->out, message_request_bytes(&choice, size));
	}
}

static void answer(struct peer *p, size_t size)
{
	struct bytes in = {p->in, size}, piece;
	struct bhttp_message m;
	enum veil_status st = VEIL_OK;
	size_t at = 0;

	if (p->chunked) {
		while (st == VEIL_OK && in.size) {
			st = chunked_client_read(&p->client, p->crypto, &in, &piece, NULL);
			memcpy(p->plain + at, piece.data ? piece.data : p->plain, piece.size);
			at += piece.size;
		}
		if (st == VEIL_OK)
			st = chunked_client_end(&p->client, p->crypto, &piece, NULL);
		memcpy(p->plain + at, piece.data ? piece.data : p->plain, piece.size);
		at += piece.size;
		chunked_client_clear(&p->client);
	} else {
		st = message_response_open(&p->exchange, p->crypto, p->plain, &at, in, NULL);
	}
	if (st == VEIL_OK)
		st = bhttp_read(&m, BHTTP_RESPONSE, p->plain, at, NULL);
	if (st != VEIL_OK)
		refuse(st);
	else
		print_hex(m.content.data, m.content.size);
}

/* A request made elsewhere, any bytes. */
static void wrap(struct peer *p, unsigned kdf, unsigned aead, const char *keys, const char *hex)
{
	struct keyconfig_list list;
	struct keyconfig_choice choice;
	size_t size;

	REQUIRE(keyconfig_read(&list, p->in, unhex(p->in, keys), NULL) == VEIL_OK && list.count > 0);
	choice = (struct keyconfig_choice){.config = &list.configs[0],
		.suite = {list.configs[0].kem->id, (uint16_t)kdf, (uint16_t)aead, HPKE_BASE}};
	size = unhex(p->plain, hex);
	REQUIRE(message_request_seal(&p->exchange, p->crypto, p->out, &choice, (struct bytes){p->plain, size},
			&p->rng, NULL) == VEIL_OK);
	print_hex(p->out, message_request_bytes(&choice, size));
}

static void unwrap(struct peer *p, size_t size)
{
	enum veil_status st = message_response_open(
		&p->exchange, p->crypto, p->plain, &size, (struct bytes){p->in, size}, NULL);

	if (st != VEIL_OK)
		refuse(st);
	else
		print_hex(p->plain, size);
}

int main(void)
{
	static struct peer p;
	static char line[8 * MAX_BYTES];
	char *word[8];

	p.rng = rng_system();
	REQUIRE(crypto_create(&p.crypto, NULL) == VEIL_OK);
	make_keys(&p);
	while (fgets(line, sizeof line, stdin)) {
		size_t words = 0;
		char *rest = line;

		line[strcspn(line, "\n")] = 0;
		while (words < 8 && (word[words] = strsep(&rest, " ")))
			words++;
		if (words == 1 && strcmp(word[0], "keys") == 0)
			print_keys(&p);
		else if (words == 3 && strcmp(word[0], "open") == 0 && strcmp(word[1], "plain") == 0)
			open_plain(&p, unhex(p.in, word[2]));
		else if (words == 3 && strcmp(word[0], "open") == 0)
			open_chunked(&p, unhex(p.in, word[2]));
		else if (words == 7 && strcmp(word[0], "seal") == 0)
			seal(&p, word[1], (unsigned)strtoul(word[2], NULL, 0),
				(unsigned)strtoul(word[3], NULL, 0), (unsigned)strtoul(word[4], NULL, 0),
				word[5], word[6]);
		else if (words == 5 && strcmp(word[0], "wrap") == 0)
			wrap(&p, (unsigned)strtoul(word[1], NULL, 0), (unsigned)strtoul(word[2], NULL, 0),
				word[3], word[4]);
		else if (words == 2 && strcmp(word[0], "unwrap") == 0)
			unwrap(&p, unhex(p.in, word[1]));
		else if (words == 2 && strcmp(word[0], "answer") == 0)
			answer(&p, unhex(p.in, word[1]));
		else
			return 2;
	}
	for (size_t i = 0; i < p.key_count; i++)
		kem_key_destroy((struct kem_key *)(uintptr_t)p.keys[i].key);
	crypto_destroy(p.crypto);
	return 0;
}
