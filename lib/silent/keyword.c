/* SPDX-License-Identifier: Apache-2.0 */
#include "silent/keyword.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/ct.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/require.h"
#include "silent/fuse.h"

/* A uniform number below bound of 32 uniform bits. */
static uint32_t below(uint32_t x, uint32_t bound)
{
	return (uint32_t)((uint64_t)x * bound >> 32);
}

/* Segments of 2^log rows: the papers' size, in integers. */
static uint32_t segment(uint32_t rows)
{
	unsigned log = 31 - (unsigned)__builtin_clz(rows), best = 4 * log / 7 + 2;

	return 1u << (best < log - 2 ? best : log - 2);
}

/* SHA-256("veil/keyword/1" || seed || SHA-256(key)) */
static void hash_key(
	uint8_t base[HASH_BYTES], const struct silent_keyword *k, const void *key, size_t key_bytes)
{
	uint8_t text[14 + sizeof k->seed + HASH_BYTES];

	memcpy(text, "veil/keyword/1", 14);
	memcpy(text + 14, k->seed, sizeof k->seed);
	hash_sha256(text + 14 + sizeof k->seed, key, key_bytes);
	hash_sha256(base, text, sizeof text);
	wipe(text, sizeof text);
}

void silent_keyword_place(struct silent_place *place, const struct silent_keyword *k, const void *key,
	size_t key_bytes, uint32_t chunk)
{
	const uint32_t length = segment(k->rows), segments = k->rows / length;
	uint8_t text[HASH_BYTES + 8], digest[HASH_BYTES];
	uint32_t first;

	hash_key(text, k, key, key_bytes);
	/* the chunks of a key never meet in a row */
	place->row = below(load_le32(text), k->rows) + chunk;
	place->row -= k->rows & (uint32_t)~ct_mask_less(place->row, k->rows);
	store_le32(text + HASH_BYTES, k->attempt);
	store_le32(text + HASH_BYTES + 4, chunk);
	hash_sha256(digest, text, sizeof text);
	memcpy(place->tag, digest, SILENT_KEYWORD_TAG);
	place->slot = below(load_le32(digest + 8), k->slots);
	first = below(load_le32(digest + 12), segments - 2) * length;
	for (unsigned i = 0; i < 3; i++)
		place->rows[i] = first + i * length + (load_le32(digest + 16 + 4 * i) & (length - 1));
	wipe(text, sizeof text);
	wipe(digest, sizeof digest);
}

uint64_t silent_keyword_match(const struct silent_place *place, const uint8_t *record, uint32_t *length)
{
	*length = load_le32(record + SILENT_KEYWORD_TAG);
	return ~ct_mask_nonzero(load_le64(record) ^ load_le64(place->tag));
}

/* One chunk of an entry as a record. False past the end of its value. */
static bool write_record(const struct silent_keyword *k, uint8_t *record, const struct silent_place *place,
	const struct silent_entry *e, uint32_t chunk)
{
	const size_t piece = silent_keyword_piece(k), at = chunk * piece;
	size_t left;

	if (chunk > 0 && (!e->value || at >= e->value_bytes))
		return false;
	memset(record, 0, k->record_bytes);
	memcpy(record, place->tag, SILENT_KEYWORD_TAG);
	store_le32(record + SILENT_KEYWORD_TAG, e->value ? (uint32_t)e->value_bytes : SILENT_KEYWORD_GONE);
	left = e->value ? e->value_bytes - at : 0;
	if (left)
		memcpy(record + SILENT_KEYWORD_HEAD, (const uint8_t *)e->value + at,
			left < piece ? left : piece);
	return true;
}

static enum veil_status check_entry(
	const struct silent_keyword *k, const struct silent_entry *e, size_t number, struct veil_error *err)
{
	const uint64_t room = (uint64_t)k->chunks * silent_keyword_piece(k);

	if (e->value && (e->value_bytes > room || e->value_bytes > SILENT_KEYWORD_MAX_VALUE))
		return error_set(err, VEIL_E_INVALID,
			"entry %zu: its value has %zu bytes, more than the %llu that %u chunks of %u hold",
			number, e->value_bytes, (unsigned long long)room, k->chunks, silent_keyword_piece(k));
	return VEIL_OK;
}

