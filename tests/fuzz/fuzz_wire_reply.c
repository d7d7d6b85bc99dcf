/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "support/nn.h"
#include "wire/messages.h"

/* A reply from a peer, as fuzz_wire_query.c. */

#define LABEL_BYTES 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct nn_context *ctx;
	struct wire_reply reply, again;
	struct veil_error err;
	uint8_t *body;

	if (!ctx)
		ctx = test_nn_context_19x40();
	if (wire_reply_read(ctx, LABEL_BYTES, &reply, data, size, &err) != VEIL_OK) {
		REQUIRE(err.text[0] && !reply.storage.base);
		return 0;
	}
	REQUIRE(size == wire_reply_bytes(ctx, LABEL_BYTES));
	body = malloc(size);
	REQUIRE(body);
	wire_reply_write(ctx, LABEL_BYTES, body, &reply);
	REQUIRE(wire_reply_read(ctx, LABEL_BYTES, &again, body, size, &err) == VEIL_OK);
	REQUIRE(memcmp(again.ciphertexts.data, reply.ciphertexts.data, reply.ciphertexts.size) == 0);
	REQUIRE(memcmp(again.labels.data, reply.labels.data, reply.labels.size) == 0);
	wire_reply_clear(&again);
	wire_reply_clear(&reply);
	free(body);
	return 0;
}
