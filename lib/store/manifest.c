/* SPDX-License-Identifier: Apache-2.0 */
#include "store/manifest.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "index/codebook.h"
#include "index/label.h"
#include "store/format.h"

#define FORMAT "veil-index"
#define MAX_SCALE 65536.0
#define MAX_ROW_NORM 8128 /* 127 * sqrt(NN_MAX_DIM) */

static json_t *hex_json(const uint8_t hash[HASH_BYTES])
{
	char hex[HASH_HEX_SIZE];

	hash_hex(hex, hash);
	return json_string(hex);
}

static json_t *file_json(uint64_t bytes, const uint8_t hash[HASH_BYTES])
{
	return json_pack("{s:I, s:o}", "bytes", (json_int_t)bytes, "sha256", hex_json(hash));
}

static json_t *shards_json(const struct store_manifest *m)
{
	uint64_t row_bytes = store_table_bytes(m->spec.rows, m->spec.dim);
	uint64_t label_bytes = store_table_bytes(m->spec.rows, m->label_bytes);
	json_t *list = json_array();

	for (uint32_t i = 0; i < m->shards; i++) {
		const struct store_entry *e = m->shard + i;
		json_t *shard = json_pack("{s:I, s:o}", "used", (json_int_t)e->used, "rows",
			file_json(row_bytes, e->rows_hash));

		if (m->label_bytes)
			json_object_set_new(shard, "labels", file_json(label_bytes, e->labels_hash));
		json_array_append_new(list, shard);
	}
	return list;
}

/* A NULL from jansson is passed on to the end: running out of memory shows there. */
enum veil_status store_manifest_write(char **out, size_t *size, const struct store_manifest *m)
{
	const struct nn_spec *s = &m->spec;
	size_t codebook = index_codebook_bytes(m->shards, s->dim);
	struct store_manifest again;
	json_t *top;

	top = json_pack("{s:s, s:i, s:s, s:s, s:I, s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:o, s:o}", "format",
		FORMAT, "version", STORE_VERSION, "name", m->name, "params", s->params->name, "dim",
		(json_int_t)s->dim, "rows", (json_int_t)s->rows, "terms", (json_int_t)s->terms, "row_norm",
		(json_int_t)s->row_norm, "scale", (double)s->scale, "shards", (json_int_t)m->shards,
		"label_bytes", (json_int_t)m->label_bytes, "records", (json_int_t)m->records, "codebook",
		file_json(codebook, m->codebook_hash), "shard", shards_json(m));
	*out = top ? json_dumps(top, JSON_INDENT(1)) : NULL;
	*size = *out ? strlen(*out) : 0;
	json_decref(top);
	/* Out of memory, jansson leaves keys and pieces of text out and does not say so. */
	if (!*out || store_manifest_read(&again, *out, *size, "", NULL) != VEIL_OK) {
		free(*out);
		*out = NULL;
		*size = 0;
		return VEIL_E_NOMEM;
	}
	store_manifest_clear(&again);
	return VEIL_OK;
}

/* Reading: every key is taken out of its object, so that what is left is unknown. The first failure sticks.
 */
struct reading {
	const char *label;
	struct veil_error *err;
	enum veil_status st;
};

static void refuse(struct reading *r, const char *where, const char *key, const char *what)
{
	if (r->st == VEIL_OK)
		r->st = error_set(r->err, VEIL_E_CORRUPT, "%s: %s\"%.64s\" %s", r->label, where, key, what);
}

/* Borrowed from the object, which the caller keeps; NULL after a failure. */
static json_t *take(struct reading *r, json_t *object, const char *where, const char *key, json_type type)
{
	json_t *value = json_object_get(object, key);
	bool number = type == JSON_REAL && json_is_number(value);

	if (r->st != VEIL_OK)
		return NULL;
	if (!value)
		refuse(r, where, key, "is missing");
	else if (json_typeof(value) != type && !number)
		refuse(r, where, key, "has the wrong type");
	return r->st == VEIL_OK ? value : NULL;
}

static uint64_t take_integer(
	struct reading *r, json_t *object, const char *where, const char *key, uint64_t min, uint64_t max)
{
	json_t *value = take(r, object, where, key, JSON_INTEGER);
	json_int_t n = json_integer_value(value);

