/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/retrieve.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "support/silent.h"
#include "support/test.h"

/* Retrieval, from rows to bytes, on a ring small enough to ask for everything. */

static const struct rlwe_params *tiny(void)
{
	return rlwe_params_find("insecure_retrieval_n64_q40");
}

/* Up to four retrievals answered in one pass; out[v] gets `size` bytes. */
static void retrieve(struct silent_shop *s, uint8_t *const *out, const uint32_t (*rows)[SECRET_RETRIEVE_ROWS],
	unsigned selected, const uint32_t *slots, size_t size, unsigned count, const struct rng *rng)
{
	struct secret_retrieve *r[SILENT_MAX_QUERIES];
	uint8_t *queries[SILENT_MAX_QUERIES], *replies[SILENT_MAX_QUERIES];

	for (unsigned v = 0; v < count; v++) {
		cr_assert_eq(secret_retrieve_create(&r[v], s->ctx, rows[v], selected, rng, NULL), VEIL_OK);
		queries[v] = malloc(s->ctx->query_bytes);
		replies[v] = malloc(s->ctx->reply_bytes);
		secret_retrieve_write(r[v], queries[v]);
	}
	silent_shop_answer(s, replies, (const uint8_t *const *)queries, count);
	for (unsigned v = 0; v < count; v++) {
		secret_retrieve_decode(r[v], out[v], size, slots[v], s->constants, replies[v]);
		secret_retrieve_destroy(r[v]);
		free(queries[v]);
		free(replies[v]);
	}
}

static void check_all(struct silent_shop *s, size_t size, const struct rng *rng)
{
	const uint32_t slots = (uint32_t)(s->ctx->spec.packs * s->ctx->n / size);
	uint8_t bytes[SILENT_MAX_QUERIES][256], *out[SILENT_MAX_QUERIES];
	uint32_t rows[SILENT_MAX_QUERIES][SECRET_RETRIEVE_ROWS], at[SILENT_MAX_QUERIES];

	for (unsigned v = 0; v < SILENT_MAX_QUERIES; v++)
		out[v] = bytes[v];
	for (uint32_t record = 0, count; record < s->ctx->spec.rows; record += count) {
		count = s->ctx->spec.rows - record;
		count = count > SILENT_MAX_QUERIES ? 1 + record % SILENT_MAX_QUERIES : count;
		for (uint32_t v = 0; v < count; v++) {
			rows[v][0] = record + v;
			at[v] = (record + v) % slots;
		}
		retrieve(s, out, (const void *)rows, 1, at, size, count, rng);
		for (uint32_t v = 0; v < count; v++)
			for (uint32_t i = 0; i < size; i++)
				cr_assert_eq(bytes[v][i],
					(uint8_t)silent_shop_get(s, record + v, at[v] * (uint32_t)size + i),
					"row %u, byte %u", record + v, i);
	}
}

Test(retrieve, every_row_of_a_small_table_comes_back)
{
	static const unsigned masks[] = {0, ~0u};
	struct rng rng = test_rng();

	for (size_t i = 0; i < 2; i++) {
		struct silent_shop s;

		silent_shop_init(&s, tiny(), 192, 3, masks[i] & cpu_features(), &rng, 0);
		silent_shop_prepare(&s);
		check_all(&s, 16, &rng);
		check_all(&s, 96, &rng);
		silent_shop_clear(&s);
	}
}

Test(retrieve, the_worst_table_decodes)
{
	struct rng rng = test_rng();
	struct silent_shop s;

	silent_shop_init(&s, tiny(), 128, 1, cpu_features(), NULL, -128);
	silent_shop_prepare(&s);
	check_all(&s, 64, &rng);
	silent_shop_clear(&s);
}

Test(retrieve, three_rows_come_back_as_their_sum_and_none_as_zeros)
{
	struct rng rng = test_rng();
	uint32_t rows[1][SECRET_RETRIEVE_ROWS], slot = 0;
	uint8_t bytes[64], *out = bytes;
	struct silent_shop s;

	silent_shop_init(&s, tiny(), 1024 + 64, 1, cpu_features(), &rng, 0);
	silent_shop_prepare(&s);
	for (int round = 0; round < 20; round++) {
		for (unsigned k = 0; k < 3; k++)
			rows[0][k] = (uint32_t)test_below(&rng, 362) + 362 * k;
		retrieve(&s, &out, (const void *)rows, 3, &slot, 64, 1, &rng);
		for (uint32_t i = 0; i < 64; i++) {
			int sum = 0;

			for (unsigned k = 0; k < 3; k++)
				sum += silent_shop_get(&s, rows[0][k], i);
			cr_assert_eq(bytes[i], (uint8_t)sum);
		}
	}
	retrieve(&s, &out, (const void *)rows, 0, &slot, 64, 1, &rng);
	for (uint32_t i = 0; i < 64; i++)
		cr_assert_eq(bytes[i], 0);
	silent_shop_clear(&s);
}

