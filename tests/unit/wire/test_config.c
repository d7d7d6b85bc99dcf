/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "craft.h"

#define FIELDS 16

static struct wire_config sample(void)
{
	struct wire_config c = {.spec = {.params = rlwe_params_find("search_n2048_q28"),
					.dim = 128,
					.rows = 4096,
					.terms = 16,
					.row_norm = 131,
					.scale = 126.5f},
		.shards = 0x01020304,
		.label_bytes = 16,
		.records = 0x0102030405060708,
		.codebook_bytes = 4112,
		.query_bytes = 94290,
		.reply_bytes = 137263};

	memset(c.index_id, 1, HASH_BYTES);
	memset(c.codebook_hash, 2, HASH_BYTES);
	cr_assert(wire_config_set_name(&c, "Émoji – ひらめき \xf0\x9f\x98\x80"));
	return c;
}

/* The same as sample(), field by field. */
static void sample_fields(struct craft_field f[FIELDS])
{
	static const uint32_t numbers[FIELDS] = {
		WIRE_VERSION, 0, 0, 0, 128, 4096, 16, 131, 0, 0x01020304, 16, 0, 0, 4112, 94290, 137263};
	float scale = 126.5f;
	uint32_t bits;

	memcpy(&bits, &scale, sizeof bits);
	for (uint32_t i = 0; i < FIELDS; i++)
		f[i] = (struct craft_field){i + 1, CRAFT_FIXED32, numbers[i], 0, NULL};
	f[1] = (struct craft_field){2, CRAFT_BYTES, 1, HASH_BYTES, NULL};
	f[2] = (struct craft_field){3, CRAFT_BYTES, 'n', 4, NULL};
	f[3] = (struct craft_field){4, CRAFT_BYTES, 0, 16, "search_n2048_q28"};
	f[8].value = bits;
	f[11] = (struct craft_field){12, CRAFT_FIXED64, 0x0102030405060708, 0, NULL};
	f[12] = (struct craft_field){13, CRAFT_BYTES, 2, HASH_BYTES, NULL};
}

static enum veil_status read_fields(
	struct wire_config *c, const struct craft_field *f, size_t count, struct veil_error *err)
{
	uint8_t body[2048];

	return wire_config_read(c, body, craft_message(body, sizeof body, f, count), err);
}

Test(config, comes_back_as_it_was_written)
{
	struct wire_config c = sample(), got;
	uint8_t *body = NULL;
	size_t size = 0;

	cr_assert(wire_config_write(&body, &size, &c) == VEIL_OK);
	memset(&got, 0xff, sizeof got);
	cr_assert(wire_config_read(&got, body, size, NULL) == VEIL_OK);
	cr_assert(memcmp(got.index_id, c.index_id, HASH_BYTES) == 0);
	cr_assert(memcmp(got.codebook_hash, c.codebook_hash, HASH_BYTES) == 0);
	cr_assert_str_eq(got.name, c.name);
	cr_assert_eq(got.spec.params, c.spec.params);
	cr_assert_eq(got.spec.dim, c.spec.dim);
	cr_assert_eq(got.spec.rows, c.spec.rows);
	cr_assert_eq(got.spec.terms, c.spec.terms);
	cr_assert_eq(got.spec.row_norm, c.spec.row_norm);
	cr_assert(got.spec.scale == c.spec.scale);
	cr_assert_not(got.spec.allow_insecure);
	cr_assert_eq(got.shards, c.shards);
	cr_assert_eq(got.label_bytes, c.label_bytes);
	cr_assert_eq(got.records, c.records);
	cr_assert_eq(got.codebook_bytes, c.codebook_bytes);
	cr_assert_eq(got.query_bytes, c.query_bytes);
	cr_assert_eq(got.reply_bytes, c.reply_bytes);
	free(body);
}

