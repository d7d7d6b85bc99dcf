/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/ct.h"
#include "base/error.h"
#include "base/require.h"
#include "secret/retrieve.h"
#include "silent/layout.h"

/* One chunk of one key in one table. */
struct probe {
	struct secret_retrieve *retrieve;
	struct silent_place place;
	uint32_t slot;
	uint64_t asked; /* mask: the table can have it */
};

/* What came of a probe. */
struct piece {
	uint64_t found; /* mask */
	uint32_t length; /* of the whole value; SILENT_KEYWORD_GONE */
	uint8_t *bytes; /* view.piece of them */
};

struct found {
	uint64_t there; /* mask */
	uint32_t length;
	uint8_t *value; /* [room] */
};

struct secret_lookup {
	const struct silent_collection *c;
	struct silent_context *const *ctx;
	unsigned tables, count;
	bool decoded;
	struct silent_table_view view[SILENT_MAX_TABLES];
	struct probe *probe[SILENT_MAX_TABLES]; /* [view.lookups] */
	struct found *found; /* [count] */
	uint32_t room; /* bytes of the longest value, up to whole pieces */
	uint8_t *row; /* what a probe decodes to */
	uint8_t *piece[2], *value; /* [room]: of delta and base, and of a class */
	struct arena arena;
};

static bool by_number(const struct secret_lookup *l, unsigned t)
{
	return l->c->access == SILENT_BY_NUMBER && !l->view[t].delta;
}

/* What is decoded of a reply: of hashed rows the whole row, since the record is in any slot of it. */
static size_t decoded_bytes(const struct silent_table_view *view)
{
	return (size_t)view->table->record_bytes * (view->delta ? view->table->slots : 1);
}

static enum veil_status take_memory(struct secret_lookup *l)
{
	size_t row = 0, bytes = arena_room(l->count * sizeof *l->found);
	enum veil_status st;

	for (unsigned t = 0; t < l->tables; t++) {
		const struct silent_table_view *view = &l->view[t];

		bytes += arena_room(view->lookups * sizeof(struct probe));
		if (decoded_bytes(view) > row)
			row = decoded_bytes(view);
		if (view->chunks * view->piece > l->room)
			l->room = view->chunks * view->piece;
	}
	bytes += arena_room(row) + (3 + l->count) * arena_room(l->room);
	st = arena_init_secret(&l->arena, bytes);
	if (st != VEIL_OK)
		return st;
	for (unsigned t = 0; t < l->tables; t++) {
		l->probe[t] = arena_take(&l->arena, l->view[t].lookups * sizeof(struct probe));
		memset(l->probe[t], 0, l->view[t].lookups * sizeof(struct probe));
	}
	l->row = arena_take(&l->arena, row);
	l->value = arena_take(&l->arena, l->room);
	for (unsigned i = 0; i < 2; i++)
		l->piece[i] = arena_take(&l->arena, l->room);
	l->found = arena_take(&l->arena, l->count * sizeof *l->found);
	for (unsigned k = 0; k < l->count; k++) {
		l->found[k] = (struct found){.value = arena_take(&l->arena, l->room)};
		memset(l->found[k].value, 0, l->room);
	}
	return VEIL_OK;
}

/* Where chunk `chunk` of a key is; the rows that select it. */
static unsigned place(const struct secret_lookup *l, unsigned t, struct probe *p, uint32_t rows[3],
	const struct secret_lookup_key *key, uint32_t chunk)
{
	const struct silent_collection *c = l->c;
	uint8_t number[8];
	struct silent_keyword k;

	p->asked = UINT64_MAX;
	if (by_number(l, t)) {
		p->asked = ~ct_mask_nonzero(key->number >> 63) &
			   ct_mask_less(key->number & (UINT64_MAX >> 1), c->records);
		const uint64_t record = (key->number & p->asked) * l->view[t].chunks + chunk;

		rows[0] = silent_record_row(l->ctx[t], record);
		p->slot = silent_record_slot(l->ctx[t], record);
		return 1;
	}
	silent_collection_keyword(&k, c, t);
	store_le64(number, key->number);
	if (c->access == SILENT_BY_NUMBER)
		silent_keyword_place(&p->place, &k, number, sizeof number, chunk);
	else
		silent_keyword_place(&p->place, &k, key->data, key->size, chunk);
	wipe(number, sizeof number);
	memcpy(rows, p->place.rows, sizeof p->place.rows);
	if (l->view[t].delta)
		rows[0] = p->place.row;
	else
		p->slot = p->place.slot;
	return l->view[t].delta ? 1 : SECRET_RETRIEVE_ROWS;
}

