/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fuzz.h"
#include "ohttp/chunked.h"

/* The same bytes as a request, plain and in chunks, to a gateway that holds the keys of RFC 9458 appendix A
 * (1) and of the chunked draft (2), and as a response to a client. Chunks give the same whatever the pieces
 * they come in. The request of the appendix and the draft's, whose key ids are 1 and 2 here, are in the
 * corpus. */

static const uint8_t private_keys[2][32] = {
	{0x3c, 0x16, 0x89, 0x75, 0x67, 0x4b, 0x2f, 0xa8, 0xe4, 0x65, 0x97, 0x0b, 0x79, 0xc8, 0xdc, 0xf0, 0x9f,
		0x1c, 0x74, 0x16, 0x26, 0x48, 0x0b, 0xd4, 0xc6, 0x16, 0x2f, 0xc5, 0xb6, 0xa9, 0x8e, 0x1a},
	{0x1c, 0x19, 0x0d, 0x72, 0xac, 0xdb, 0xe4, 0xdb, 0xc6, 0x9e, 0x68, 0x05, 0x03, 0xbb, 0x78, 0x1a, 0x93,
		0x2c, 0x70, 0xa1, 0x2c, 0x8f, 0x37, 0x54, 0x43, 0x4c, 0x67, 0xd8, 0x64, 0x0d, 0x86, 0x98},
};

static struct crypto *crypto;
static struct message_key keys[2];

static void open_keys(void)
{
	static const struct keyconfig_algorithm algorithms[] = {{1, 1}, {1, 3}};

	REQUIRE(crypto_create(&crypto, NULL) == VEIL_OK);
	for (uint8_t i = 0; i < 2; i++) {
		struct kem_key *key;

		REQUIRE(kem_key_create(&key, crypto, kem_find(KEM_X25519), private_keys[i], NULL) == VEIL_OK);
		REQUIRE(message_key_init(&keys[i], 1, key, algorithms, 2, NULL) == VEIL_OK);
	}
}

static uint64_t mix(uint64_t sum, struct bytes piece)
{
	for (size_t i = 0; i < piece.size; i++)
		sum = (sum ^ piece.data[i]) * 0x100000001b3;
	return sum;
}

/* The plaintext in chunks, as a number; 1 where it is refused. */
static uint64_t in_chunks(const uint8_t *data, size_t size, size_t step)
{
	static uint8_t buffer[CHUNKED_BUFFER_BYTES];
	struct chunked_server server;
	enum veil_status st = VEIL_OK;
	struct bytes piece;
	uint64_t sum = 0xcbf29ce484222325;

	chunked_server_init(&server, &keys[1], 1, buffer);
	for (size_t at = 0; at < size && st == VEIL_OK; at += step) {
		struct bytes in = {data + at, size - at < step ? size - at : step};

		while (in.size && st == VEIL_OK) {
			st = chunked_server_read(&server, crypto, &in, &piece, NULL);
			sum = mix(sum, piece);
		}
	}
	if (st == VEIL_OK && size) {
		st = chunked_server_end(&server, crypto, &piece, NULL);
		sum = mix(sum, piece);
	}
	chunked_server_clear(&server);
	return st == VEIL_OK ? sum : 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message_exchange x = {.live = true, .suite = {KEM_X25519, 1, 3, HPKE_BASE}, .enc_bytes = 32};
	struct message_head head;
	struct veil_error err = {0};
	uint8_t *out = malloc(size + 1);
	size_t opened;

	REQUIRE(out);
	if (!crypto)
		open_keys();
	if (message_response_open(&x, crypto, out, &opened, (struct bytes){data, size}, &err) != VEIL_OK)
		REQUIRE(opened == 0 && err.text[0]);
	REQUIRE(!x.live);
	if (message_head_read(&head, &keys[0], 1, data, size, &err) == VEIL_OK) {
		REQUIRE(head.header.size + head.enc.size + head.body.size == size);
		if (message_request_open(&x, crypto, out, &head, &err) == VEIL_OK)
			REQUIRE(x.live && head.body.size >= CRYPTO_TAG_BYTES);
	}
	REQUIRE(in_chunks(data, size, size + 1) == in_chunks(data, size, 1 + size / 5));
	free(out);
	return 0;
}
