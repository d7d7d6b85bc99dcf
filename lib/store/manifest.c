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
#include "store/manifest_json.h"

#define FORMAT "veil-index"
#define MAX_SCALE 65536.0
#define MAX_ROW_NORM 8128 /* 127 * sqrt(NN_MAX_DIM) */

static json_t *shards_json(const struct store_manifest *m)
{
	uint64_t row_bytes = store_table_bytes(m->spec.rows, m->spec.dim);
	uint64_t label_bytes = store_table_bytes(m->spec.rows, m->label_bytes);
	json_t *list = json_array();

	for (uint32_t i = 0; i < m->shards; i++) {
		const struct store_entry *e = m->shard + i;
		json_t *shard = json_pack("{s:I, s:o}", "used", (json_int_t)e->used, "rows",
			manifest_file_json(row_bytes, e->rows_hash));

		if (m->label_bytes)
			json_object_set_new(shard, "labels", manifest_file_json(label_bytes, e->labels_hash));
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
		manifest_file_json(codebook, m->codebook_hash), "shard", shards_json(m));
	if (m->sealed && top)
		json_object_set_new(top, "sealed", json_string(m->sealed->name));
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

static void read_shard(struct manifest_reading *r, struct store_manifest *m, uint32_t i, json_t *shard)
{
	static const char *const with[] = {"used", "rows", "labels", NULL}, *const without[] = {
										    "used", "rows", NULL};
	char where[40];

	snprintf(where, sizeof where, "shard %u: ", i);
	if (!json_is_object(shard)) {
		manifest_refuse(r, where, "shard", "has the wrong type");
		return;
	}
	m->shard[i].used = (uint32_t)manifest_take_integer(r, shard, where, "used", 0, m->spec.rows);
	manifest_take_file(
		r, shard, where, "rows", store_table_bytes(m->spec.rows, m->spec.dim), m->shard[i].rows_hash);
	if (m->label_bytes)
		manifest_take_file(r, shard, where, "labels", store_table_bytes(m->spec.rows, m->label_bytes),
			m->shard[i].labels_hash);
	manifest_refuse_unknown(r, shard, where, m->label_bytes ? with : without);
}

static void read_shards(struct manifest_reading *r, struct store_manifest *m, json_t *top)
{
	json_t *list = manifest_take(r, top, "", "shard", JSON_ARRAY);

	if (!list)
		return;
	if (json_array_size(list) != m->shards) {
		manifest_refuse(r, "", "shard", "has not as many entries as \"shards\" says");
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

static void read_texts(struct manifest_reading *r, struct store_manifest *m, json_t *top)
{
	json_t *name = manifest_take(r, top, "", "name", JSON_STRING),
	       *params = manifest_take(r, top, "", "params", JSON_STRING);

	if (!name || !params)
		return;
	if (json_string_length(name) > STORE_MAX_NAME_BYTES)
		manifest_refuse(r, "", "name", "is too long");
	m->name = strdup(json_string_value(name));
	if (!m->name)
		r->st = error_set(r->err, VEIL_E_NOMEM, "%s: out of memory", r->label);
	m->spec.params = rlwe_params_find(json_string_value(params));
	if (!m->spec.params)
		manifest_refuse(r, "", "params", "is no known parameter set");
}

/* It may be missing. */
static void read_sealed(struct manifest_reading *r, struct store_manifest *m, json_t *top)
{
	json_t *params =
		json_object_get(top, "sealed") ? manifest_take(r, top, "", "sealed", JSON_STRING) : NULL;

	if (!params)
		return;
	m->sealed = rlwe_params_find(json_string_value(params));
	if (!m->sealed || m->sealed->use != RLWE_USE_SEALED)
		manifest_refuse(r, "", "sealed", "is no known parameter set of sealed search");
}

static void read_top(struct manifest_reading *r, struct store_manifest *m, json_t *top)
{
	static const char *const known[] = {"format", "version", "name", "params", "dim", "rows", "terms",
		"row_norm", "scale", "shards", "label_bytes", "records", "codebook", "shard", "sealed", NULL};
	struct nn_spec *s = &m->spec;

	if (!json_is_object(top)) {
		manifest_refuse(r, "", "manifest", "is not an object");
		return;
	}
	manifest_check_format(r, top, FORMAT);
	manifest_refuse_unknown(r, top, "", known);
	read_texts(r, m, top);
	read_sealed(r, m, top);
	s->dim = (uint32_t)manifest_take_integer(r, top, "", "dim", 1, NN_MAX_DIM);
	s->rows = (uint32_t)manifest_take_integer(r, top, "", "rows", 1, NN_MAX_ROWS);
	s->terms = (uint32_t)manifest_take_integer(r, top, "", "terms", 1, s->dim);
	s->row_norm = (uint32_t)manifest_take_integer(r, top, "", "row_norm", 1, MAX_ROW_NORM);
	s->scale = (float)json_number_value(manifest_take(r, top, "", "scale", JSON_REAL));
	m->shards = (uint32_t)manifest_take_integer(r, top, "", "shards", 1, INDEX_MAX_SHARDS);
	m->label_bytes = (uint32_t)manifest_take_integer(r, top, "", "label_bytes", 0, INDEX_MAX_LABEL_BYTES);
	m->records = manifest_take_integer(r, top, "", "records", 1, INDEX_NO_RECORD - 1);
	manifest_take_file(
		r, top, "codebook: ", "codebook", index_codebook_bytes(m->shards, s->dim), m->codebook_hash);
	read_shards(r, m, top);
	if (r->st == VEIL_OK)
		r->st = store_manifest_check(m, r->label, r->err);
}

enum veil_status store_manifest_read(
	struct store_manifest *m, const void *data, size_t size, const char *label, struct veil_error *err)
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
