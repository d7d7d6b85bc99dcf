/* SPDX-License-Identifier: Apache-2.0 */
#include "silent/keyword.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secret/retrieve.h"
#include "support/silent.h"
#include "support/test.h"

/* Keys of a small table, found in its bytes; one of them through a query. */

#define ROWS 1024
#define RECORD 32
#define CHUNKS 3
#define KEYS 900

struct map {
	struct silent_shop shop;
	struct silent_keyword k;
	struct silent_entry entries[KEYS];
	char keys[KEYS][16];
	uint8_t values[KEYS][CHUNKS * RECORD];
};

static void start(struct map *m, uint32_t slots, const struct rng *rng)
{
	silent_shop_init(
		&m->shop, rlwe_params_find("insecure_retrieval_n64_q40"), ROWS, 4, cpu_features(), NULL, 0);
	m->k = (struct silent_keyword){
		.rows = ROWS, .slots = slots, .record_bytes = RECORD, .chunks = CHUNKS, .seed = "keys"};
	for (unsigned i = 0; i < KEYS; i++) {
		snprintf(m->keys[i], sizeof m->keys[i], "key %u", i);
		rng_fill(rng, m->values[i], sizeof m->values[i]);
		m->entries[i] = (struct silent_entry){.key = m->keys[i],
			.key_bytes = strlen(m->keys[i]),
			.value = m->values[i],
			.value_bytes = i % (CHUNKS * (RECORD - SILENT_KEYWORD_HEAD) + 1)};
	}
}

/* The record that a client gets for one chunk of a key. */
static void fetch(
	const struct map *m, uint8_t *record, struct silent_place *place, const char *key, uint32_t chunk)
{
	uint8_t row[RECORD];

	silent_keyword_place(place, &m->k, key, strlen(key), chunk);
	memset(record, 0, RECORD);
	for (unsigned r = 0; r < 3; r++) {
		silent_get(m->shop.ctx, m->shop.table, place->rows[r], place->slot * RECORD, row, RECORD);
		for (unsigned j = 0; j < RECORD; j++)
			record[j] = (uint8_t)(record[j] + row[j]);
	}
}

static void check_entry(const struct map *m, unsigned i)
{
	const uint32_t piece = silent_keyword_piece(&m->k);
	const struct silent_entry *e = &m->entries[i];

	for (uint32_t c = 0; c < CHUNKS; c++) {
		struct silent_place place;
		uint8_t record[RECORD];
		uint32_t length;
		size_t left = e->value_bytes > c * piece ? e->value_bytes - c * piece : 0;

		fetch(m, record, &place, m->keys[i], c);
		if (c > 0 && left == 0) {
			cr_assert_eq(silent_keyword_match(&place, record, &length), 0);
			continue;
		}
		cr_assert_eq(silent_keyword_match(&place, record, &length), UINT64_MAX, "key %u", i);
		cr_assert_eq(length, e->value_bytes);
		cr_assert_arr_eq(
			record + SILENT_KEYWORD_HEAD, m->values[i] + c * piece, left < piece ? left : piece);
	}
}

Test(keyword, every_key_of_a_filter_is_found_and_no_other)
{
	static struct map m;
	struct rng rng = test_rng();
	struct veil_error err;

	/* some 1700 records */
	start(&m, silent_keyword_slots(ROWS, 1800), &rng);
	cr_assert_leq(m.k.slots, silent_slots(m.shop.ctx, RECORD));
	cr_assert_eq(silent_keyword_build(m.shop.ctx, &m.k, m.shop.table, m.entries, KEYS, &err), VEIL_OK,
		"%s", err.text);
	for (unsigned i = 0; i < KEYS; i++)
		check_entry(&m, i);
	for (unsigned i = KEYS; i < 3 * KEYS; i++) {
		struct silent_place place;
		uint8_t record[RECORD];
		uint32_t length;
		char key[16];

		snprintf(key, sizeof key, "key %u", i);
		fetch(&m, record, &place, key, 0);
		cr_assert_eq(silent_keyword_match(&place, record, &length), 0, "%s", key);
	}
	silent_shop_clear(&m.shop);
}

Test(keyword, a_key_is_found_through_a_query)
{
	static struct map m;
	struct rng rng = test_rng();
	struct silent_place place;
	struct secret_retrieve *r;
	uint8_t *query, *reply, record[RECORD];
	uint32_t length;

	start(&m, 8, &rng);
	cr_assert_eq(silent_keyword_build(m.shop.ctx, &m.k, m.shop.table, m.entries, KEYS, NULL), VEIL_OK);
	silent_shop_prepare(&m.shop);
	query = malloc(m.shop.ctx->query_bytes);
	reply = malloc(m.shop.ctx->reply_bytes);
	silent_keyword_place(&place, &m.k, m.keys[7], strlen(m.keys[7]), 0);
	cr_assert_eq(secret_retrieve_create(&r, m.shop.ctx, place.rows, 3, &rng, NULL), VEIL_OK);
	secret_retrieve_write(r, query);
	silent_shop_answer(&m.shop, &reply, (const uint8_t *const *)&query, 1);
	secret_retrieve_decode(r, record, RECORD, place.slot, m.shop.constants, reply);
	secret_retrieve_destroy(r);
	cr_assert_eq(silent_keyword_match(&place, record, &length), UINT64_MAX);
	cr_assert_eq(length, 7);
	cr_assert_arr_eq(record + SILENT_KEYWORD_HEAD, m.values[7], 7);
	free(query), free(reply);
	silent_shop_clear(&m.shop);
}