	if (value && (n < 0 || (uint64_t)n < min || (uint64_t)n > max)) {
		r->st = error_set(r->err, VEIL_E_CORRUPT, "%s: %s\"%s\" is %lld, not in %llu..%llu", r->label,
			where, key, (long long)n, (unsigned long long)min, (unsigned long long)max);
		return 0;
	}
	return value ? (uint64_t)n : 0;
}

static void refuse_unknown(struct reading *r, json_t *object, const char *where, const char *const *known)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		size_t i;

		for (i = 0; known[i] && strcmp(known[i], key) != 0; i++)
			;
		if (!known[i])
			refuse(r, where, index_text_valid(key, strlen(key)) ? key : "?",
				"is not a known key");
	}
}

static bool parse_hex(uint8_t out[HASH_BYTES], const char *text)
{
	return strlen(text) == (size_t)2 * HASH_BYTES && bytes_from_hex(out, HASH_BYTES, text);
}

static void take_file(struct reading *r, json_t *object, const char *where, const char *key, uint64_t bytes,
	uint8_t hash[HASH_BYTES])
{
	static const char *const known[] = {"bytes", "sha256", NULL};
	json_t *file = take(r, object, where, key, JSON_OBJECT), *text;

	take_integer(r, file, where, "bytes", bytes, bytes);
	text = take(r, file, where, "sha256", JSON_STRING);
	if (text && !parse_hex(hash, json_string_value(text)))
		refuse(r, where, "sha256", "is not 64 hexadecimal digits");
	refuse_unknown(r, file, where, known);
}

static void read_shard(struct reading *r, struct store_manifest *m, uint32_t i, json_t *shard)
{
	static const char *const with[] = {"used", "rows", "labels", NULL}, *const without[] = {
										    "used", "rows", NULL};
	char where[40];

	snprintf(where, sizeof where, "shard %u: ", i);
	if (!json_is_object(shard)) {
		refuse(r, where, "shard", "has the wrong type");
		return;
	}
	m->shard[i].used = (uint32_t)take_integer(r, shard, where, "used", 0, m->spec.rows);
	take_file(
		r, shard, where, "rows", store_table_bytes(m->spec.rows, m->spec.dim), m->shard[i].rows_hash);
	if (m->label_bytes)
		take_file(r, shard, where, "labels", store_table_bytes(m->spec.rows, m->label_bytes),
			m->shard[i].labels_hash);
	refuse_unknown(r, shard, where, m->label_bytes ? with : without);
}

static void read_shards(struct reading *r, struct store_manifest *m, json_t *top)
{
	json_t *list = take(r, top, "", "shard", JSON_ARRAY);

	if (!list)
		return;
	if (json_array_size(list) != m->shards) {
		refuse(r, "", "shard", "has not as many entries as \"shards\" says");
		return;
	}
	m->shard = calloc(m->shards, sizeof *m->shard);
	if (!m->shard) {
		r->st = error_set(
			r->err, VEIL_E_NOMEM, "%s: out of memory for %u shards", r->label, m->shards);
		return;
	}
	for (uint32_t i = 0; r->st == VEIL_OK && i < m->shards; i++)
		read_shard(r, m, i, json_array_get(list, i));
}

static void read_texts(struct reading *r, struct store_manifest *m, json_t *top)
{
	json_t *name = take(r, top, "", "name", JSON_STRING),
	       *params = take(r, top, "", "params", JSON_STRING);

	if (!name || !params)
		return;
	if (json_string_length(name) > STORE_MAX_NAME_BYTES)
		refuse(r, "", "name", "is too long");
	m->name = strdup(json_string_value(name));
	if (!m->name)
		r->st = error_set(r->err, VEIL_E_NOMEM, "%s: out of memory", r->label);
	m->spec.params = rlwe_params_find(json_string_value(params));
	if (!m->spec.params)
		refuse(r, "", "params", "is no known parameter set");
}