static void check_shape(const struct silent_context *ctx, const struct silent_keyword *k)
{
	REQUIRE(k->rows == ctx->spec.rows && k->record_bytes > SILENT_KEYWORD_HEAD && k->chunks >= 1 &&
		k->chunks <= SILENT_KEYWORD_MAX_CHUNKS && k->slots >= 1 &&
		k->slots <= silent_slots(ctx, k->record_bytes));
}

/* 1 / (0.875 + 0.25 ln 10^6 / ln n) of the rows peel: arXiv 2201.01174, 4. Four deviations are left for slots
 * that get more than their share. */
uint32_t silent_keyword_slots(uint32_t rows, uint64_t records)
{
	double n = rows, load;

	for (int round = 0; round < 8; round++)
		n = rows / fmax(1.125, 0.875 + 0.25 * log(1e6) / log(fmax(n, 8)));
	load = n - 4 * sqrt(n);
	if (load < 1)
		return 0;
	return (uint32_t)fmin(ceil((double)records / load), UINT32_MAX);
}

/* --- the filter */

struct build {
	const struct silent_context *ctx;
	struct silent_keyword *k;
	int8_t *table;
	const struct silent_entry *entries;
	size_t count;
};

static uint64_t chunks_of(const struct silent_keyword *k, const struct silent_entry *e)
{
	const uint64_t piece = silent_keyword_piece(k);

	return e->value_bytes <= piece ? 1 : (e->value_bytes + piece - 1) / piece;
}

static void write_slot(const struct build *b, const struct fuse *f, uint8_t *record, uint8_t *other)
{
	const uint32_t size = b->k->record_bytes;

	for (size_t i = f->count; i-- > 0;) {
		const struct fuse_item *item = f->order[i];
		struct silent_place place;

		silent_keyword_place(&place, b->k, b->entries[item->entry].key,
			b->entries[item->entry].key_bytes, item->chunk);
		REQUIRE(write_record(b->k, record, &place, &b->entries[item->entry], item->chunk));
		for (unsigned r = 0; r < 3; r++) {
			if (r == item->free)
				continue;
			silent_get(b->ctx, b->table, item->rows[r], item->slot * size, other, size);
			for (uint32_t j = 0; j < size; j++)
				record[j] = (uint8_t)(record[j] - other[j]);
		}
		silent_put(b->ctx, b->table, item->rows[item->free], item->slot * size, record, size);
	}
}

static void list_items(const struct build *b, struct fuse_item *items)
{
	for (size_t e = 0; e < b->count; e++)
		for (uint32_t c = 0; c < chunks_of(b->k, &b->entries[e]); c++, items++) {
			struct silent_place place;

			silent_keyword_place(&place, b->k, b->entries[e].key, b->entries[e].key_bytes, c);
			*items = (struct fuse_item){.entry = e, .chunk = c, .slot = place.slot};
			memcpy(items->rows, place.rows, sizeof items->rows);
			memcpy(&items->tag, place.tag, sizeof items->tag);
		}
}

#define ATTEMPTS 64

static enum veil_status build(struct build *b, struct fuse *f, uint64_t items, struct veil_error *err)
{
	uint8_t *record = f->bytes, *other = f->bytes + b->k->record_bytes;
	uint32_t slot = 0;

	for (b->k->attempt = 0; b->k->attempt < ATTEMPTS; b->k->attempt++) {
		list_items(b, f->items);
		fuse_sort(f, items);
		if (b->k->attempt == 0 && fuse_twice(f, items))
			return error_set(err, VEIL_E_INVALID, "entries %zu and %zu have the same key",
				f->twice[0], f->twice[1]);
		for (slot = 0; slot < b->k->slots && fuse_peel(f, items, slot); slot++)
			;
		if (slot == b->k->slots)
			break;
	}
	if (slot < b->k->slots)
		return error_set(err, VEIL_E_INVALID,
			"%llu records do not go into %u slots of %u rows: take more slots or rows",
			(unsigned long long)items, b->k->slots, b->k->rows);
	memset(b->table, 0, b->ctx->spec.packs * b->ctx->table_bytes);
	for (slot = 0; slot < b->k->slots; slot++) {
		REQUIRE(fuse_peel(f, items, slot));
		write_slot(b, f, record, other);
	}
	return VEIL_OK;
}

