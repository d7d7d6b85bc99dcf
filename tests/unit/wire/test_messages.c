/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "craft.h"
#include "support/test.h"

#define LABEL_BYTES 16
#define ROOM 65536

struct fixture {
	struct nn_context *ctx;
	struct arena arena;
	uint8_t *ciphertexts; /* of a query */
	uint8_t body[ROOM];
	size_t size;
	struct wire_query query;
	struct craft_field fields[5]; /* of the same query */
};

static void start(struct fixture *f)
{
	struct rng rng = test_rng();

	f->ctx = test_nn_context_19x40();
	cr_assert(arena_init(&f->arena, wire_query_room(f->ctx)) == VEIL_OK);
	f->ciphertexts = malloc(f->ctx->query_bytes);
	cr_assert_not_null(f->ciphertexts);
	rng_fill(&rng, f->ciphertexts, f->ctx->query_bytes);
	f->query = (struct wire_query){.shard = (uint32_t)test_below(&rng, UINT32_MAX)};
	rng_fill(&rng, f->query.index_id, HASH_BYTES);
	rng_fill(&rng, f->query.query.seed, RING_SEED_BYTES);
	f->query.query.ciphertexts = f->ciphertexts;
	f->size = wire_query_bytes(f->ctx);
	cr_assert_leq(f->size, (size_t)ROOM);
	wire_query_write(f->ctx, f->body, &f->query);
	f->fields[0] = (struct craft_field){1, CRAFT_FIXED32, WIRE_VERSION, 0, NULL};
	f->fields[1] = (struct craft_field){2, CRAFT_BYTES, 0, HASH_BYTES, f->query.index_id};
	f->fields[2] = (struct craft_field){3, CRAFT_FIXED32, f->query.shard, 0, NULL};
	f->fields[3] = (struct craft_field){4, CRAFT_BYTES, 0, RING_SEED_BYTES, f->query.query.seed};
	f->fields[4] = (struct craft_field){5, CRAFT_BYTES, 0, f->ctx->query_bytes, f->ciphertexts};
}

static void stop(struct fixture *f)
{
	free(f->ciphertexts);
	arena_clear(&f->arena);
	nn_context_destroy(f->ctx);
}

/* A query that must be refused, with words that the sentence must have; nothing stays in the arena. */
static void refuse(
	struct fixture *f, const uint8_t *body, size_t size, enum veil_status want, const char *words)
{
	struct wire_query query;
	struct veil_error err = {{0}};
	size_t used = f->arena.used;
	enum veil_status st = wire_query_read(f->ctx, &query, body, size, &f->arena, &err);

	cr_assert(st == want, "%d instead of %d: %s", st, want, err.text);
	cr_assert_not_null(strstr(err.text, words), "'%s' lacks '%s'", err.text, words);
	cr_assert_eq(f->arena.used, used);
}

static void refuse_fields(struct fixture *f, const struct craft_field *fields, size_t count,
	enum veil_status want, const char *words)
{
	uint8_t body[ROOM];

	refuse(f, body, craft_message(body, sizeof body, fields, count), want, words);
}

Test(messages, a_query_comes_back_as_it_was_written)
{
	struct fixture f;
	struct wire_query got;
	struct veil_error err;

	start(&f);
	cr_assert(wire_query_read(f.ctx, &got, f.body, f.size, &f.arena, &err) == VEIL_OK);
	cr_assert_eq(got.shard, f.query.shard);
	cr_assert(memcmp(got.index_id, f.query.index_id, HASH_BYTES) == 0);
	cr_assert(memcmp(got.query.seed, f.query.query.seed, RING_SEED_BYTES) == 0);
	cr_assert(memcmp(got.query.ciphertexts, f.ciphertexts, f.ctx->query_bytes) == 0);
	cr_assert_leq(f.arena.peak, wire_query_room(f.ctx));
	stop(&f);
}

Test(messages, a_query_is_the_fields_of_the_schema_in_order)
{
	struct fixture f;
	uint8_t body[ROOM];

	start(&f);
	cr_assert_eq(craft_message(body, sizeof body, f.fields, 5), f.size);
	cr_assert(memcmp(body, f.body, f.size) == 0);
	stop(&f);
}