static void check_format(struct reading *r, json_t *top)
{
	json_t *format = take(r, top, "", "format", JSON_STRING),
	       *version = take(r, top, "", "version", JSON_INTEGER);

	if (!format || !version)
		return;
	if (strcmp(json_string_value(format), FORMAT) != 0)
		refuse(r, "", "format", "is not " FORMAT);
	else if (json_integer_value(version) != STORE_VERSION)
		r->st = error_set(r->err, VEIL_E_VERSION,
			"%s: version %lld of the format, this program knows %d: %s", r->label,
			(long long)json_integer_value(version), STORE_VERSION,
			json_integer_value(version) > STORE_VERSION ? "use a newer program"
								    : "build the index again");
}

static void read_top(struct reading *r, struct store_manifest *m, json_t *top)
{
	static const char *const known[] = {"format", "version", "name", "params", "dim", "rows", "terms",
		"row_norm", "scale", "shards", "label_bytes", "records", "codebook", "shard", NULL};
	struct nn_spec *s = &m->spec;

	if (!json_is_object(top)) {
		refuse(r, "", "manifest", "is not an object");
		return;
	}
	check_format(r, top);
	refuse_unknown(r, top, "", known);
	read_texts(r, m, top);
	s->dim = (uint32_t)take_integer(r, top, "", "dim", 1, NN_MAX_DIM);
	s->rows = (uint32_t)take_integer(r, top, "", "rows", 1, NN_MAX_ROWS);
	s->terms = (uint32_t)take_integer(r, top, "", "terms", 1, s->dim);
	s->row_norm = (uint32_t)take_integer(r, top, "", "row_norm", 1, MAX_ROW_NORM);
	s->scale = (float)json_number_value(take(r, top, "", "scale", JSON_REAL));
	m->shards = (uint32_t)take_integer(r, top, "", "shards", 1, INDEX_MAX_SHARDS);
	m->label_bytes = (uint32_t)take_integer(r, top, "", "label_bytes", 0, INDEX_MAX_LABEL_BYTES);
	m->records = take_integer(r, top, "", "records", 1, INDEX_NO_RECORD - 1);
	take_file(
		r, top, "codebook: ", "codebook", index_codebook_bytes(m->shards, s->dim), m->codebook_hash);
	read_shards(r, m, top);
	if (r->st == VEIL_OK)
		r->st = store_manifest_check(m, r->label, r->err);
}

enum veil_status store_manifest_read(
	struct store_manifest *m, const void *data, size_t size, const char *label, struct veil_error *err)
{
	struct reading r = {label, err, VEIL_OK};
	json_error_t bad;
	json_t *top;

	memset(m, 0, sizeof *m);
	top = json_loadb(data, size, JSON_REJECT_DUPLICATES, &bad);
	if (!top)
		return error_set(err, VEIL_E_CORRUPT, "%s: line %d, column %d: %s", label, bad.line,
			bad.column, bad.text);
	read_top(&r, m, top);
	json_decref(top);
	if (r.st != VEIL_OK)
		store_manifest_clear(m);
	return r.st;
}

enum veil_status store_manifest_check(
	const struct store_manifest *m, const char *label, struct veil_error *err)
{
	uint64_t used = 0;

	if (!index_text_valid(m->name, strlen(m->name)) || strlen(m->name) > STORE_MAX_NAME_BYTES)
		return error_set(err, VEIL_E_CORRUPT,
			"%s: \"name\" holds a control character or is longer than %d bytes", label,
			STORE_MAX_NAME_BYTES);
	if (!isfinite(m->spec.scale) || m->spec.scale < 1 || m->spec.scale > MAX_SCALE)
		return error_set(err, VEIL_E_CORRUPT, "%s: \"scale\" is %g, not in 1..%g", label,
			(double)m->spec.scale, MAX_SCALE);
	if (!index_label_bytes_ok(m->label_bytes))
		return error_set(err, VEIL_E_CORRUPT, "%s: \"label_bytes\" is %u, neither 0 nor 4..%d", label,
			m->label_bytes, INDEX_MAX_LABEL_BYTES);
	for (uint32_t i = 0; i < m->shards; i++)
		used += m->shard[i].used;
	if (used < m->records)
		return error_set(err, VEIL_E_CORRUPT,
			"%s: \"records\" is %llu, but only %llu rows are in use", label,
			(unsigned long long)m->records, (unsigned long long)used);
	return VEIL_OK;
}

void store_manifest_clear(struct store_manifest *m)
{
	if (!m)
		return;
	free(m->name);
	free(m->shard);
	memset(m, 0, sizeof *m);
}