enum veil_status silent_keyword_build(const struct silent_context *ctx, struct silent_keyword *k,
	int8_t *table, const struct silent_entry *entries, size_t count, struct veil_error *err)
{
	struct build b = {.ctx = ctx, .k = k, .table = table, .entries = entries, .count = count};
	struct fuse f = {0};
	enum veil_status st = VEIL_OK;
	uint64_t items = 0;

	check_shape(ctx, k);
	for (size_t e = 0; e < count && st == VEIL_OK; e++) {
		st = check_entry(k, &entries[e], e, err);
		items += chunks_of(k, &entries[e]);
	}
	if (st != VEIL_OK)
		return st;
	st = fuse_init(&f, items, k->rows, 2 * (size_t)k->record_bytes);
	if (st != VEIL_OK)
		error_set(err, st, "no memory for a filter of %llu records", (unsigned long long)items);
	else
		st = build(&b, &f, items, err);
	fuse_clear(&f);
	return st;
}

/* --- hashed rows */

/* The slot of a tag in a row, else one that is free, else `slots`. A tag of zeros is a free slot. */
static uint32_t find_slot(const struct silent_context *ctx, const struct silent_keyword *k,
	const int8_t *table, const struct silent_place *place)
{
	uint32_t found = k->slots;

	for (uint32_t s = k->slots; s-- > 0;) {
		uint8_t tag[SILENT_KEYWORD_TAG];

		silent_get(ctx, table, place->row, s * k->record_bytes, tag, sizeof tag);
		if (memcmp(tag, place->tag, sizeof tag) == 0)
			return s;
		if (load_le64(tag) == 0)
			found = s;
	}
	return found;
}

static void put_record(const struct silent_context *ctx, const struct silent_keyword *k, int8_t *table,
	uint32_t row, uint32_t slot, const uint8_t *record, bool *changed)
{
	for (uint32_t j = 0; j < k->record_bytes; j++) {
		uint32_t column = slot * k->record_bytes + j;
		uint8_t was;

		silent_get(ctx, table, row, column, &was, 1);
		if (was == record[j])
			continue;
		silent_put(ctx, table, row, column, record + j, 1);
		changed[column / ctx->n] = true;
	}
}

/* A chunk that the key has had and has no more becomes a free slot. */
static void put_chunk(const struct silent_context *ctx, const struct silent_keyword *k, int8_t *table,
	const struct silent_entry *entry, uint32_t chunk, uint8_t *record, bool *changed)
{
	struct silent_place place;
	uint32_t slot;
	uint8_t tag[SILENT_KEYWORD_TAG];

	silent_keyword_place(&place, k, entry->key, entry->key_bytes, chunk);
	slot = find_slot(ctx, k, table, &place);
	if (!write_record(k, record, &place, entry, chunk)) {
		if (slot == k->slots)
			return;
		silent_get(ctx, table, place.row, slot * k->record_bytes, tag, sizeof tag);
		if (memcmp(tag, place.tag, sizeof tag) != 0)
			return;
		memset(record, 0, k->record_bytes);
	}
	put_record(ctx, k, table, place.row, slot, record, changed);
}

enum veil_status silent_keyword_put(const struct silent_context *ctx, const struct silent_keyword *k,
	int8_t *table, const struct silent_entry *entry, bool *changed, struct veil_error *err)
{
	const uint32_t chunks = entry->value ? (uint32_t)chunks_of(k, entry) : 1;
	enum veil_status st = check_entry(k, entry, 0, err);
	struct arena arena = {0};
	uint8_t *record;

	check_shape(ctx, k);
	REQUIRE(k->chunks <= k->rows);
	for (uint32_t c = 0; c < chunks && st == VEIL_OK; c++) {
		struct silent_place place;

		silent_keyword_place(&place, k, entry->key, entry->key_bytes, c);
		if (find_slot(ctx, k, table, &place) == k->slots)
			st = error_set(err, VEIL_E_BUSY,
				"row %u of the changes is full: build the table anew", place.row);
	}
	if (st == VEIL_OK)
		st = arena_init(&arena, arena_room(k->record_bytes));
	if (st != VEIL_OK)
		return st;
	record = arena_take(&arena, k->record_bytes);
	for (uint32_t c = 0; c < k->chunks; c++)
		put_chunk(ctx, k, table, entry, c, record, changed);
	arena_clear(&arena);
	return VEIL_OK;
}
