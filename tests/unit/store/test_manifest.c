/* SPDX-License-Identifier: Apache-2.0 */
#include "store/manifest.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

static struct store_entry entries[2] = {{3, {1, 2}, {3}}, {5, {4}, {5}}};
static char name[] = "demo \"\xc3\xa9\"";

static char *make(uint32_t label_bytes)
{
	struct store_manifest m = {.name = name,
		.spec = {.params = rlwe_params_find("search_n2048_q28"),
			.dim = 4,
			.rows = 5,
			.terms = 2,
			.row_norm = 200,
			.scale = 165.545334f},
		.shards = 2,
		.label_bytes = label_bytes,
		.records = 6,
		.codebook_hash = {9},
		.shard = entries};
	char *text;
	size_t size;

	cr_assert_eq(store_manifest_write(&text, &size, &m), VEIL_OK);
	cr_assert_eq(size, strlen(text));
	return text;
}

static enum veil_status read(const char *text, struct veil_error *err)
{
	struct store_manifest m;
	enum veil_status st = store_manifest_read(&m, text, strlen(text), "DIR/manifest.json", err);

	if (st != VEIL_OK)
		cr_assert(!m.name && !m.shard);
	store_manifest_clear(&m);
	return st;
}

/* With the first `from` replaced: refused by a sentence with the file and `why`. */
static void refused(const char *from, const char *to, const char *why)
{
	struct veil_error err = {{0}};
	char *text = make(8), edited[8192], *at = strstr(text, from);
	int size;

	cr_assert(at, "no %s in %s", from, text);
	size = snprintf(edited, sizeof edited, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	cr_assert_lt(size, (int)sizeof edited);
	cr_assert_eq(read(edited, &err), VEIL_E_CORRUPT, "%s -> %s", from, to);
	cr_assert(strstr(err.text, "DIR/manifest.json") && strstr(err.text, why),
		"%s -> %s: want \"%s\" in: %s", from, to, why, err.text);
	free(text);
}

Test(manifest, what_was_written_is_read)
{
	for (uint32_t label_bytes = 0; label_bytes <= 8; label_bytes += 8) {
		char *text = make(label_bytes);
		struct veil_error err = {{0}};
		struct store_manifest m;

		cr_assert_eq(store_manifest_read(&m, text, strlen(text), "m", &err), VEIL_OK, "%s", err.text);
		cr_assert_str_eq(m.name, name);
		cr_assert_str_eq(m.spec.params->name, "search_n2048_q28");
		cr_assert_eq(m.spec.dim, 4);
		cr_assert_eq(m.spec.rows, 5);
		cr_assert_eq(m.spec.terms, 2);
		cr_assert_eq(m.spec.row_norm, 200);
		cr_assert_eq(m.spec.scale, 165.545334f);
		cr_assert_eq(m.spec.allow_insecure, false);
		cr_assert_eq(m.shards, 2);
		cr_assert_eq(m.label_bytes, label_bytes);
		cr_assert_eq(m.records, 6);
		cr_assert_eq(m.codebook_hash[0], 9);
		for (int i = 0; i < 2; i++) {
			cr_assert_eq(m.shard[i].used, entries[i].used);
			cr_assert_arr_eq(m.shard[i].rows_hash, entries[i].rows_hash, HASH_BYTES);
			cr_assert_eq(m.shard[i].labels_hash[0], label_bytes ? entries[i].labels_hash[0] : 0);
		}
		store_manifest_clear(&m);
		free(text);
	}
}

Test(manifest, sealed_search_is_a_key_that_may_be_missing)
{
	char *text = make(8), with[8192];
	struct veil_error err = {{0}};
	struct store_manifest m;
	size_t size = strlen(text);

	cr_assert_eq(store_manifest_read(&m, text, size, "m", &err), VEIL_OK, "%s", err.text);
	cr_assert_null(m.sealed);
	m.sealed = rlwe_params_find("sealed_n2048_q40");
	free(text);
	cr_assert_eq(store_manifest_write(&text, &size, &m), VEIL_OK);
	store_manifest_clear(&m);
	cr_assert_eq(store_manifest_read(&m, text, size, "m", &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(m.sealed, rlwe_params_find("sealed_n2048_q40"));
	store_manifest_clear(&m);
	free(text);
	for (int i = 0; i < 3; i++) {
		static const char *const bad[] = {"\"search_n2048_q28\"", "7", "\"\""};

		text = make(8);
		snprintf(with, sizeof with, "{ \"sealed\": %s,%s", bad[i], text + 1);
		cr_assert_eq(read(with, &err), VEIL_E_CORRUPT);
		cr_assert_not_null(strstr(err.text, "sealed"), "%s", err.text);
		free(text);
	}
}

Test(manifest, missing_and_unknown_keys_are_named)
{
	static const char *const keys[] = {"format", "version", "name", "params", "dim", "rows", "terms",
		"row_norm", "scale", "shards", "label_bytes", "records", "codebook", "shard", "bytes",
		"sha256", "used", "labels"};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		char from[40], to[40], why[60];

		snprintf(from, sizeof from, "\"%s\": ", keys[i]);
		snprintf(to, sizeof to, "\"x%s\": ", keys[i]);
		snprintf(why, sizeof why, "\"%s\" is missing", keys[i]);
		if (strcmp(keys[i], "format") != 0 && strcmp(keys[i], "version") != 0)
			snprintf(why, sizeof why, "%s\"",
				keys[i]); /* the stranger or the gap: either is named */
		refused(from, to, why);
	}
	refused("{", "{\"colour\": 1, ", "\"colour\" is not a known key");
	refused("\"used\"", "\"colour\": 1, \"used\"", "shard 0: \"colour\" is not a known key");
	refused("\"bytes\"", "\"colour\": 1, \"bytes\"", "codebook: \"colour\" is not a known key");
	refused("{", "{\"dim\": 4, ", "duplicate");
}

Test(manifest, values_of_the_wrong_type_or_out_of_range_are_named)
{
	static const struct {
		const char *from;
		const char *to;
		const char *why;
	} edits[] = {
		{"\"dim\": 4", "\"dim\": \"4\"", "\"dim\" has the wrong type"},
		{"\"dim\": 4", "\"dim\": 4.0", "\"dim\" has the wrong type"},
		{"\"dim\": 4", "\"dim\": 0", "\"dim\" is 0, not in 1..4096"},
		{"\"dim\": 4", "\"dim\": -1", "\"dim\" is -1"},
		{"\"dim\": 4", "\"dim\": 4097", "\"dim\" is 4097"},
		{"\"dim\": 4", "\"dim\": 4294967300", "\"dim\" is 4294967300"},
		{"\"dim\": 4", "\"dim\": 99999999999999999999", "manifest.json"},
		{"\"dim\": 4", "\"dim\": 5", "\"bytes\""},
		{"\"rows\": 5", "\"rows\": 1048577", "\"rows\" is 1048577"},
		{"\"rows\": 5", "\"rows\": 6", "\"bytes\""},
		{"\"terms\": 2", "\"terms\": 5", "\"terms\" is 5, not in 1..4"},
		{"\"row_norm\": 200", "\"row_norm\": 0", "\"row_norm\" is 0"},
		{"\"row_norm\": 200", "\"row_norm\": 9999", "\"row_norm\" is 9999"},
		{"\"scale\": 1", "\"scale\": -1", "\"scale\""},
		{"\"scale\": 1", "\"scale\": 1000000", "\"scale\""},
		{"\"scale\": 1", "\"scale\": null, \"x\": 1", "\"x\""},
		{"\"shards\": 2", "\"shards\": 0", "\"shards\" is 0"},
		{"\"shards\": 2", "\"shards\": 1048577", "\"shards\" is 1048577"},
		{"\"shards\": 2", "\"shards\": 3", "\"bytes\""},
		{"\"label_bytes\": 8", "\"label_bytes\": 3", "\"bytes\""},
		{"\"label_bytes\": 8", "\"label_bytes\": 25", "\"label_bytes\" is 25"},
		{"\"label_bytes\": 8", "\"label_bytes\": 0", "\"labels\" is not a known key"},
		{"\"records\": 6", "\"records\": 0", "\"records\" is 0"},
		{"\"records\": 6", "\"records\": 9", "\"records\" is 9, but only 8 rows"},
		{"\"used\": 3", "\"used\": 6", "shard 0: \"used\" is 6"},
		{"\"used\": 3", "\"used\": 3}, 7, {\"used\": 3", "\"shard\" has not as many entries"},
		{"\"name\": \"demo", "\"name\": \"de\\u001bmo", "\"name\""},
		{"\"name\": \"", "\"name\": 3, \"x\": \"", "\"x\""},
		{"\"params\": \"search_n2048_q28\"", "\"params\": \"../../etc/passwd\"",
			"\"params\" is no known"},
		{"\"format\": \"veil-index\"", "\"format\": \"veil-pir\"", "\"format\" is not"},
		{"\"sha256\": \"09", "\"sha256\": \"0G", "\"sha256\" is not 64"},
		{"\"sha256\": \"09", "\"sha256\": \"9", "\"sha256\" is not 64"},
	};
	struct veil_error err = {{0}};
	char longer[400];

	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++)
		refused(edits[i].from, edits[i].to, edits[i].why);
	snprintf(longer, sizeof longer, "\"name\": \"%0128d", 0);
	refused("\"name\": \"", longer, "\"name\" is too long");
	cr_assert_eq(read("[]", &err), VEIL_E_CORRUPT);
	cr_assert_eq(read("", &err), VEIL_E_CORRUPT);
	cr_assert_eq(read("{}", &err), VEIL_E_CORRUPT);
}

Test(manifest, another_version_is_told_from_damage)
{
	char *text = make(0), *at = strstr(text, "\"version\": 1");
	struct veil_error err = {{0}};

	at[strlen("\"version\": ")] = '2';
	cr_assert_eq(read(text, &err), VEIL_E_VERSION);
	cr_assert(strstr(err.text, "newer program"), "%s", err.text);
	at[strlen("\"version\": ")] = '0';
	cr_assert_eq(read(text, &err), VEIL_E_VERSION);
	cr_assert(strstr(err.text, "build the index again"), "%s", err.text);
	free(text);
}

Test(manifest, it_is_refused_when_cut_anywhere)
{
	char *text = make(8);
	struct veil_error err;
	size_t size = strlen(text);

	while (size-- > 0) {
		text[size] = 0;
		cr_assert_eq(read(text, &err), VEIL_E_CORRUPT);
	}
	free(text);
}
