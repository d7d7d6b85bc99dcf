/* SPDX-License-Identifier: Apache-2.0 */
#include "store/manifest_kv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "index/label.h"
#include "store/format.h"
#include "store/manifest_json.h"

#define FORMAT "veil-kv"

static const char *const access_names[] = {[SILENT_BY_KEY] = "key", [SILENT_BY_NUMBER] = "number"};

void store_kv_name(char out[STORE_KV_NAME_SIZE], enum store_kv_file file, unsigned table, uint32_t pack)
{
	if (file == STORE_KV_STATIC)
		snprintf(out, STORE_KV_NAME_SIZE, "static-%02u.bin", table);
	else
		snprintf(out, STORE_KV_NAME_SIZE, "%s-%02u-%05u.bin",
			file == STORE_KV_TABLE ? "table" : "material", table, pack);
}

uint64_t store_kv_bytes(const struct silent_collection *c, enum store_kv_file file, unsigned table)
{
	const struct silent_table *t = silent_collection_table(c, table).table;

	if (file == STORE_KV_TABLE)
		return (uint64_t)t->rows << c->params->log_n;
	if (file == STORE_KV_MATERIAL)
		return silent_material_bytes(c->params);
	return (uint64_t)t->packs * silent_static_bytes(c->params);
}

enum veil_status store_kv_manifest_packs(struct store_kv_manifest *m)
{
	const unsigned tables = silent_collection_tables(&m->collection);

	for (unsigned t = 0; t < tables; t++) {
		m->pack[t] =
			calloc(silent_collection_table(&m->collection, t).table->packs, sizeof **m->pack);
		if (!m->pack[t])
			return VEIL_E_NOMEM;
	}
	return VEIL_OK;
}

void store_kv_manifest_clear(struct store_kv_manifest *m)
{
	for (unsigned t = 0; t < SILENT_MAX_TABLES; t++)
		free(m->pack[t]);
	memset(m, 0, sizeof *m);
}

static json_t *table_json(const struct store_kv_manifest *m, unsigned t)
{
	const struct silent_collection *c = &m->collection;
	const struct silent_table *table = silent_collection_table(c, t).table;
	json_t *packs = json_array();

	for (uint32_t p = 0; p < table->packs; p++)
		json_array_append_new(
			packs, json_pack("{s:o, s:o}", "table",
				       manifest_file_json(store_kv_bytes(c, STORE_KV_TABLE, t),
					       m->pack[t][p].table_hash),
				       "material",
				       manifest_file_json(store_kv_bytes(c, STORE_KV_MATERIAL, t),
					       m->pack[t][p].material_hash)));
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "rows", (json_int_t)table->rows, "packs",
		(json_int_t)table->packs, "slots", (json_int_t)table->slots, "record_bytes",
		(json_int_t)table->record_bytes, "attempt", (json_int_t)table->attempt, "static",
		manifest_file_json(store_kv_bytes(c, STORE_KV_STATIC, t), table->static_hash), "pack", packs);
}

static json_t *classes_json(const struct store_kv_manifest *m)
{
	const struct silent_collection *c = &m->collection;
	json_t *list = json_array();

	for (unsigned i = 0, t = 0; i < c->classes; i++) {
		json_t *class = json_pack(
			"{s:I, s:o}", "chunks", (json_int_t)c->class[i].chunks, "base", table_json(m, t++));

		if (c->class[i].delta.rows)
			json_object_set_new(class, "delta", table_json(m, t++));
		json_array_append_new(list, class);
	}
	return list;
}

enum veil_status store_kv_manifest_write(char **out, size_t *size, const struct store_kv_manifest *m)
{
	const struct silent_collection *c = &m->collection;
	struct store_kv_manifest again;
	json_t *top;

