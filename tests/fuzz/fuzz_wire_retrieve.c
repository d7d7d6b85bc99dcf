/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/require.h"
#include "fuzz.h"
#include "wire/retrieve.h"

/* A request of retrieval: what is read is what the writer makes of it again, byte for byte. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire_retrieval r;
	static struct silent_context *ctx;
	static uint8_t again[4096];
	uint8_t id[HASH_BYTES], target[HASH_BYTES];
	struct bytes payload;

	if (!ctx) {
		struct silent_spec spec = {.params = rlwe_params_find("insecure_retrieval_n64_q40"),
			.rows = 64,
			.packs = 1,
			.allow_insecure = true};

		REQUIRE(silent_context_create(&ctx, &spec, 0, NULL) == VEIL_OK);
		r = (struct wire_retrieval){.tables = 1};
		r.table[0].ctx = ctx;
		r.table[0].lookups = 2;
		REQUIRE(wire_retrieve_bytes(&r) <= sizeof again);
	}
	if (wire_retrieve_read(&r, id, &payload, data, size, NULL) == VEIL_OK) {
		uint8_t *at = wire_retrieve_frame(&r, again, id);

		REQUIRE(size == wire_retrieve_bytes(&r) && payload.size == wire_retrieval_up(&r));
		memcpy(at, payload.data, payload.size);
		REQUIRE(!memcmp(again, data, size));
		REQUIRE(wire_retrieve_target(target, data, size) && !memcmp(target, id, sizeof id));
	}
	if (wire_retrieved_read(&r, id, &payload, data, size, NULL) == VEIL_OK)
		REQUIRE(payload.size == wire_retrieval_down(&r));
	return 0;
}
