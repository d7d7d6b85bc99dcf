/* SPDX-License-Identifier: Apache-2.0 */
#include "silent/collection.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/require.h"

#define MAX_ATTEMPT 64

static uint32_t head(const struct silent_collection *c, bool delta)
{
	return c->access == SILENT_BY_NUMBER && !delta ? SILENT_NUMBER_HEAD : SILENT_KEYWORD_HEAD;
}

static enum veil_status check_table(const struct silent_collection *c, unsigned class, bool delta,
	const struct silent_table *t, struct veil_error *err)
{
	const char *name = delta ? "delta" : "base";
	const uint32_t n = 1u << c->params->log_n;
	const char *wrong = NULL;

	if (t->rows < n || t->rows % n || t->rows > SILENT_MAX_ROWS)
		wrong = "rows";
	else if (t->packs < 1 || t->packs > SILENT_MAX_PACKS)
		wrong = "packs";
	else if (t->record_bytes <= head(c, delta) || t->record_bytes > (uint64_t)t->packs * n)
		wrong = "record_bytes";
	else if (t->slots < 1 || t->slots > (uint64_t)t->packs * n / t->record_bytes)
		wrong = "slots";
	else if (t->attempt >= MAX_ATTEMPT || (t->attempt && (delta || c->access != SILENT_BY_KEY)))
		wrong = "attempt";
	if (wrong)
		return error_set(
			err, VEIL_E_INVALID, "class %u, %s: \"%s\" is out of range", class, name, wrong);
	return VEIL_OK;
}

static enum veil_status check_class(const struct silent_collection *c, unsigned i, struct veil_error *err)
{
	const struct silent_class *class = &c->class[i];
	const struct silent_table *base = &class->base, *delta = &class->delta;
	enum veil_status st;

	if (class->chunks < 1 || class->chunks > SILENT_MAX_LOOKUPS / c->keys)
		return error_set(err, VEIL_E_INVALID, "class %u: %u chunks, not 1..%u", i, class->chunks,
			SILENT_MAX_LOOKUPS / c->keys);
	st = check_table(c, i, false, base, err);
	if (st == VEIL_OK && delta->rows)
		st = check_table(c, i, true, delta, err);
	if (st != VEIL_OK)
		return st;
	if (delta->rows && (delta->record_bytes - head(c, true) != base->record_bytes - head(c, false) ||
				   class->chunks > delta->rows))
		return error_set(
			err, VEIL_E_INVALID, "class %u: its delta holds other pieces than its base", i);
	if (c->access == SILENT_BY_NUMBER && c->records > (uint64_t)base->rows * base->slots / class->chunks)
		return error_set(err, VEIL_E_INVALID, "class %u: more records than places", i);
	if (i > 0 && silent_collection_room(c, i) <= silent_collection_room(c, i - 1))
		return error_set(
			err, VEIL_E_INVALID, "class %u: not for longer values than the one before", i);
	return VEIL_OK;
}

enum veil_status silent_collection_check(const struct silent_collection *c, struct veil_error *err)
{
	enum veil_status st = VEIL_OK;

	if (!c->name[0] || !memchr(c->name, 0, sizeof c->name))
		return error_set(err, VEIL_E_INVALID, "a collection without a name");
	if (!c->params || c->params->use != RLWE_USE_RETRIEVAL)
		return error_set(err, VEIL_E_INVALID, "its parameter set is not for retrieval");
	if (c->access != SILENT_BY_KEY && c->access != SILENT_BY_NUMBER)
		return error_set(err, VEIL_E_INVALID, "neither asked by key nor by number");
	if (c->keys < 1 || c->keys > SILENT_MAX_KEYS)
		return error_set(
			err, VEIL_E_INVALID, "%u keys of a request, not 1..%u", c->keys, SILENT_MAX_KEYS);
	if (c->base_epoch < 1 || c->epoch < c->base_epoch)
		return error_set(err, VEIL_E_INVALID, "its epochs are out of order");
	if (c->classes < 1 || c->classes > SILENT_MAX_CLASSES)
		return error_set(
			err, VEIL_E_INVALID, "%u size classes, not 1..%u", c->classes, SILENT_MAX_CLASSES);
	for (unsigned i = 0; st == VEIL_OK && i < c->classes; i++)
		st = check_class(c, i, err);
	return st;
}

unsigned silent_collection_tables(const struct silent_collection *c)
{
	unsigned tables = 0;

	for (unsigned i = 0; i < c->classes; i++)
		tables += c->class[i].delta.rows ? 2 : 1;
	return tables;
}

struct silent_table_view silent_collection_table(const struct silent_collection *c, unsigned t)
{
	struct silent_table_view view = {0};

	REQUIRE(t < silent_collection_tables(c));
	for (unsigned i = 0, at = 0; i < c->classes && !view.table; i++) {
		const struct silent_class *class = &c->class[i];
		const unsigned tables = class->delta.rows ? 2 : 1;

		if (t < at + tables) {
			view.class = i;
			view.delta = t > at;
			view.table = view.delta ? &class->delta : &class->base;
			view.chunks = class->chunks;
			view.lookups = class->chunks * c->keys;
			view.piece = view.table->record_bytes - head(c, view.delta);
		}
		at += tables;
	}
	return view;
}

uint32_t silent_collection_room(const struct silent_collection *c, unsigned class)
{
	const uint64_t room =
		(uint64_t)c->class[class].chunks * (c->class[class].base.record_bytes - head(c, false));

	return room < SILENT_KEYWORD_MAX_VALUE ? (uint32_t)room : SILENT_KEYWORD_MAX_VALUE;
}

enum purpose {
	POLYNOMIALS,
	KEYS,
};

/* What a table's seed follows from. A table keeps its number whether other classes have deltas or not. */
static void derive(uint8_t seed[HASH_BYTES], enum purpose purpose, const struct silent_collection *c,
	const struct silent_table_view *view, uint64_t epoch)
{
	static const char domain[17] = "veil/collection/1";
	uint8_t text[sizeof domain + 2 * HASH_BYTES + 32];
	struct writer w;

	writer_init(&w, text, sizeof text);
	writer_bytes(&w, domain, sizeof domain);
	writer_u8(&w, purpose);
	hash_sha256(seed, c->name, strlen(c->name));
	writer_bytes(&w, seed, HASH_BYTES);
	hash_sha256(seed, c->params->name, strlen(c->params->name));
	writer_bytes(&w, seed, HASH_BYTES);
	writer_u32(&w, 2 * view->class + view->delta);
	writer_u64(&w, epoch);
	hash_sha256(seed, text, w.at);
}

enum veil_status silent_collection_context(struct silent_context **out, const struct silent_collection *c,
	unsigned t, unsigned features, bool allow_insecure, struct veil_error *err)
{
	const struct silent_table_view view = silent_collection_table(c, t);
	struct silent_spec spec = {.params = c->params,
		.rows = view.table->rows,
		.packs = view.table->packs,
		.allow_insecure = allow_insecure};

	derive(spec.seed, POLYNOMIALS, c, &view, view.delta ? c->epoch : c->base_epoch);
	return silent_context_create(out, &spec, features, err);
}

void silent_collection_keyword(struct silent_keyword *keyword, const struct silent_collection *c, unsigned t)
{
	const struct silent_table_view view = silent_collection_table(c, t);

	*keyword = (struct silent_keyword){.attempt = view.table->attempt,
		.rows = view.table->rows,
		.slots = view.table->slots,
		.record_bytes = view.table->record_bytes,
		.chunks = view.chunks};
	derive(keyword->seed, KEYS, c, &view, c->base_epoch);
}