Test(config, has_the_fields_of_the_schema)
{
	struct craft_field f[FIELDS];
	struct wire_config c = sample();
	uint8_t want[2048], *body = NULL;
	size_t size = 0;

	sample_fields(f);
	cr_assert(wire_config_set_name(&c, "nnnn"));
	cr_assert(wire_config_write(&body, &size, &c) == VEIL_OK);
	cr_assert_eq(size, craft_message(want, sizeof want, f, FIELDS));
	cr_assert(memcmp(want, body, size) == 0);
	free(body);
}

Test(config, cut_at_any_byte_or_without_a_field_is_refused_and_changes_nothing)
{
	struct craft_field f[FIELDS], rest[FIELDS];
	struct wire_config c, before;
	struct veil_error err;
	uint8_t body[2048];
	size_t size;

	memset(&c, 0x5a, sizeof c);
	before = c;
	sample_fields(f);
	size = craft_message(body, sizeof body, f, FIELDS);
	for (size_t cut = 0; cut < size; cut++)
		cr_assert(wire_config_read(&c, body, cut, &err) == VEIL_E_MALFORMED, "cut at %zu", cut);
	for (size_t i = 0; i < FIELDS; i++) {
		memcpy(rest, f, i * sizeof *f);
		memcpy(rest + i, f + i + 1, (FIELDS - 1 - i) * sizeof *f);
		cr_assert(read_fields(&c, rest, FIELDS - 1, &err) == VEIL_E_MALFORMED);
		cr_assert_not_null(strstr(err.text, "missing"), "%s", err.text);
	}
	cr_assert(memcmp(&c, &before, sizeof c) == 0);
}

Test(config, sealed_search_is_said_in_three_fields_or_none)
{
	static const struct craft_field all[3] = {{17, CRAFT_BYTES, 0, 16, "sealed_n2048_q40"},
		{18, CRAFT_BYTES, 3, HASH_BYTES, NULL}, {19, CRAFT_BYTES, 4, HASH_BYTES, NULL}};
	struct wire_config c = sample(), got;
	struct craft_field f[FIELDS + 3];
	struct veil_error err;
	uint8_t *body = NULL;
	size_t size = 0;

	c.sealed = rlwe_params_find("sealed_n2048_q40");
	memset(c.static_hash, 3, HASH_BYTES);
	memset(c.labels_hash, 4, HASH_BYTES);
	cr_assert(wire_config_write(&body, &size, &c) == VEIL_OK);
	cr_assert(wire_config_read(&got, body, size, NULL) == VEIL_OK);
	cr_assert_eq(got.sealed, c.sealed);
	cr_assert_arr_eq(got.static_hash, c.static_hash, HASH_BYTES);
	cr_assert_arr_eq(got.labels_hash, c.labels_hash, HASH_BYTES);
	free(body);
	sample_fields(f);
	for (unsigned have = 0; have < 8; have++) { /* a bit a field */
		size_t count = FIELDS;

		for (unsigned k = 0; k < 3; k++)
			if (have >> k & 1)
				f[count++] = all[k];
		memset(&got, 0, sizeof got);
		cr_assert_eq(read_fields(&got, f, count, &err),
			have == 0 || have == 7 ? VEIL_OK : VEIL_E_MALFORMED, "fields %x", have);
		cr_assert_eq(got.sealed != NULL, have == 7);
	}
	for (unsigned k = 0; k < 3; k++) {
		memcpy(f + FIELDS, all, sizeof all);
		f[FIELDS + k].size--;
		cr_assert_neq(read_fields(&got, f, FIELDS + 3, &err), VEIL_OK);
	}
}

