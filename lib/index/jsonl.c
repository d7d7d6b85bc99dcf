/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "index/formats.h"
#include "index/label.h"
#include "index/lines.h"

struct input {
	struct index_vectors *v;
	struct index_lines lines;
	struct index_texts ids;
	uint64_t room; /* rows that v->values can hold */
};

/* "FILE: row R (line L): ..." */
static enum veil_status refuse(const struct input *in, struct veil_error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static enum veil_status refuse(const struct input *in, struct veil_error *err, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	return error_set(err, VEIL_E_INVALID, "%s: row %u (line %llu): %s", in->v->label, in->v->rows,
		(unsigned long long)in->lines.number, what);
}

static enum veil_status no_memory(const struct input *in, struct veil_error *err)
{
	return error_set(err, VEIL_E_NOMEM, "%s: out of memory at row %u", in->v->label, in->v->rows);
}

static enum veil_status add_text(const struct input *in, struct index_texts *to, const char *key,
	const json_t *value, struct veil_error *err)
{
	const char *text = json_string_value(value);
	size_t size = json_string_length(value);
	char number[32];

	if (json_is_integer(value)) {
		snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
		text = number;
		size = strlen(number);
	}
	if (size > INDEX_MAX_NAME_BYTES)
		return refuse(in, err, "\"%s\" is longer than %u bytes", key, INDEX_MAX_NAME_BYTES);
	if (!index_text_valid(text, size))
		return refuse(in, err, "\"%s\" holds a control character", key);
	return index_texts_add(to, text, size) == VEIL_OK ? VEIL_OK : no_memory(in, err);
}

static enum veil_status read_texts(struct input *in, const json_t *object, struct veil_error *err)
{
	const json_t *id = json_object_get(object, "id"), *name = json_object_get(object, "name");
	enum veil_status st;

	if (!id)
		return refuse(in, err, "no \"id\"");
	if (!json_is_integer(id) && !json_is_string(id))
		return refuse(in, err, "\"id\" is neither text nor an integer");
	if (json_is_string(id) && json_string_length(id) == 0)
		return refuse(in, err, "\"id\" is empty");
	if (name && !json_is_string(name))
		return refuse(in, err, "\"name\" is not text");
	st = add_text(in, &in->ids, "id", id, err);
	if (st != VEIL_OK)
		return st;
	return add_text(in, &in->v->names, name ? "name" : "id", name ? name : id, err);
}

static enum veil_status grow(struct input *in, struct veil_error *err)
{
	uint64_t room = in->room * 2 + 64;
	float *values;

	if (in->v->rows < in->room)
		return VEIL_OK;
	values = reallocarray(in->v->values, room, (size_t)in->v->dim * sizeof *values);
	if (!values)
		return no_memory(in, err);
	in->v->values = values;
	in->room = room;
	return VEIL_OK;
}

static enum veil_status read_vector(struct input *in, const json_t *object, struct veil_error *err)
{
	const json_t *vector = json_object_get(object, "vector");
	struct index_vectors *v = in->v;
	size_t dim = json_array_size(vector);
	char why[INDEX_WHY_SIZE];
	enum veil_status st;
	float *row;

	if (!json_is_array(vector))
		return refuse(in, err, vector ? "\"vector\" is not an array" : "no \"vector\"");
	if (dim < 1 || dim > INDEX_MAX_DIM)
		return refuse(in, err, "dimension %zu, not in 1..%u", dim, INDEX_MAX_DIM);
	if (v->rows == 0)
		v->dim = (uint32_t)dim;
	if (dim != v->dim)
		return refuse(in, err, "dimension %zu where row 0 has %u", dim, v->dim);
	st = grow(in, err);
	if (st != VEIL_OK)
		return st;
	row = v->values + (size_t)v->rows * v->dim;
	for (size_t j = 0; j < dim; j++) {
		const json_t *value = json_array_get(vector, j);

		if (!json_is_number(value))
			return refuse(in, err, "coordinate %zu is not a number", j);
		row[j] = (float)json_number_value(value);
	}
	return index_row_ok(row, v->dim, why) ? VEIL_OK : refuse(in, err, "%s", why);
}

static bool is_blank(const char *line, size_t size)
{
	size_t i = 0;

	while (i < size && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r'))
		i++;
	return i == size;
}

static enum veil_status read_line(struct input *in, const char *line, size_t size, struct veil_error *err)
{
	enum veil_status st;
	json_error_t bad;
	json_t *object;
	const char *key;
	json_t *value;

	if (in->v->rows == INDEX_MAX_ROWS)
		return refuse(in, err, "more than %u rows", INDEX_MAX_ROWS);
	if (is_blank(line, size))
		return refuse(in, err, "a blank line; each line is a row");
	object = json_loadb(line, size, JSON_REJECT_DUPLICATES, &bad);
	if (!object)
		return refuse(in, err, "not JSON at column %d: %s", bad.column, bad.text);
	st = json_is_object(object) ? VEIL_OK : refuse(in, err, "not a JSON object");
	json_object_foreach(object, key, value)
	{
		if (st == VEIL_OK && strcmp(key, "id") && strcmp(key, "vector") && strcmp(key, "name"))
			st = refuse(in, err,
				"unknown key \"%.64s\"; known are \"id\", \"vector\" and \"name\"",
				index_text_valid(key, strlen(key)) ? key : "?");
	}
	if (st == VEIL_OK)
		st = read_vector(in, object, err);
	if (st == VEIL_OK)
		st = read_texts(in, object, err);
	json_decref(object);
	return st;
}

/* With the order that check_ids sorts. */
static enum veil_status check_memory(const struct input *in, struct veil_error *err)
{
	uint64_t bytes = index_vectors_held(in->v) + index_texts_bytes(&in->ids) + in->v->rows * (uint64_t)8;

	if (!in->v->limit || bytes <= in->v->limit)
		return VEIL_OK;
	return refuse(in, err,
		"JSON lines are held in memory, and up to here take more than the %lluM that are left for "
		"them; .npy and .fvecs are read piece by piece",
		(unsigned long long)(in->v->limit >> 20));
}

static enum veil_status check_ids(const struct input *in, struct veil_error *err)
{
	uint32_t first, second;
	enum veil_status st = index_texts_distinct(&in->ids, &first, &second);

	if (st == VEIL_E_NOMEM)
		return no_memory(in, err);
	if (st != VEIL_OK) /* a line is a row: no line is skipped */
		return error_set(err, st,
			"%s: row %u (line %llu): id \"%.64s\" is that of row %u (line %llu)", in->v->label,
			second, second + 1ull, index_texts_get(&in->ids, second), first, first + 1ull);
	return VEIL_OK;
}

enum veil_status index_jsonl_open(struct index_vectors *v, struct veil_error *err)
{
	struct input in = {.v = v};
	enum veil_status st;
	const char *line;
	size_t size;

	st = index_lines_init(&in.lines, v->fd, v->label, INDEX_MAX_LINE_BYTES, err);
	if (st != VEIL_OK)
		return st;
	for (;;) {
		st = index_lines_next(&in.lines, &line, &size, err);
		if (st != VEIL_OK || !line)
			break;
		st = read_line(&in, line, size, err);
		if (st != VEIL_OK)
			break;
		v->rows++;
		st = check_memory(&in, err);
		if (st != VEIL_OK)
			break;
	}
	if (st == VEIL_OK)
		st = check_ids(&in, err);
	index_lines_clear(&in.lines);
	index_texts_clear(&in.ids);
	return st;
}
