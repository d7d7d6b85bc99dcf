/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_TINY_KV_ASK_H
#define STORE_TINY_KV_ASK_H

#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "secret/retrieve.h"
#include "silent/answer.h"
#include "store/kv.h"

/* A collection asked as a client would, and answered as a server would; not in constant time. */

/* What a client has of one chunk in one table. */
struct tiny_kv_piece {
	uint8_t bytes[256];
	uint32_t length;
	bool found;
};

static inline void tiny_kv_ask(const struct store_kv *kv, unsigned t, const uint32_t *rows, unsigned count,
	size_t size, uint32_t slot, uint8_t *bytes, const struct rng *rng)
{
	const struct store_kv_table *table = &kv->table[t];
	const struct silent_context *ctx = table->ctx;
	uint8_t *query = malloc(ctx->query_bytes), *reply = malloc(ctx->reply_bytes);
	const uint8_t *queries[] = {query};
	struct silent_answer answer;
	struct secret_retrieve *r;
	struct arena arena = {0};

	REQUIRE(query && reply);
	REQUIRE(arena_init(&arena, silent_answer_room(ctx, 1) + silent_answer_scratch(ctx, 1)) == VEIL_OK);
	REQUIRE(secret_retrieve_create(&r, ctx, rows, count, rng, NULL) == VEIL_OK);
	secret_retrieve_write(r, query);
	silent_answer_prepare(&answer, ctx, queries, 1, &arena);
	for (uint32_t p = 0; p < ctx->spec.packs; p++) {
		uint8_t *replies[] = {reply + p * ctx->short_bytes};

		silent_answer_pack(&answer, replies, &table->packs[p], &arena);
	}
	secret_retrieve_decode(r, bytes, size, slot, table->constants.data, reply);
	secret_retrieve_destroy(r);
	arena_clear(&arena);
	free(query);
	free(reply);
}

static inline struct tiny_kv_piece tiny_kv_piece(const struct store_kv *kv, unsigned t, const void *key,
	size_t key_bytes, uint64_t number, uint32_t chunk, const struct rng *rng)
{
	const struct silent_table_view view = silent_collection_table(&kv->collection, t);
	const struct silent_context *ctx = kv->table[t].ctx;
	const uint32_t record = view.table->record_bytes;
	uint8_t *row = malloc((size_t)view.table->slots * record);
	struct tiny_kv_piece out = {.found = false};
	struct silent_place place;
	struct silent_keyword k;

	REQUIRE(row && view.piece <= sizeof out.bytes);
	if (kv->collection.access == SILENT_BY_NUMBER && !view.delta) {
		const uint64_t r = number * view.chunks + chunk;
		const uint32_t at = silent_record_row(ctx, r);

		tiny_kv_ask(kv, t, &at, 1, record, silent_record_slot(ctx, r), row, rng);
		out.length = load_le32(row) - 1;
		out.found = load_le32(row) != 0;
		memcpy(out.bytes, row + SILENT_NUMBER_HEAD, view.piece);
		free(row);
		return out;
	}
	silent_collection_keyword(&k, &kv->collection, t);
	silent_keyword_place(&place, &k, key, key_bytes, chunk);
	if (view.delta)
		tiny_kv_ask(kv, t, &place.row, 1, (size_t)view.table->slots * record, 0, row, rng);
	else
		tiny_kv_ask(kv, t, place.rows, 3, record, place.slot, row, rng);
	for (uint32_t s = 0; s < (view.delta ? view.table->slots : 1); s++)
		if (silent_keyword_match(&place, row + s * record, &out.length)) {
			out.found = true;
			memcpy(out.bytes, row + s * record + SILENT_KEYWORD_HEAD, view.piece);
			break;
		}
	free(row);
	return out;
}

/* The value of a key (by number: of `number`), or -1. */
static inline long tiny_kv_get(uint8_t *value, const struct store_kv *kv, const void *key, size_t key_bytes,
	uint64_t number, const struct rng *rng)
{
	long size = -1;
	unsigned t = 0;

	for (unsigned i = 0; i < kv->collection.classes; i++) {
		const struct silent_class *class = &kv->collection.class[i];
		const unsigned base = t++, delta = class->delta.rows ? t++ : base;
		unsigned from = delta;
		struct tiny_kv_piece first = tiny_kv_piece(kv, from, key, key_bytes, number, 0, rng);

		if (!first.found && delta != base)
			first = tiny_kv_piece(kv, from = base, key, key_bytes, number, 0, rng);
		if (!first.found || first.length == SILENT_KEYWORD_GONE)
			continue;
		REQUIRE(size < 0); /* in one class at most */
		size = first.length;
		for (uint32_t c = 0, at = 0; at < first.length; c++) {
			const struct silent_table_view view = silent_collection_table(&kv->collection, from);
			const struct tiny_kv_piece p =
				tiny_kv_piece(kv, from, key, key_bytes, number, c, rng);

			REQUIRE(p.found && p.length == first.length && c < view.chunks);
			memcpy(value + at, p.bytes,
				first.length - at < view.piece ? first.length - at : view.piece);
			at += view.piece;
		}
	}
	return size;
}

#endif
