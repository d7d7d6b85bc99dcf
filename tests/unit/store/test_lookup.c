/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/lookup.h"

#include <criterion/criterion.h>
#include <signal.h>

#include "silent/answer.h"
#include "tiny_kv.h"

/* secret/lookup.h against collections that store/kv.h opens: what a client asks and what a server answers. */

#define KEYS 3

struct shop {
	struct store_kv *kv;
	struct silent_collection c; /* as the client has it */
	struct silent_context *ctx[SILENT_MAX_TABLES];
	const uint8_t *constants[SILENT_MAX_TABLES];
	size_t up, down;
	uint8_t *queries, *replies;
};

static void open_shop(struct shop *s, enum silent_access access)
{
	const struct store_kv_options options = {.features = cpu_features(), .allow_insecure = true};
	const char *dir = test_tmpdir();
	struct veil_error err = {{0}};
	uint8_t id[HASH_BYTES];
	uint32_t reused = 0;

	*s = (struct shop){0};
	cr_assert_eq(tiny_kv_build(dir, access, 0, NULL, &reused, id, &err), VEIL_OK, "%s", err.text);
	/* Key 5 changes to a value of the other class, key 6 goes, a new one comes. */
	cr_assert_eq(
		tiny_kv_update(dir,
			(struct silent_entry[]){
				{.key = access == SILENT_BY_KEY ? (const void *)"key 5" : "\5\0\0\0\0\0\0",
					.key_bytes = access == SILENT_BY_KEY ? 5 : 8,
					.value = "a value longer than twenty bytes",
					.value_bytes = 32},
				{.key = access == SILENT_BY_KEY ? (const void *)"key 6" : "\6\0\0\0\0\0\0",
					.key_bytes = access == SILENT_BY_KEY ? 5 : 8},
				{.key = access == SILENT_BY_KEY ? (const void *)"new" : "\0\2\0\0\0\0\0",
					.key_bytes = access == SILENT_BY_KEY ? 3 : 8,
					.value = "new",
					.value_bytes = 3},
			},
			3, id, &err),
		VEIL_OK, "%s", err.text);
	cr_assert_eq(store_kv_open(&s->kv, dir, &options, &err), VEIL_OK, "%s", err.text);
	s->c = s->kv->collection;
	s->c.keys = KEYS; /* of a request; the tables are the same for any number */
	for (unsigned t = 0; t < s->kv->tables; t++) {
		const struct silent_table_view view = silent_collection_table(&s->c, t);

		s->ctx[t] = s->kv->table[t].ctx;
		s->constants[t] = s->kv->table[t].constants.data;
		s->up += view.lookups * s->ctx[t]->query_bytes;
		s->down += view.lookups * s->ctx[t]->reply_bytes;
	}
	s->queries = malloc(s->up);
	s->replies = malloc(s->down);
	cr_assert(s->queries && s->replies);
}

static void close_shop(struct shop *s)
{
	free(s->queries);
	free(s->replies);
	store_kv_close(s->kv);
}

/* As a server, which has the queries and nothing else. */
static void serve(struct shop *s)
{
	const uint8_t *query = s->queries;
	uint8_t *reply = s->replies;

	for (unsigned t = 0; t < s->kv->tables; t++) {
		const struct silent_context *ctx = s->ctx[t];
		struct arena arena;

		cr_assert_eq(arena_init(&arena, silent_answer_room(ctx, 1) + silent_answer_scratch(ctx, 1)),
			VEIL_OK);
		for (uint32_t i = 0; i < silent_collection_table(&s->c, t).lookups; i++) {
			struct silent_answer answer;

			silent_answer_prepare(&answer, ctx, &query, 1, &arena);
			for (uint32_t p = 0; p < ctx->spec.packs; p++) {
				uint8_t *to = reply + p * ctx->short_bytes;

				silent_answer_pack(&answer, &to, &s->kv->table[t].packs[p], &arena);
			}
			query += ctx->query_bytes;
			reply += ctx->reply_bytes;
			arena_reset(&arena);
		}
		arena_clear(&arena);
	}
}

static struct secret_lookup *ask(
	struct shop *s, const struct secret_lookup_key *keys, unsigned count, const struct rng *rng)
{
	struct veil_error err = {{0}};
	struct secret_lookup *l;

	cr_assert_eq(
		secret_lookup_create(&l, &s->c, s->ctx, keys, count, rng, &err), VEIL_OK, "%s", err.text);
	secret_lookup_write(l, s->queries);
	serve(s);
	return l;
}

static void expect(const struct secret_lookup *l, unsigned k, const void *want, long size)
{
	struct bytes value;

	cr_assert_eq(secret_lookup_value(l, k, &value), size >= 0, "key %u", k);
	if (size < 0)
		return;
	cr_assert_eq(value.size, (size_t)size);
	cr_assert_arr_eq(value.data, want, (size_t)size);
}

static struct secret_lookup_key key(const char *text)
{
	return (struct secret_lookup_key){.data = text, .size = strlen(text)};
}

