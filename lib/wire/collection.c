/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/collection.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/require.h"
#include "veil.pb-c.h"
#include "wire/messages.h"
#include "wire/unpack.h"

/* A size class: le32 chunks, base, delta; a table: le32 rows, packs, slots, record_bytes, attempt, hash of
 * its static halves; zeros where there is no delta. */
#define TABLE_BYTES (5 * 4 + HASH_BYTES)
#define CLASS_BYTES (4 + 2 * TABLE_BYTES)
#define MAX_BYTES (1024 + SILENT_MAX_CLASSES * CLASS_BYTES)

static void write_table(struct writer *w, const struct silent_table *t)
{
	writer_u32(w, t->rows);
	writer_u32(w, t->packs);
	writer_u32(w, t->slots);
	writer_u32(w, t->record_bytes);
	writer_u32(w, t->attempt);
	writer_bytes(w, t->static_hash, HASH_BYTES);
}

#define SET(m, field, value) ((m)->has_##field = 1, (m)->field = (value))

enum veil_status wire_collection_write(uint8_t **out, size_t *size, const struct wire_collection *collection)
{
	const struct silent_collection *c = &collection->collection;
	uint8_t classes[SILENT_MAX_CLASSES * CLASS_BYTES];
	Wire__Collection m = WIRE__COLLECTION__INIT;
	struct writer w;
	uint8_t *body;

	writer_init(&w, classes, sizeof classes);
	for (unsigned i = 0; i < c->classes; i++) {
		writer_u32(&w, c->class[i].chunks);
		write_table(&w, &c->class[i].base);
		write_table(&w, &c->class[i].delta);
	}
	SET(&m, version, WIRE_VERSION);
	SET(&m, id, wire_view(collection->id, HASH_BYTES));
	SET(&m, name, wire_view(c->name, strlen(c->name)));
	SET(&m, params, wire_view(c->params->name, strlen(c->params->name)));
	SET(&m, access, c->access);
	SET(&m, keys, c->keys);
	SET(&m, records, c->records);
	SET(&m, base_epoch, c->base_epoch);
	SET(&m, epoch, c->epoch);
	SET(&m, classes, wire_view(classes, w.at));
	*size = wire__collection__get_packed_size(&m);
	body = malloc(*size);
	if (!body)
		return VEIL_E_NOMEM;
	REQUIRE(*size <= MAX_BYTES && wire__collection__pack(&m, body) == *size);
	*out = body;
	return VEIL_OK;
}

static bool read_table(struct reader *r, struct silent_table *t)
{
	static const uint8_t zeros[HASH_BYTES];

	t->rows = reader_u32(r);
	t->packs = reader_u32(r);
	t->slots = reader_u32(r);
	t->record_bytes = reader_u32(r);
	t->attempt = reader_u32(r);
	reader_bytes(r, t->static_hash, HASH_BYTES);
	/* No table: nothing else of it either, or one collection would have many forms. */
	return t->rows || !(t->packs || t->slots || t->record_bytes || t->attempt ||
				  memcmp(t->static_hash, zeros, HASH_BYTES));
}

static enum veil_status take_classes(
	struct silent_collection *c, const ProtobufCBinaryData *classes, struct veil_error *err)
{
	struct reader r;

	if (classes->len % CLASS_BYTES || classes->len / CLASS_BYTES < 1 ||
		classes->len / CLASS_BYTES > SILENT_MAX_CLASSES)
		return error_set(err, VEIL_E_MALFORMED,
			"Collection: field classes has %zu bytes, not %d for each of 1 to %d classes",
			classes->len, CLASS_BYTES, SILENT_MAX_CLASSES);
	reader_init(&r, classes->data, classes->len);
	c->classes = (unsigned)(classes->len / CLASS_BYTES);
	for (unsigned i = 0; i < c->classes; i++) {
		c->class[i].chunks = reader_u32(&r);
		if (!read_table(&r, &c->class[i].base) || !read_table(&r, &c->class[i].delta))
			return error_set(err, VEIL_E_MALFORMED,
				"Collection: class %u describes a table without rows", i);
	}
	REQUIRE(reader_done(&r));
	return VEIL_OK;
}

static enum veil_status take(struct wire_collection *out, const Wire__Collection *m, struct veil_error *err)
{
	struct wire_collection w = {.id = {0}};
	struct silent_collection *c = &w.collection;
	struct veil_error why = {{0}};
	enum veil_status st = wire_want_size("Collection", "id", m->id.len, HASH_BYTES, err);

	if (st == VEIL_OK)
		st = wire_find_params(&c->params, &m->params, "Collection", "params", err);
	if (st != VEIL_OK)
		return st;
	if (m->name.len < 1 || m->name.len > SILENT_MAX_NAME || !wire_is_text(m->name.data, m->name.len))
		return error_set(err, VEIL_E_MALFORMED,
			"Collection: name is not 1 to %d bytes of printable UTF-8", SILENT_MAX_NAME);
	if (m->access > SILENT_BY_NUMBER)
		return error_set(
			err, VEIL_E_MALFORMED, "Collection: access is %u, not 0 or 1", (unsigned)m->access);
	memcpy(w.id, m->id.data, HASH_BYTES);
	memcpy(c->name, m->name.data, m->name.len);
	c->access = m->access;
	c->keys = m->keys;
	c->records = m->records;
	c->base_epoch = m->base_epoch;
	c->epoch = m->epoch;
	st = take_classes(c, &m->classes, err);
	if (st != VEIL_OK)
		return st;
	if (silent_collection_check(c, &why) != VEIL_OK)
		return error_set(err, VEIL_E_MALFORMED, "Collection: %s", why.text);
	*out = w;
	return VEIL_OK;
}

enum veil_status wire_collection_read(
	struct wire_collection *out, const void *data, size_t size, struct veil_error *err)
{
	struct arena arena = {0};
	Wire__Collection m;
	enum veil_status st;

	if (size > MAX_BYTES)
		return error_set(
			err, VEIL_E_MALFORMED, "Collection: %zu bytes, more than %d", size, MAX_BYTES);
	st = arena_init(&arena, sizeof m + size + WIRE_SLACK_BYTES);
	if (st != VEIL_OK)
		return error_set(err, st, "no memory for a Collection of %zu bytes", size);
	st = wire_unpack_whole(&wire__collection__descriptor, WIRE_ALL_FIELDS, &m, &arena, data, size, err);
	if (st == VEIL_OK)
		st = take(out, &m, err);
	arena_clear(&arena);
	return st;
}
