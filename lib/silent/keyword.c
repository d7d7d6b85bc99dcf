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

/* Of the record of one chunk of an entry, bytes `from` on, `size` of them. */
static void write_part(const struct silent_keyword *k, uint8_t *out, const uint8_t *tag,
	const struct silent_entry *e, uint32_t chunk, uint32_t from, uint32_t size)
{
	const size_t start = chunk * (size_t)silent_keyword_piece(k);
	const uint32_t length = e->value ? (uint32_t)e->value_bytes : SILENT_KEYWORD_GONE;
	uint8_t head[SILENT_KEYWORD_HEAD];
	uint32_t i = 0;
	size_t at;

	memcpy(head, tag, SILENT_KEYWORD_TAG);
	store_le32(head + SILENT_KEYWORD_TAG, length);
	for (; i < size && from + i < sizeof head; i++)
		out[i] = head[from + i];
	memset(out + i, 0, size - i);
	at = start + from + i - sizeof head;
	if (i < size && e->value && at < e->value_bytes)
		memcpy(out + i, (const uint8_t *)e->value + at,
			e->value_bytes - at < size - i ? e->value_bytes - at : size - i);
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

#define STRIP 64u /* columns that are written at once: as many cache lines */

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

	return !e->value || e->value_bytes <= piece ? 1 : (e->value_bytes + piece - 1) / piece;
}

/* Columns `from` on of a slot. `rows` holds them row by row, where they stay in a cache; in the table a row
 * is all over the place. */
static void write_strip(
	const struct build *b, const struct fuse *f, uint32_t slot, uint32_t from, uint32_t size)
{
	uint8_t *rows = f->bytes;

	memset(rows, 0, (size_t)b->k->rows * size);
	for (size_t i = f->count; i-- > 0;) {
		const struct fuse_item *item = f->order[i];
		uint8_t *out = rows + (size_t)item->rows[item->free] * size;

		write_part(b->k, out, (const uint8_t *)&item->tag, &b->entries[item->entry], item->chunk,
			from, size);
		for (unsigned r = 0; r < 3; r++) {
			const uint8_t *other = rows + (size_t)item->rows[r] * size;

			for (uint32_t j = 0; j < size && r != item->free; j++)
				out[j] = (uint8_t)(out[j] - other[j]);
		}
	}
	for (uint32_t row = 0; row < b->k->rows; row++)
		silent_put(b->ctx, b->table, row, slot * b->k->record_bytes + from, rows + (size_t)row * size,
			size);
}

static void write_slot(const struct build *b, const struct fuse *f, uint32_t slot)
{
	const uint32_t all = b->k->record_bytes;

	for (uint32_t from = 0; from < all; from += STRIP)
		write_strip(b, f, slot, from, all - from < STRIP ? all - from : STRIP);
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
		write_slot(b, f, slot);
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
	st = fuse_init(&f, items, k->rows, (size_t)STRIP * k->rows);
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

/* `was` is room for a record. */
static void put_record(const struct silent_context *ctx, const struct silent_keyword *k, int8_t *table,
	uint32_t row, uint32_t slot, const uint8_t *record, uint8_t *was, bool *changed)
{
	const uint32_t column = slot * k->record_bytes;

	silent_get(ctx, table, row, column, was, k->record_bytes);
	silent_put(ctx, table, row, column, record, k->record_bytes);
	for (uint32_t j = 0; j < k->record_bytes; j++)
		if (was[j] != record[j])
			changed[(column + j) / ctx->n] = true;
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
	if (chunk < chunks_of(k, entry)) {
		write_part(k, record, place.tag, entry, chunk, 0, k->record_bytes);
	} else {
		if (slot == k->slots)
			return;
		silent_get(ctx, table, place.row, slot * k->record_bytes, tag, sizeof tag);
		if (memcmp(tag, place.tag, sizeof tag) != 0)
			return;
		memset(record, 0, k->record_bytes);
	}
	put_record(ctx, k, table, place.row, slot, record, record + k->record_bytes, changed);
}

enum veil_status silent_keyword_put(const struct silent_context *ctx, const struct silent_keyword *k,
	int8_t *table, const struct silent_entry *entry, bool *changed, struct veil_error *err)
{
	const uint32_t chunks = (uint32_t)chunks_of(k, entry);
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
		st = arena_init(&arena, arena_room((size_t)2 * k->record_bytes));
	if (st != VEIL_OK)
		return st;
	record = arena_take(&arena, (size_t)2 * k->record_bytes);
	for (uint32_t c = 0; c < k->chunks; c++)
		put_chunk(ctx, k, table, entry, c, record, changed);
	arena_clear(&arena);
	return VEIL_OK;
}