	top = json_pack("{s:s, s:i, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "format", FORMAT, "version",
		STORE_VERSION, "name", c->name, "params", c->params->name, "access", access_names[c->access],
		"keys", (json_int_t)c->keys, "records", (json_int_t)c->records, "base_epoch",
		(json_int_t)c->base_epoch, "epoch", (json_int_t)c->epoch, "class", classes_json(m));
	*out = top ? json_dumps(top, JSON_INDENT(1)) : NULL;
	*size = *out ? strlen(*out) : 0;
	json_decref(top);
	/* Out of memory, jansson leaves keys and pieces of text out and does not say so. */
	if (!*out || store_kv_manifest_read(&again, *out, *size, "", NULL) != VEIL_OK) {
		free(*out);
		*out = NULL;
		*size = 0;
		return VEIL_E_NOMEM;
	}
	store_kv_manifest_clear(&again);
	return VEIL_OK;
}

static void read_shape(struct manifest_reading *r, json_t *object, const char *where, struct silent_table *t)
{
	static const char *const known[] = {
		"rows", "packs", "slots", "record_bytes", "attempt", "static", "pack", NULL};

	t->rows = (uint32_t)manifest_take_integer(r, object, where, "rows", 1, SILENT_MAX_ROWS);
	t->packs = (uint32_t)manifest_take_integer(r, object, where, "packs", 1, SILENT_MAX_PACKS);
	t->slots = (uint32_t)manifest_take_integer(r, object, where, "slots", 1, UINT32_MAX);
	t->record_bytes = (uint32_t)manifest_take_integer(r, object, where, "record_bytes", 1, UINT32_MAX);
	t->attempt = (uint32_t)manifest_take_integer(r, object, where, "attempt", 0, UINT32_MAX);
	manifest_refuse_unknown(r, object, where, known);
}

static void read_classes(struct manifest_reading *r, struct silent_collection *c, json_t *list)
{
	static const char *const known[] = {"chunks", "base", "delta", NULL};

	if (!list)
		return;
	if (json_array_size(list) < 1 || json_array_size(list) > SILENT_MAX_CLASSES) {
		manifest_refuse(r, "", "class", "has not 1..4 entries");
		return;
	}
	c->classes = (unsigned)json_array_size(list);
	for (unsigned i = 0; i < c->classes && r->st == VEIL_OK; i++) {
		json_t *class = json_array_get(list, i);
		char where[40];

		snprintf(where, sizeof where, "class %u: ", i);
		if (!json_is_object(class)) {
			manifest_refuse(r, where, "class", "has the wrong type");
			return;
		}
		manifest_refuse_unknown(r, class, where, known);
		c->class[i].chunks =
			(uint32_t)manifest_take_integer(r, class, where, "chunks", 1, SILENT_MAX_LOOKUPS);
		read_shape(r, manifest_take(r, class, where, "base", JSON_OBJECT), where, &c->class[i].base);
		if (json_object_get(class, "delta"))
			read_shape(r, manifest_take(r, class, where, "delta", JSON_OBJECT), where,
				&c->class[i].delta);
	}
}

/* The files of table t, whose shape has been checked. */
static void read_files(struct manifest_reading *r, struct store_kv_manifest *m, unsigned t, json_t *object,
	const char *where)
{
	static const char *const known[] = {"table", "material", NULL};
	const struct silent_collection *c = &m->collection;
	const struct silent_table_view view = silent_collection_table(c, t);
	struct silent_class *class = &m->collection.class[view.class];
	json_t *list = manifest_take(r, object, where, "pack", JSON_ARRAY);

	manifest_take_file(r, object, where, "static", store_kv_bytes(c, STORE_KV_STATIC, t),
		(view.delta ? &class->delta : &class->base)->static_hash);
	if (r->st == VEIL_OK && json_array_size(list) != view.table->packs)
		manifest_refuse(r, where, "pack", "has not as many entries as \"packs\" says");
	for (uint32_t p = 0; p < view.table->packs && r->st == VEIL_OK; p++) {
		json_t *pack = json_array_get(list, p);

		if (!json_is_object(pack)) {
			manifest_refuse(r, where, "pack", "has the wrong type");
			return;
		}
		manifest_take_file(r, pack, where, "table", store_kv_bytes(c, STORE_KV_TABLE, t),
			m->pack[t][p].table_hash);
		manifest_take_file(r, pack, where, "material", store_kv_bytes(c, STORE_KV_MATERIAL, t),
			m->pack[t][p].material_hash);
		manifest_refuse_unknown(r, pack, where, known);
	}
}