Test(messages, every_shard_and_every_value_gives_a_query_of_one_size)
{
	static const uint32_t shards[] = {
		0, 1, 127, 128, 255, 16383, 16384, 0x7fffffff, 0x80000000, 0xffffffff};
	struct fixture f;

	start(&f);
	memset(f.body + f.size, 0xa5, 64);
	for (int fill = 0; fill < 256; fill += 51)
		for (size_t i = 0; i < sizeof shards / sizeof *shards; i++) {
			struct wire_query got;

			f.query.shard = shards[i];
			memset(f.query.index_id, fill, HASH_BYTES);
			memset(f.query.query.seed, fill, RING_SEED_BYTES);
			memset(f.ciphertexts, fill, f.ctx->query_bytes);
			wire_query_write(f.ctx, f.body, &f.query);
			for (int j = 0; j < 64; j++)
				cr_assert_eq(f.body[f.size + (size_t)j], 0xa5);
			arena_reset(&f.arena);
			cr_assert(wire_query_read(f.ctx, &got, f.body, f.size, &f.arena, NULL) == VEIL_OK);
			cr_assert_eq(got.shard, shards[i]);
		}
	stop(&f);
}

Test(messages, the_target_of_a_query_is_read_without_the_rest_wherever_it_stands)
{
	const uint8_t lone[] = {2 << 3 | 2, HASH_BYTES};
	uint8_t id[HASH_BYTES], swapped[5 + 34];
	uint32_t shard = 0;
	struct fixture f;

	start(&f);
	cr_assert(wire_query_target(id, &shard, f.body, f.size));
	cr_assert_eq(shard, f.query.shard);
	cr_assert_arr_eq(id, f.query.index_id, HASH_BYTES);
	memcpy(swapped, f.body + 5 + 34, 5);
	memcpy(swapped + 5, f.body + 5, 34);
	shard = 0;
	memset(id, 0, sizeof id);
	cr_assert(wire_query_target(id, &shard, swapped, sizeof swapped));
	cr_assert_eq(shard, f.query.shard);
	cr_assert_arr_eq(id, f.query.index_id, HASH_BYTES);
	for (size_t cut = 0; cut < 5 + 34 + 5; cut++)
		cr_assert_not(wire_query_target(id, &shard, f.body, cut), "cut at %zu", cut);
	cr_assert_not(wire_query_target(id, &shard, lone, sizeof lone));
	stop(&f);
}

Test(messages, a_query_cut_at_any_byte_or_with_one_more_is_refused)
{
	struct fixture f;

	start(&f);
	for (size_t cut = 0; cut < f.size; cut++)
		refuse(&f, f.body, cut, VEIL_E_MALFORMED, "Query");
	f.body[f.size] = 0;
	refuse(&f, f.body, f.size + 1, VEIL_E_MALFORMED, "instead of");
	refuse(&f, NULL, 0, VEIL_E_MALFORMED, "missing");
	stop(&f);
}

Test(messages, a_query_without_a_field_is_refused_by_its_name)
{
	static const char *const names[] = {"version", "index_id", "shard", "seed", "ciphertexts"};
	struct fixture f;

	start(&f);
	for (size_t i = 0; i < 5; i++) {
		struct craft_field fields[4];

		memcpy(fields, f.fields, i * sizeof *fields);
		memcpy(fields + i, f.fields + i + 1, (4 - i) * sizeof *fields);
		refuse_fields(&f, fields, 4, VEIL_E_MALFORMED, names[i]);
	}
	stop(&f);
}

Test(messages, another_version_is_told_apart_from_garbage_whatever_else_the_message_holds)
{
	struct fixture f;

	start(&f);
	f.fields[0].value = 2;
	refuse_fields(&f, f.fields, 5, VEIL_E_VERSION, "version 2");
	refuse_fields(&f, f.fields, 1, VEIL_E_VERSION, "version 2");
	f.fields[1].number = 77;
	refuse_fields(&f, f.fields, 3, VEIL_E_VERSION, "version 2");
	stop(&f);
}

