/* SPDX-License-Identifier: Apache-2.0 */
#include "store/manifest_json.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "index/label.h"
#include "store/format.h"

static json_t *hex_json(const uint8_t hash[HASH_BYTES])
{
	char hex[HASH_HEX_SIZE];

	hash_hex(hex, hash);
	return json_string(hex);
}

json_t *manifest_file_json(uint64_t bytes, const uint8_t hash[HASH_BYTES])
{
	return json_pack("{s:I, s:o}", "bytes", (json_int_t)bytes, "sha256", hex_json(hash));
}

json_t *manifest_load(const void *data, size_t size, const char *label, struct veil_error *err)
{
	json_error_t bad;
	json_t *top = json_loadb(data, size, JSON_REJECT_DUPLICATES, &bad);

	if (!top)
		error_set(err, VEIL_E_CORRUPT, "%s: line %d, column %d: %s", label, bad.line, bad.column,
			bad.text);
	return top;
}

void manifest_refuse(struct manifest_reading *r, const char *where, const char *key, const char *what)
{
	if (r->st == VEIL_OK)
		r->st = error_set(r->err, VEIL_E_CORRUPT, "%s: %s\"%.64s\" %s", r->label, where, key, what);
}

/* Borrowed from the object, which the caller keeps; NULL after a failure. */
json_t *manifest_take(
	struct manifest_reading *r, json_t *object, const char *where, const char *key, json_type type)
{
	json_t *value = json_object_get(object, key);
	bool number = type == JSON_REAL && json_is_number(value);

	if (r->st != VEIL_OK)
		return NULL;
	if (!value)
		manifest_refuse(r, where, key, "is missing");
	else if (json_typeof(value) != type && !number)
		manifest_refuse(r, where, key, "has the wrong type");
	return r->st == VEIL_OK ? value : NULL;
}

uint64_t manifest_take_integer(struct manifest_reading *r, json_t *object, const char *where, const char *key,
	uint64_t min, uint64_t max)
{
	json_t *value = manifest_take(r, object, where, key, JSON_INTEGER);
	json_int_t n = json_integer_value(value);

	if (value && (n < 0 || (uint64_t)n < min || (uint64_t)n > max)) {
		r->st = error_set(r->err, VEIL_E_CORRUPT, "%s: %s\"%s\" is %lld, not in %llu..%llu", r->label,
			where, key, (long long)n, (unsigned long long)min, (unsigned long long)max);
		return 0;
	}
	return value ? (uint64_t)n : 0;
}

void manifest_refuse_unknown(
	struct manifest_reading *r, json_t *object, const char *where, const char *const *known)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		size_t i;

		for (i = 0; known[i] && strcmp(known[i], key) != 0; i++)
			;
		if (!known[i])
			manifest_refuse(r, where, index_text_valid(key, strlen(key)) ? key : "?",
				"is not a known key");
	}
}

static bool parse_hex(uint8_t out[HASH_BYTES], const char *text)
{
	return strlen(text) == (size_t)2 * HASH_BYTES && bytes_from_hex(out, HASH_BYTES, text);
}

void manifest_take_file(struct manifest_reading *r, json_t *object, const char *where, const char *key,
	uint64_t bytes, uint8_t hash[HASH_BYTES])
{
	static const char *const known[] = {"bytes", "sha256", NULL};
	json_t *file = manifest_take(r, object, where, key, JSON_OBJECT), *text;

	manifest_take_integer(r, file, where, "bytes", bytes, bytes);
	text = manifest_take(r, file, where, "sha256", JSON_STRING);
	if (text && !parse_hex(hash, json_string_value(text)))
		manifest_refuse(r, where, "sha256", "is not 64 hexadecimal digits");
	manifest_refuse_unknown(r, file, where, known);
}

static void refuse_format(struct manifest_reading *r, const char *format, const char *want)
{
	char what[80];

	snprintf(what, sizeof what, "is not %s but %.24s", want,
		index_text_valid(format, strlen(format)) ? format : "?");
	manifest_refuse(r, "", "format", what);
}

void manifest_check_format(struct manifest_reading *r, json_t *top, const char *want)
{
	json_t *format = manifest_take(r, top, "", "format", JSON_STRING),
	       *version = manifest_take(r, top, "", "version", JSON_INTEGER);

	if (!format || !version)
		return;
	if (strcmp(json_string_value(format), want) != 0)
		refuse_format(r, json_string_value(format), want);
	else if (json_integer_value(version) != STORE_VERSION)
		r->st = error_set(r->err, VEIL_E_VERSION,
			"%s: version %lld of the format, this program knows %d: %s", r->label,
			(long long)json_integer_value(version), STORE_VERSION,
			json_integer_value(version) > STORE_VERSION ? "use a newer program"
								    : "build the index again");
}