static void read_texts(struct manifest_reading *r, struct silent_collection *c, json_t *top)
{
	json_t *name = manifest_take(r, top, "", "name", JSON_STRING);
	json_t *params = manifest_take(r, top, "", "params", JSON_STRING);
	json_t *access = manifest_take(r, top, "", "access", JSON_STRING);
	const char *text = json_string_value(name);

	if (!name || !params || !access)
		return;
	if (json_string_length(name) > SILENT_MAX_NAME || !index_text_valid(text, json_string_length(name)))
		manifest_refuse(r, "", "name", "holds a control character or is too long");
	else
		snprintf(c->name, sizeof c->name, "%s", text);
	c->params = rlwe_params_find(json_string_value(params));
	if (!c->params)
		manifest_refuse(r, "", "params", "is no known parameter set");
	if (strcmp(json_string_value(access), access_names[SILENT_BY_NUMBER]) == 0)
		c->access = SILENT_BY_NUMBER;
	else if (strcmp(json_string_value(access), access_names[SILENT_BY_KEY]) != 0)
		manifest_refuse(r, "", "access", "is neither \"key\" nor \"number\"");
}

static void read_top(struct manifest_reading *r, struct store_kv_manifest *m, json_t *top)
{
	static const char *const known[] = {"format", "version", "name", "params", "access", "keys",
		"records", "base_epoch", "epoch", "class", NULL};
	struct silent_collection *c = &m->collection;
	struct veil_error why;
	json_t *classes;

	if (!json_is_object(top)) {
		manifest_refuse(r, "", "manifest", "is not an object");
		return;
	}
	manifest_check_format(r, top, FORMAT);
	manifest_refuse_unknown(r, top, "", known);
	read_texts(r, c, top);
	c->keys = (uint32_t)manifest_take_integer(r, top, "", "keys", 1, SILENT_MAX_KEYS);
	c->records = manifest_take_integer(r, top, "", "records", 0, INT64_MAX);
	c->base_epoch = manifest_take_integer(r, top, "", "base_epoch", 1, INT64_MAX);
	c->epoch = manifest_take_integer(r, top, "", "epoch", 1, INT64_MAX);
	classes = manifest_take(r, top, "", "class", JSON_ARRAY);
	read_classes(r, c, classes);
	if (r->st == VEIL_OK && silent_collection_check(c, &why) != VEIL_OK)
		r->st = error_set(r->err, VEIL_E_CORRUPT, "%s: %.300s", r->label, why.text);
	if (r->st == VEIL_OK && store_kv_manifest_packs(m) != VEIL_OK)
		r->st = error_set(r->err, VEIL_E_NOMEM, "%s: out of memory", r->label);
	for (unsigned t = 0; r->st == VEIL_OK && t < silent_collection_tables(c); t++) {
		const struct silent_table_view view = silent_collection_table(c, t);
		const char *key = view.delta ? "delta" : "base";
		char where[40];

		snprintf(where, sizeof where, "class %u, %s: ", view.class, key);
		read_files(r, m, t, json_object_get(json_array_get(classes, view.class), key), where);
	}
}

enum veil_status store_kv_manifest_read(
	struct store_kv_manifest *m, const void *data, size_t size, const char *label, struct veil_error *err)
{
	struct manifest_reading r = {label, err, VEIL_OK};
	json_t *top;

	memset(m, 0, sizeof *m);
	top = manifest_load(data, size, label, err);
	if (!top)
		return VEIL_E_CORRUPT;
	read_top(&r, m, top);
	json_decref(top);
	if (r.st != VEIL_OK)
		store_kv_manifest_clear(m);
	return r.st;
}

bool store_kv_manifest_is(const void *data, size_t size)
{
	json_t *top = json_loadb(data, size, 0, NULL);
	const char *format = json_string_value(json_object_get(top, "format"));
	const bool is = format && strcmp(format, FORMAT) == 0;

	json_decref(top);
	return is;
}