Test(messages, unknown_doubled_and_mis_sized_fields_are_refused)
{
	struct fixture f;
	struct craft_field fields[6];

	start(&f);
	memcpy(fields, f.fields, sizeof f.fields);
	fields[4].size -= 7; /* room for one more */
	refuse_fields(&f, fields, 5, VEIL_E_MALFORMED, "ciphertexts has");
	fields[5] = (struct craft_field){6, CRAFT_FIXED32, 0, 0, NULL};
	refuse_fields(&f, fields, 6, VEIL_E_MALFORMED, "unknown field 6");
	fields[5] = (struct craft_field){100000, CRAFT_BYTES, 0, 1, NULL};
	refuse_fields(&f, fields, 6, VEIL_E_MALFORMED, "unknown field 100000");
	fields[5] = f.fields[2];
	refuse_fields(&f, fields, 6, VEIL_E_MALFORMED, "twice");
	for (int i = 1; i < 5; i += i == 1 ? 2 : 1) {
		memcpy(fields, f.fields, sizeof f.fields);
		fields[i].size--;
		refuse_fields(&f, fields, 5, VEIL_E_MALFORMED, "bytes instead of");
	}
	stop(&f);
}

Test(messages, a_field_of_another_type_is_refused)
{
	struct fixture f;

	start(&f);
	for (int i = 0; i < 5; i++) {
		struct craft_field fields[5];

		memcpy(fields, f.fields, sizeof fields);
		fields[i].kind = CRAFT_FIXED64;
		refuse_fields(&f, fields, 5, VEIL_E_MALFORMED, "Query");
	}
	stop(&f);
}

Test(messages, lengths_in_a_longer_form_than_needed_are_refused)
{
	struct fixture f;
	struct writer w;
	uint8_t body[ROOM];

	start(&f);
	f.fields[4].size--;
	writer_init(&w, body, sizeof body);
	for (int i = 0; i < 5; i++) {
		if (i != 1) {
			craft_put(&w, f.fields + i);
			continue;
		}
		writer_u8(&w, 2 << 3 | CRAFT_BYTES);
		writer_u8(&w, HASH_BYTES | 128); /* 32 in two bytes */
		writer_u8(&w, 0);
		writer_bytes(&w, f.query.index_id, HASH_BYTES);
	}
	cr_assert_eq(w.at, f.size);
	refuse(&f, body, w.at, VEIL_E_MALFORMED, "minimal");
	stop(&f);
}

Test(messages, a_body_of_thousands_of_fields_runs_into_the_cap_and_not_into_the_heap)
{
	struct fixture f;
	uint8_t body[ROOM];
	size_t size;

	start(&f);
	size = f.size / 2 * 2;
	for (size_t i = 0; i < size; i += 2) {
		body[i] = 15 << 3; /* a varint */
		body[i + 1] = 1;
	}
	refuse(&f, body, size, VEIL_E_MALFORMED, "Query");
	cr_assert_leq(f.arena.peak, f.arena.size);
	stop(&f);
}

Test(messages, random_changes_are_read_or_refused_with_a_reason)
{
	struct fixture f;
	struct rng rng;
	uint8_t id[HASH_BYTES];
	uint32_t shard;

	start(&f);
	rng = test_rng();
	for (int round = 0; round < 20000; round++) {
		uint8_t body[ROOM];
		struct wire_query query;
		struct veil_error err = {{0}};
		enum veil_status st;

		memcpy(body, f.body, f.size);
		for (uint64_t n = 1 + test_below(&rng, 4); n > 0; n--)
			body[test_below(&rng, round % 2 ? 90 : f.size)] = (uint8_t)test_below(&rng, 256);
		arena_reset(&f.arena);
		st = wire_query_read(f.ctx, &query, body, f.size, &f.arena, &err);
		cr_assert(st == VEIL_OK || st == VEIL_E_MALFORMED || st == VEIL_E_VERSION);
		cr_assert((st == VEIL_OK) == (err.text[0] == 0));
		if (st == VEIL_OK) {
			cr_assert(wire_query_target(id, &shard, body, f.size) && shard == query.shard);
			cr_assert_arr_eq(id, query.index_id, HASH_BYTES);
		}
	}
	stop(&f);
}