Test(keyword, what_cannot_be_built_is_refused_by_name)
{
	static struct map m;
	struct rng rng = test_rng();
	struct veil_error err;

	start(&m, 8, &rng);
	m.entries[3].value_bytes = CHUNKS * (RECORD - SILENT_KEYWORD_HEAD) + 1;
	cr_assert_eq(
		silent_keyword_build(m.shop.ctx, &m.k, m.shop.table, m.entries, KEYS, &err), VEIL_E_INVALID);
	cr_assert_not_null(strstr(err.text, "entry 3: its value has 61 bytes"), "%s", err.text);
	m.entries[3].value_bytes = 0;
	m.entries[8] = m.entries[5];
	cr_assert_eq(
		silent_keyword_build(m.shop.ctx, &m.k, m.shop.table, m.entries, KEYS, &err), VEIL_E_INVALID);
	cr_assert_not_null(strstr(err.text, "have the same key"), "%s", err.text);
	m.k.slots = 1;
	m.entries[8].key = "another";
	m.entries[8].key_bytes = 7;
	cr_assert_eq(
		silent_keyword_build(m.shop.ctx, &m.k, m.shop.table, m.entries, KEYS, &err), VEIL_E_INVALID);
	cr_assert_not_null(strstr(err.text, "do not go into 1 slots"), "%s", err.text);
	silent_shop_clear(&m.shop);
}

/* The record of a key in hashed rows, as a client looks for it. */
static bool find(const struct map *m, uint8_t *record, const char *key, uint32_t chunk, uint32_t *length)
{
	struct silent_place place;

	silent_keyword_place(&place, &m->k, key, strlen(key), chunk);
	for (uint32_t s = 0; s < m->k.slots; s++) {
		silent_get(m->shop.ctx, m->shop.table, place.row, s * RECORD, record, RECORD);
		if (silent_keyword_match(&place, record, length))
			return true;
	}
	return false;
}

Test(keyword, hashed_rows_take_new_values_and_removals)
{
	static struct map m;
	struct rng rng = test_rng();
	bool changed[4] = {false};
	uint8_t record[RECORD];
	uint32_t length;
	struct silent_entry gone;

	start(&m, 8, &rng);
	for (unsigned i = 0; i < KEYS; i++)
		cr_assert_eq(silent_keyword_put(m.shop.ctx, &m.k, m.shop.table, &m.entries[i], changed, NULL),
			VEIL_OK);
	for (unsigned i = 0; i < KEYS; i++)
		for (uint32_t c = 0; c < CHUNKS; c++) {
			bool there = c == 0 || m.entries[i].value_bytes > c * silent_keyword_piece(&m.k);

			cr_assert_eq(find(&m, record, m.keys[i], c, &length), there);
			if (there)
				cr_assert_eq(length, m.entries[i].value_bytes);
		}
	/* the same value again changes nothing, another one some packs */
	memset(changed, 0, sizeof changed);
	cr_assert_eq(
		silent_keyword_put(m.shop.ctx, &m.k, m.shop.table, &m.entries[60], changed, NULL), VEIL_OK);
	cr_assert(!changed[0] && !changed[1] && !changed[2] && !changed[3]);
	gone = m.entries[60];
	gone.value = NULL;
	cr_assert_eq(silent_keyword_put(m.shop.ctx, &m.k, m.shop.table, &gone, changed, NULL), VEIL_OK);
	cr_assert(changed[0] || changed[1] || changed[2] || changed[3]);
	cr_assert(find(&m, record, m.keys[60], 0, &length));
	cr_assert_eq(length, SILENT_KEYWORD_GONE);
	cr_assert(!find(&m, record, m.keys[60], 1, &length));
	cr_assert(!find(&m, record, "key x", 0, &length));
	silent_shop_clear(&m.shop);
}

Test(keyword, a_full_row_is_refused_and_nothing_changes)
{
	static struct map m;
	struct rng rng = test_rng();
	bool changed[4] = {false};
	struct veil_error err;
	int8_t *before;
	enum veil_status st = VEIL_OK;

	start(&m, 1, &rng);
	before = malloc(4 * m.shop.ctx->table_bytes);
	for (unsigned i = 0; i < KEYS && st == VEIL_OK; i++) {
		memcpy(before, m.shop.table, 4 * m.shop.ctx->table_bytes);
		memset(changed, 0, sizeof changed);
		st = silent_keyword_put(m.shop.ctx, &m.k, m.shop.table, &m.entries[i], changed, &err);
	}
	cr_assert_eq(st, VEIL_E_BUSY);
	cr_assert_not_null(strstr(err.text, "is full"), "%s", err.text);
	cr_assert_arr_eq(before, m.shop.table, 4 * m.shop.ctx->table_bytes);
	cr_assert(!changed[0] && !changed[1] && !changed[2] && !changed[3]);
	free(before);
	silent_shop_clear(&m.shop);
}