Test(config, values_that_make_no_sense_are_refused_by_name)
{
	float nan = NAN, negative = -1;
	uint32_t nan_bits, negative_bits;

	memcpy(&nan_bits, &nan, sizeof nan_bits);
	memcpy(&negative_bits, &negative, sizeof negative_bits);
	const struct {
		int field;
		struct craft_field value;
		enum veil_status want;
		const char *words;
	} cases[] = {
		{0, {1, CRAFT_FIXED32, 9, 0, NULL}, VEIL_E_VERSION, "version 9"},
		{1, {2, CRAFT_BYTES, 0, 31, NULL}, VEIL_E_MALFORMED, "index_id"},
		{2, {3, CRAFT_BYTES, 'a', 128, NULL}, VEIL_E_MALFORMED, "name"},
		{2, {3, CRAFT_BYTES, 0, 1, NULL}, VEIL_E_MALFORMED, "name"},
		{3, {4, CRAFT_BYTES, 0, 4, "none"}, VEIL_E_UNSUPPORTED, "'none'"},
		{3, {4, CRAFT_BYTES, 'a', 200, NULL}, VEIL_E_MALFORMED, "params"},
		{8, {9, CRAFT_FIXED32, 0, 0, NULL}, VEIL_E_MALFORMED, "scale"},
		{8, {9, CRAFT_FIXED32, nan_bits, 0, NULL}, VEIL_E_MALFORMED, "scale"},
		{8, {9, CRAFT_FIXED32, negative_bits, 0, NULL}, VEIL_E_MALFORMED, "scale"},
		{9, {10, CRAFT_FIXED32, 0, 0, NULL}, VEIL_E_MALFORMED, "shards"},
		{10, {11, CRAFT_FIXED32, 25, 0, NULL}, VEIL_E_MALFORMED, "label_bytes"},
		{12, {13, CRAFT_BYTES, 0, 33, NULL}, VEIL_E_MALFORMED, "codebook_hash"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct craft_field f[FIELDS];
		struct wire_config c;
		struct veil_error err = {{0}};

		sample_fields(f);
		f[cases[i].field] = cases[i].value;
		cr_assert(read_fields(&c, f, FIELDS, &err) == cases[i].want, "case %zu: %s", i, err.text);
		cr_assert_not_null(strstr(err.text, cases[i].words), "case %zu: %s", i, err.text);
	}
}

Test(config, unknown_and_doubled_fields_and_huge_bodies_are_refused)
{
	static uint8_t huge[WIRE_MAX_CONFIG_BYTES + 1];
	struct craft_field f[FIELDS + 1];
	struct wire_config c;
	struct veil_error err;

	sample_fields(f);
	f[FIELDS] = (struct craft_field){20, CRAFT_FIXED32, 1, 0, NULL};
	cr_assert(read_fields(&c, f, FIELDS + 1, &err) == VEIL_E_MALFORMED);
	cr_assert_not_null(strstr(err.text, "unknown field 20"));
	f[FIELDS] = f[4];
	cr_assert(read_fields(&c, f, FIELDS + 1, &err) == VEIL_E_MALFORMED);
	cr_assert_not_null(strstr(err.text, "twice"));
	cr_assert(wire_config_read(&c, huge, sizeof huge, &err) == VEIL_E_MALFORMED);
}

Test(config, names_are_printable_utf8_of_at_most_127_bytes)
{
	static const char *const good[] = {
		"", "a", "é", "日本", "\xf0\x9f\x98\x80", "\xc2\xa0", "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\n", "a\x1b[31m", "\x7f", "\x80", "\xc3", "\xc0\x80", "\xc2\x9b",
		"\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
		"\xf8\x88\x80\x80\x80", "\xe6\x97", "a\xff"};
	struct wire_config c = {0};
	char name[WIRE_MAX_NAME_BYTES + 2];

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		cr_assert(wire_config_set_name(&c, good[i]), "good %zu", i);
	cr_assert(wire_config_set_name(&c, "kept"));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert_not(wire_config_set_name(&c, bad[i]), "bad %zu", i);
	memset(name, 'x', sizeof name);
	name[WIRE_MAX_NAME_BYTES + 1] = 0;
	cr_assert_not(wire_config_set_name(&c, name));
	cr_assert_str_eq(c.name, "kept");
	name[WIRE_MAX_NAME_BYTES] = 0;
	cr_assert(wire_config_set_name(&c, name));
	cr_assert_str_eq(c.name, name);
}