static struct wire_reply make_reply(const struct nn_context *ctx, uint8_t *bytes, size_t label_bytes)
{
	struct wire_reply r = {.ciphertexts = {bytes, ctx->reply_bytes},
		.labels = {bytes + ctx->reply_bytes, ctx->spec.rows * label_bytes}};

	memset(r.index_id, 7, HASH_BYTES);
	return r;
}

Test(messages, a_reply_comes_back_as_it_was_written_and_has_one_size)
{
	struct nn_context *ctx = test_nn_context_19x40();
	struct rng rng = test_rng();

	for (uint32_t label_bytes = 0; label_bytes <= WIRE_MAX_LABEL_BYTES; label_bytes += 8) {
		size_t size = wire_reply_bytes(ctx, label_bytes);
		size_t inside = ctx->reply_bytes + ctx->spec.rows * label_bytes;
		uint8_t *bytes = calloc(1, inside), *body = malloc(size);
		struct wire_reply reply = make_reply(ctx, bytes, label_bytes), got;

		for (int round = 0; round < 2; round++) { /* zeros, then random */
			wire_reply_write(ctx, label_bytes, body, &reply);
			cr_assert(wire_reply_read(ctx, label_bytes, &got, body, size, NULL) == VEIL_OK);
			cr_assert(memcmp(got.index_id, reply.index_id, HASH_BYTES) == 0);
			cr_assert_eq(got.ciphertexts.size, ctx->reply_bytes);
			cr_assert(memcmp(got.ciphertexts.data, bytes, ctx->reply_bytes) == 0);
			cr_assert_eq(got.labels.size, ctx->spec.rows * (size_t)label_bytes);
			if (label_bytes)
				cr_assert(memcmp(got.labels.data, bytes + ctx->reply_bytes,
						  got.labels.size) == 0);
			wire_reply_clear(&got);
			rng_fill(&rng, bytes, inside);
		}
		free(bytes);
		free(body);
	}
	nn_context_destroy(ctx);
}

Test(messages, a_reply_cut_at_any_byte_longer_or_for_other_labels_is_refused_and_zeroed)
{
	struct nn_context *ctx = test_nn_context_19x40();
	size_t size = wire_reply_bytes(ctx, LABEL_BYTES);
	uint8_t *bytes = calloc(1, ctx->reply_bytes + ctx->spec.rows * LABEL_BYTES),
		*body = calloc(1, size + 1);
	struct wire_reply reply = make_reply(ctx, bytes, LABEL_BYTES), got, zero = {0};
	struct veil_error err;

	wire_reply_write(ctx, LABEL_BYTES, body, &reply);
	for (size_t cut = 0; cut <= size + 1; cut++) {
		if (cut == size)
			continue;
		cr_assert(wire_reply_read(ctx, LABEL_BYTES, &got, body, cut, &err) == VEIL_E_MALFORMED);
		cr_assert(memcmp(&got, &zero, sizeof zero) == 0);
	}
	cr_assert(wire_reply_read(ctx, LABEL_BYTES - 1, &got, body, size, &err) == VEIL_E_MALFORMED);
	cr_assert(wire_reply_read(ctx, LABEL_BYTES + 1, &got, body, size, &err) == VEIL_E_MALFORMED);
	cr_assert_not_null(strstr(err.text, "labels"), "%s", err.text);
	body[1]++; /* the version */
	cr_assert(wire_reply_read(ctx, LABEL_BYTES, &got, body, size, &err) == VEIL_E_VERSION);
	wire_reply_clear(NULL);
	wire_reply_clear(&zero);
	free(bytes);
	free(body);
	nn_context_destroy(ctx);
}

/* docs/wire.md: A worked size. */
Test(messages, the_worked_sizes_of_the_documentation_hold)
{
	struct nn_spec spec = {.params = rlwe_params_find("search_n2048_q28"),
		.dim = 128,
		.rows = 4096,
		.terms = 16,
		.row_norm = 127,
		.scale = 127};
	struct nn_context *ctx = NULL;

	cr_assert(nn_context_create(&ctx, &spec, cpu_features(), NULL) == VEIL_OK);
	cr_assert_eq(wire_query_bytes(ctx), 94290u);
	cr_assert_eq(wire_reply_bytes(ctx, 16), 137263u);
	nn_context_destroy(ctx);
}
