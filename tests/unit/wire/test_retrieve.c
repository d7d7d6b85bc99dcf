/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/retrieve.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

/* Requests and replies of retrieval: one size, one form. */

static struct wire_retrieval two_tables(void)
{
	static const uint32_t packs[] = {2, 1};
	struct wire_retrieval r = {.tables = 2};

	for (unsigned t = 0; t < 2; t++) {
		struct silent_spec spec = {.params = rlwe_params_find("insecure_retrieval_n64_q40"),
			.rows = 64 * (t + 1),
			.packs = packs[t],
			.allow_insecure = true};
		struct silent_context *ctx;

		cr_assert_eq(silent_context_create(&ctx, &spec, 0, NULL), VEIL_OK);
		r.table[t].ctx = ctx;
		r.table[t].lookups = 3 - t;
	}
	return r;
}

static void clear(struct wire_retrieval *r)
{
	struct silent_context *ctx;

	for (unsigned t = 0; t < r->tables; t++) {
		memcpy(&ctx, &r->table[t].ctx, sizeof ctx);
		silent_context_destroy(ctx);
	}
}

Test(retrieve, queries_and_replies_lie_table_by_table)
{
	struct wire_retrieval r = two_tables();
	const size_t up = r.table[0].ctx->query_bytes, down = r.table[0].ctx->reply_bytes;

	cr_assert_eq(up, 64 * 28 / 8 + 4 * 64 * 5);
	cr_assert_eq(down, 2 * 64 * 10 / 8);
	cr_assert_eq(wire_retrieval_query_at(&r, 0, 2), 2 * up);
	cr_assert_eq(wire_retrieval_query_at(&r, 1, 0), 3 * up);
	cr_assert_eq(wire_retrieval_query_at(&r, 1, 1), 3 * up + r.table[1].ctx->query_bytes);
	cr_assert_eq(wire_retrieval_up(&r), 3 * up + 2 * r.table[1].ctx->query_bytes);
	cr_assert_eq(wire_retrieval_reply_at(&r, 1, 1), 3 * down + r.table[1].ctx->reply_bytes);
	cr_assert_eq(wire_retrieval_down(&r), 3 * down + 2 * r.table[1].ctx->reply_bytes);
	clear(&r);
}

Test(retrieve, what_is_written_is_read_and_no_other_byte_of_the_head)
{
	struct wire_retrieval r = two_tables();
	struct rng rng = test_rng();
	const size_t size = wire_retrieve_bytes(&r);
	uint8_t *body = malloc(size + 1), id[HASH_BYTES], got[HASH_BYTES];
	struct bytes payload = {0};
	uint8_t *at;

	rng_fill(&rng, id, sizeof id);
	rng_fill(&rng, body, size + 1);
	at = wire_retrieve_frame(&r, body, id);
	cr_assert_eq((size_t)(at - body) + wire_retrieval_up(&r), size);
	cr_assert_eq(wire_retrieve_read(&r, got, &payload, body, size, NULL), VEIL_OK);
	cr_assert_arr_eq(got, id, sizeof id);
	cr_assert_eq(payload.data, at);
	cr_assert_eq(payload.size, wire_retrieval_up(&r));
	cr_assert(wire_retrieve_target(got, body, size));
	cr_assert_eq(wire_retrieve_read(&r, got, &payload, body, size - 1, NULL), VEIL_E_MALFORMED);
	cr_assert_eq(wire_retrieve_read(&r, got, &payload, body, size + 1, NULL), VEIL_E_MALFORMED);
	for (size_t cut = 0; cut < (size_t)(at - body); cut++)
		cr_assert_eq(wire_retrieve_read(&r, got, &payload, body, cut, NULL), VEIL_E_MALFORMED);
	for (size_t i = 0; i < (size_t)(at - body); i++) {
		struct bytes untouched = {0};
		enum veil_status st;

		body[i] ^= 1;
		st = wire_retrieve_read(&r, got, &untouched, body, size, NULL);
		if (i >= 7 && i < 7 + HASH_BYTES) {
			cr_assert_eq(st, VEIL_OK); /* another id */
		} else {
			cr_assert_eq(st, i >= 1 && i < 5 ? VEIL_E_VERSION : VEIL_E_MALFORMED, "byte %zu", i);
			cr_assert_null(untouched.data);
		}
		body[i] ^= 1;
	}
	free(body);
	clear(&r);
}

Test(retrieve, errors_name_the_message_and_the_field)
{
	struct wire_retrieval r = two_tables();
	const size_t size = wire_retrieved_bytes(&r);
	uint8_t *body = calloc(1, size), id[HASH_BYTES] = {1};
	struct bytes payload;
	struct veil_error err;

	cr_assert_eq(wire_retrieved_read(&r, id, &payload, body, size, &err), VEIL_E_MALFORMED);
	cr_assert_str_eq(err.text, "RetrieveReply: does not begin with field version");
	wire_retrieved_frame(&r, body, id);
	body[1] = 9;
	cr_assert_eq(wire_retrieved_read(&r, id, &payload, body, size, &err), VEIL_E_VERSION);
	cr_assert_str_eq(err.text, "RetrieveReply: protocol version 9; this side speaks 1");
	free(body);
	clear(&r);
}