static void check(struct shop *s, const struct secret_lookup_key *keys, unsigned count,
	const struct silent_entry *want, const struct rng *rng)
{
	struct secret_lookup *l = ask(s, keys, count, rng);
	struct veil_error err = {{0}};

	cr_assert_eq(secret_lookup_decode(l, s->constants, s->replies, &err), VEIL_OK, "%s", err.text);
	for (unsigned k = 0; k < count; k++)
		expect(l, k, want[k].value, want[k].value ? (long)want[k].value_bytes : -1);
	secret_lookup_destroy(l);
}

static const struct silent_entry longer = {.value = "a value longer than twenty bytes", .value_bytes = 32},
				 fresh = {.value = "new", .value_bytes = 3}, none = {0};

Test(lookup, keys_of_every_class_changed_gone_new_and_absent_in_one_request)
{
	struct rng rng = test_rng();
	static struct tiny_kv k;
	struct shop s;

	open_shop(&s, SILENT_BY_KEY);
	tiny_kv_fill(&k, 0);
	check(&s, (struct secret_lookup_key[]){key("key 5"), key("key 6"), key("new")}, 3,
		(struct silent_entry[]){longer, none, fresh}, &rng);
	check(&s, (struct secret_lookup_key[]){key("absent"), key("key 0")}, 2,
		(struct silent_entry[]){none, k.entries[0]}, &rng);
	for (unsigned i = 7; i < TINY_KV_ENTRIES; i += 41)
		check(&s, (struct secret_lookup_key[]){key(k.keys[i]), key(k.keys[i + 1])}, 2, &k.entries[i],
			&rng);
	close_shop(&s);
}

Test(lookup, numbers_and_numbers_that_are_not_there)
{
	struct rng rng = test_rng();
	static struct tiny_kv k;
	struct shop s;

	open_shop(&s, SILENT_BY_NUMBER);
	tiny_kv_fill(&k, 0);
	check(&s, (struct secret_lookup_key[]){{.number = 5}, {.number = 6}, {.number = 512}}, 3,
		(struct silent_entry[]){longer, none, fresh}, &rng);
	check(&s,
		(struct secret_lookup_key[]){
			{.number = TINY_KV_ENTRIES}, {.number = UINT64_MAX}, {.number = 1ull << 63}},
		3, (struct silent_entry[]){none, none, none}, &rng);
	check(&s,
		(struct secret_lookup_key[]){
			{.number = 1ull << 63 | 9}, {.number = 9}, {.number = TINY_KV_ENTRIES - 1}},
		3, (struct silent_entry[]){none, k.entries[9], k.entries[TINY_KV_ENTRIES - 1]}, &rng);
	close_shop(&s);
}

Test(lookup, damage_in_a_reply_gives_no_part_of_a_value)
{
	struct rng rng = test_rng();
	static struct tiny_kv k;
	unsigned refused = 0;
	struct shop s;

	open_shop(&s, SILENT_BY_KEY);
	tiny_kv_fill(&k, 0);
	for (unsigned round = 0; round < 40; round++) {
		const struct silent_entry *e = &k.entries[12]; /* 84 bytes: three chunks */
		struct secret_lookup *l =
			ask(&s, (struct secret_lookup_key[]){key(k.keys[12]), key(k.keys[25])}, 2, &rng);
		struct veil_error err = {{0}};
		struct bytes value;
		uint8_t noise[64];

		rng_fill(&rng, noise, sizeof noise);
		for (size_t i = 0; i < sizeof noise; i++)
			s.replies[test_below(&rng, s.down)] ^= noise[i];
		if (secret_lookup_decode(l, s.constants, s.replies, &err) != VEIL_OK) {
			refused++;
			cr_assert(strstr(err.text, "damaged"));
			cr_assert(!secret_lookup_value(l, 0, &value) && !secret_lookup_value(l, 1, &value));
		} else if (secret_lookup_value(l, 0, &value)) {
			cr_assert_eq(value.size, e->value_bytes);
		}
		secret_lookup_destroy(l);
	}
	cr_assert_gt(refused, 0);
	close_shop(&s);
}

Test(lookup, a_key_that_is_too_long_is_refused_by_its_number)
{
	struct rng rng = test_rng();
	static char text[SILENT_MAX_KEY + 1];
	struct veil_error err = {{0}};
	struct secret_lookup *l;
	struct shop s;

	open_shop(&s, SILENT_BY_KEY);
	cr_assert_eq(secret_lookup_create(&l, &s.c, s.ctx,
			     (struct secret_lookup_key[]){key("a"), {.data = text, .size = sizeof text}}, 2,
			     &rng, &err),
		VEIL_E_INVALID);
	cr_assert_null(l);
	cr_assert(strstr(err.text, "key 1 has 1025 bytes"), "%s", err.text);
	close_shop(&s);
}

Test(lookup, one_object_never_makes_two_requests, .signal = SIGABRT)
{
	struct rng rng = test_rng();
	struct shop s;
	struct secret_lookup *l;

	open_shop(&s, SILENT_BY_KEY);
	l = ask(&s, (struct secret_lookup_key[]){key("key 1")}, 1, &rng);
	secret_lookup_write(l, s.queries);
}
