/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "index/pairs_inside.h"

/* What a row may hold; unknown keys are errors, or a misspelt one would be an empty value. */
struct row {
	const json_t *key, *value, *hex, *gone;
};

static const char *take(struct row *row, json_t *object)
{
	const char *name;
	json_t *field;

	json_object_foreach(object, name, field)
	{
		const json_t **to = strcmp(name, "key") == 0	 ? &row->key
				    : strcmp(name, "value") == 0 ? &row->value
				    : strcmp(name, "hex") == 0	 ? &row->hex
				    : strcmp(name, "gone") == 0	 ? &row->gone
								 : NULL;

		if (!to)
			return "a field other than \"key\", \"value\", \"hex\" and \"gone\"";
		if (to == &row->gone ? !json_is_true(field) : !json_is_string(field))
			return to == &row->gone ? "\"gone\" is not true" : "a field that is not text";
		*to = field;
	}
	return NULL;
}

static const char *judge(const struct row *row, const struct index_pairs_form *form)
{
	if (form->numbered && row->key)
		return "a \"key\": rows are asked by their number";
	if (!form->numbered && !row->key)
		return "no \"key\"";
	if (row->gone && !form->changes)
		return "\"gone\": there is nothing yet to remove it from";
	if (!!row->value + !!row->hex + !!row->gone != 1)
		return "not one of \"value\" and \"hex\"";
	return NULL;
}

static enum veil_status add(struct index_pairs *p, const struct row *row, uint64_t number, uint8_t *scratch,
	struct veil_error *err)
{
	const json_t *field = row->hex ? row->hex : row->value;
	const char *key = json_string_value(row->key), *text = json_string_value(field);
	size_t key_bytes = json_string_length(row->key), size = json_string_length(field);

	if (!row->hex)
		return pairs_add(p, key, key_bytes, text, size, row->gone, number, err);
	if (size % 2 || !bytes_from_hex(scratch, size / 2, text))
		return pairs_refuse(
			p, number, key, key_bytes, err, "\"hex\" is not pairs of hexadecimal digits");
	return pairs_add(p, key, key_bytes, scratch, size / 2, false, number, err);
}

enum veil_status pairs_json_line(struct index_pairs *p, const struct index_pairs_form *form, const char *line,
	size_t size, uint64_t number, uint8_t *scratch, struct veil_error *err)
{
	struct row row = {0};
	enum veil_status st;
	json_error_t bad;
	json_t *object = json_loadb(line, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &bad);
	const char *wrong;
	char what[256];

	if (!object) {
		snprintf(what, sizeof what, "not JSON at column %d: %s", bad.column, bad.text);
		return pairs_refuse(p, number, NULL, 0, err, what);
	}
	wrong = json_is_object(object) ? take(&row, object) : "not a JSON object";
	if (!wrong)
		wrong = judge(&row, form);
	if (wrong)
		st = pairs_refuse(
			p, number, json_string_value(row.key), json_string_length(row.key), err, wrong);
	else
		st = add(p, &row, number, scratch, err);
	json_decref(object);
	return st;
}