/* The portable kernels and those of this machine make the same files and the same replies. */
Test(retrieve, material_and_replies_are_the_same_on_every_machine)
{
	struct rng rng = test_rng();
	struct silent_shop a, b;
	uint8_t *query, *replies[2];
	const uint8_t *queries[1];

	silent_shop_init(&a, tiny(), 128, 2, 0, &rng, 0);
	silent_shop_init(&b, tiny(), 128, 2, cpu_features(), NULL, 0);
	memcpy(b.table, a.table, 2 * a.ctx->table_bytes);
	silent_shop_prepare(&a);
	silent_shop_prepare(&b);
	cr_assert_arr_eq(a.material, b.material, 2 * a.ctx->material_bytes);
	query = malloc(a.ctx->query_bytes);
	for (int i = 0; i < 2; i++)
		replies[i] = malloc(a.ctx->reply_bytes);
	rng_fill(&rng, query, a.ctx->query_bytes); /* any bytes are a query */
	queries[0] = query;
	silent_shop_answer(&a, &replies[0], queries, 1);
	silent_shop_answer(&b, &replies[1], queries, 1);
	cr_assert_arr_eq(replies[0], replies[1], a.ctx->reply_bytes);
	free(query), free(replies[0]), free(replies[1]);
	silent_shop_clear(&a);
	silent_shop_clear(&b);
}

static struct secret_retrieve *fresh(struct silent_shop *s)
{
	static struct rng rng;
	struct secret_retrieve *r;
	const uint32_t row = 5;

	rng = test_rng();
	silent_shop_init(s, tiny(), 64, 1, cpu_features(), &rng, 0);
	cr_assert_eq(secret_retrieve_create(&r, s->ctx, &row, 1, &rng, NULL), VEIL_OK);
	return r;
}

Test(retrieve, a_second_serialisation_aborts, .signal = SIGABRT)
{
	struct silent_shop s;
	struct secret_retrieve *r = fresh(&s);
	uint8_t *query = malloc(s.ctx->query_bytes);

	secret_retrieve_write(r, query);
	secret_retrieve_write(r, query);
}

Test(retrieve, a_second_decoding_aborts, .signal = SIGABRT)
{
	struct silent_shop s;
	struct secret_retrieve *r = fresh(&s);
	uint8_t *query = malloc(s.ctx->query_bytes), *reply = calloc(1, s.ctx->reply_bytes), byte;

	memset(s.constants, 0, s.ctx->static_bytes);
	secret_retrieve_write(r, query);
	secret_retrieve_decode(r, &byte, 1, 0, s.constants, reply);
	secret_retrieve_decode(r, &byte, 1, 0, s.constants, reply);
}

Test(retrieve, decoding_before_serialisation_aborts, .signal = SIGABRT)
{
	struct silent_shop s;
	struct secret_retrieve *r = fresh(&s);
	uint8_t *reply = calloc(1, s.ctx->reply_bytes), byte;

	secret_retrieve_decode(r, &byte, 1, 0, s.constants, reply);
}

Test(retrieve, two_queries_for_one_row_share_nothing)
{
	struct silent_shop s;
	struct secret_retrieve *r[2];
	struct rng rng = test_rng();
	uint8_t *query[2];
	const uint32_t row = 5;
	size_t same = 0;

	silent_shop_init(&s, tiny(), 64, 1, cpu_features(), &rng, 0);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(secret_retrieve_create(&r[i], s.ctx, &row, 1, &rng, NULL), VEIL_OK);
		query[i] = malloc(s.ctx->query_bytes);
		secret_retrieve_write(r[i], query[i]);
		secret_retrieve_destroy(r[i]);
	}
	for (size_t i = 0; i < s.ctx->query_bytes; i++)
		same += query[0][i] == query[1][i];
	/* one byte in 256, of 1504: 5.9 of them, 40 in no lifetime */
	cr_assert_lt(same, 40);
	free(query[0]), free(query[1]);
	silent_shop_clear(&s);
}