static enum veil_status ask(struct secret_lookup *l, unsigned t, const struct secret_lookup_key *keys,
	const struct rng *rng, struct veil_error *err)
{
	const uint32_t chunks = l->view[t].chunks;
	uint32_t rows[SECRET_RETRIEVE_ROWS];
	enum veil_status st = VEIL_OK;

	for (uint32_t i = 0; i < l->view[t].lookups && st == VEIL_OK; i++) {
		struct probe *p = &l->probe[t][i];
		const unsigned k = i / chunks;
		const unsigned selected = k < l->count ? place(l, t, p, rows, &keys[k], i % chunks) : 0;

		st = secret_retrieve_create(&p->retrieve, l->ctx[t], rows, selected, rng, err);
	}
	wipe(rows, sizeof rows);
	return st;
}

enum veil_status secret_lookup_create(struct secret_lookup **out, const struct silent_collection *c,
	struct silent_context *const ctx[], const struct secret_lookup_key *keys, unsigned count,
	const struct rng *rng, struct veil_error *err)
{
	struct secret_lookup *l;
	enum veil_status st;

	*out = NULL;
	REQUIRE(count <= c->keys);
	for (unsigned k = 0; k < count; k++)
		if (c->access == SILENT_BY_KEY && keys[k].size > SILENT_MAX_KEY)
			return error_set(err, VEIL_E_INVALID, "key %u has %zu bytes, more than %d", k,
				keys[k].size, SILENT_MAX_KEY);
	l = calloc(1, sizeof *l);
	if (!l)
		return error_set(err, VEIL_E_NOMEM, "no memory for a lookup");
	l->c = c;
	l->ctx = ctx;
	l->count = count;
	l->tables = silent_collection_tables(c);
	for (unsigned t = 0; t < l->tables; t++)
		l->view[t] = silent_collection_table(c, t);
	st = take_memory(l);
	if (st != VEIL_OK)
		error_set(err, st, "no memory for a lookup");
	for (unsigned t = 0; t < l->tables && st == VEIL_OK; t++)
		st = ask(l, t, keys, rng, err);
	if (st != VEIL_OK) {
		secret_lookup_destroy(l);
		l = NULL;
	}
	*out = l;
	return st;
}

void secret_lookup_write(struct secret_lookup *l, uint8_t *queries)
{
	for (unsigned t = 0; t < l->tables; t++)
		for (uint32_t i = 0; i < l->view[t].lookups; i++) {
			secret_retrieve_write(l->probe[t][i].retrieve, queries);
			queries += l->ctx[t]->query_bytes;
		}
}

/* Keeps what a record has if `here` says so. */
static void keep(struct piece *piece, uint64_t here, uint32_t length, const uint8_t *from, uint32_t bytes)
{
	piece->found |= here;
	piece->length |= (uint32_t)here & length;
	for (uint32_t i = 0; i < bytes; i++)
		piece->bytes[i] |= (uint8_t)here & from[i];
}

static struct piece open_piece(
	const struct secret_lookup *l, unsigned t, const struct probe *p, uint8_t *bytes)
{
	const struct silent_table_view *view = &l->view[t];
	struct piece piece = {.bytes = bytes};
	uint32_t length;

	memset(bytes, 0, view->piece);
	if (by_number(l, t)) {
		length = load_le32(l->row);
		keep(&piece, p->asked & ct_mask_nonzero(length), length - 1, l->row + SILENT_NUMBER_HEAD,
			view->piece);
		return piece;
	}
	for (uint32_t s = 0; s < (view->delta ? view->table->slots : 1); s++) {
		const uint8_t *record = l->row + (size_t)s * view->table->record_bytes;
		const uint64_t match = silent_keyword_match(&p->place, record, &length);

		/* The first counts: a hostile row may hold the tag twice. */
		keep(&piece, match & ~piece.found, length, record + SILENT_KEYWORD_HEAD, view->piece);
	}
	return piece;
}

