/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "support/nn.h"
#include "wire/messages.h"

/* A query from a peer: read or refused within its arena; one that is read is written back, with its fields in
 * order, to bytes that read the same. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct nn_context *ctx;
	static struct arena arena;
	struct wire_query query, again;
	struct veil_error err;
	uint8_t *body, id[HASH_BYTES];
	uint32_t shard;
	bool told = wire_query_target(id, &shard, data, size);

	if (!ctx) {
		ctx = test_nn_context_19x40();
		REQUIRE(arena_init(&arena, 2 * wire_query_room(ctx)) == VEIL_OK);
	}
	arena_reset(&arena);
	if (wire_query_read(ctx, &query, data, size, &arena, &err) != VEIL_OK) {
		REQUIRE(arena.used == 0 && err.text[0]);
		return 0;
	}
	REQUIRE(size == wire_query_bytes(ctx) && arena.used <= wire_query_room(ctx));
	REQUIRE(told && shard == query.shard && memcmp(id, query.index_id, HASH_BYTES) == 0);
	body = malloc(size);
	REQUIRE(body);
	wire_query_write(ctx, body, &query);
	REQUIRE(wire_query_read(ctx, &again, body, size, &arena, &err) == VEIL_OK);
	REQUIRE(again.shard == query.shard && memcmp(again.index_id, query.index_id, HASH_BYTES) == 0);
	REQUIRE(memcmp(again.query.ciphertexts, query.query.ciphertexts, ctx->query_bytes) == 0);
	free(body);
	return 0;
}