/* Decodes every chunk of key k in a table: the first says whether the value is there and how long. */
static struct piece open_table(struct secret_lookup *l, unsigned t, unsigned k, uint8_t *bytes,
	const uint8_t *constants, const uint8_t *replies, uint64_t *damaged)
{
	const struct silent_table_view *view = &l->view[t];
	struct piece first = {0};

	for (uint32_t c = 0; c < view->chunks; c++) {
		const uint32_t i = k * view->chunks + c;
		struct probe *p = &l->probe[t][i];
		struct piece piece;

		secret_retrieve_decode(p->retrieve, l->row, decoded_bytes(view), p->slot, constants,
			replies + i * l->ctx[t]->reply_bytes);
		ct_poison(l->row, decoded_bytes(view)); /* until all is known: no branch on a miss */
		piece = open_piece(l, t, p, bytes + c * view->piece);
		if (c == 0)
			first = piece;
		/* A chunk that the value reaches must be there and tell the same length. */
		*damaged |= first.found & ct_mask_nonzero(first.length ^ SILENT_KEYWORD_GONE) &
			    ct_mask_less(c * view->piece, first.length) &
			    (~piece.found | ct_mask_nonzero(piece.length ^ first.length));
	}
	first.bytes = bytes;
	*damaged |= first.found & ct_mask_nonzero(first.length ^ SILENT_KEYWORD_GONE) &
		    ct_mask_less(view->chunks * view->piece, first.length);
	return first;
}

/* What a class has of key k: in its delta, else in its base. */
static void open_class(struct secret_lookup *l, unsigned class, unsigned k, const uint8_t *const constants[],
	const uint8_t *const replies[], uint64_t *damaged)
{
	struct found *f = &l->found[k];
	struct piece value = {.bytes = l->value};
	uint64_t decided = 0, there;

	memset(l->value, 0, l->room);
	for (unsigned t = l->tables; t-- > 0;) {
		struct piece one;
		uint64_t bad = 0;

		if (l->view[t].class != class)
			continue;
		one = open_table(l, t, k, l->piece[l->view[t].delta], constants[t], replies[t], &bad);
		*damaged |= bad & ~decided;
		keep(&value, one.found & ~decided, one.length, one.bytes,
			l->view[t].chunks * l->view[t].piece);
		decided |= one.found;
	}
	there = decided & ct_mask_nonzero(value.length ^ SILENT_KEYWORD_GONE) & ~f->there;
	f->there |= there;
	f->length |= (uint32_t)there & value.length;
	for (uint32_t i = 0; i < l->room; i++)
		f->value[i] |= (uint8_t)there & value.bytes[i];
}

/* The secrets of the fakes go too. */
static void end_fakes(struct secret_lookup *l)
{
	for (unsigned t = 0; t < l->tables; t++)
		for (uint32_t i = 0; i < l->view[t].lookups; i++) {
			secret_retrieve_destroy(l->probe[t][i].retrieve);
			l->probe[t][i].retrieve = NULL;
		}
}

enum veil_status secret_lookup_decode(struct secret_lookup *l, const uint8_t *const constants[],
	const uint8_t *replies, struct veil_error *err)
{
	const uint8_t *at[SILENT_MAX_TABLES];
	uint64_t damaged = 0;

	REQUIRE(!l->decoded);
	l->decoded = true;
	for (unsigned t = 0; t < l->tables; t++) {
		at[t] = replies;
		replies += l->view[t].lookups * l->ctx[t]->reply_bytes;
	}
	for (unsigned k = 0; k < l->count; k++)
		for (unsigned class = 0; class < l->c->classes; class ++)
			open_class(l, class, k, constants, at, &damaged);
	end_fakes(l);
	ct_unpoison(&damaged, sizeof damaged);
	ct_unpoison(l->found, l->count * sizeof *l->found);
	for (unsigned k = 0; k < l->count; k++) {
		ct_unpoison(l->found[k].value, l->room);
		if (!damaged)
			continue;
		wipe(l->found[k].value, l->room);
		l->found[k].there = 0;
	}
	if (damaged)
		return error_set(err, VEIL_E_CORRUPT,
			"a value came back in part: the server's table or its reply is damaged; ask again");
	return VEIL_OK;
}

bool secret_lookup_value(const struct secret_lookup *l, unsigned k, struct bytes *value)
{
	REQUIRE(l->decoded && k < l->count);
	if (!l->found[k].there)
		return false;
	*value = (struct bytes){l->found[k].value, l->found[k].length};
	return true;
}

void secret_lookup_destroy(struct secret_lookup *l)
{
	if (!l)
		return;
	for (unsigned t = 0; t < l->tables && l->probe[t]; t++)
		for (uint32_t i = 0; i < l->view[t].lookups; i++)
			secret_retrieve_destroy(l->probe[t][i].retrieve);
	arena_clear(&l->arena);
	free(l);
}
