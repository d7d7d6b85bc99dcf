/* SPDX-License-Identifier: Apache-2.0 */
#include "index/pairs.h"

#include <criterion/criterion.h>
#include <string.h>

#include "support/test.h"

static enum veil_status read_text(struct index_pairs *p, const char *name, const char *text,
	const struct index_pairs_form *form, struct veil_error *err)
{
	test_file_write(name, text, strlen(text), 0644);
	return index_pairs_read(p, test_file(name), form, err);
}

static void is_pair(const struct index_pairs *p, size_t i, const char *key, const void *value, size_t size)
{
	const struct index_pair *pair = &p->pair[i];

	cr_assert_eq(pair->key_bytes, strlen(key));
	cr_assert_arr_eq(p->data + pair->key, key, strlen(key));
	cr_assert_eq(pair->value_bytes, size, "%s", key);
	cr_assert_arr_eq(p->data + pair->value, value, size, "%s", key);
}

Test(pairs, lines_of_both_forms_become_keys_and_values)
{
	static const char tsv[] = "a\tb\r\nkey two\ttab\\t, line\\n\\r, back\\\\ and "
				  "\\x00\\xfF\ngr\xc3\xbc\xc3\x9f\t\nx\\ty\tz";
	static const char json[] =
		"{\"key\": \"a\", \"value\": \"b\"}\n{\"hex\": \"00ff1a\", \"key\": \"k\\u00fc\"}\n";
	const struct index_pairs_form form = {.numbered = false};
	struct veil_error err = {{0}};
	struct index_pairs p;

	cr_assert_eq(read_text(&p, "a.tsv", tsv, &form, &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(p.count, 4);
	is_pair(&p, 0, "a", "b", 1);
	is_pair(&p, 1, "key two", "tab\t, line\n\r, back\\ and \0\xff", 26);
	is_pair(&p, 2, "gr\xc3\xbc\xc3\x9f", "", 0);
	is_pair(&p, 3, "x\ty", "z", 1);
	index_pairs_clear(&p);
	cr_assert_eq(read_text(&p, "a.jsonl", json, &form, &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(p.count, 2);
	is_pair(&p, 0, "a", "b", 1);
	is_pair(&p, 1, "k\xc3\xbc", "\0\xff\x1a", 3);
	index_pairs_clear(&p);
}

Test(pairs, rows_that_are_asked_by_number_have_no_key)
{
	const struct index_pairs_form form = {.numbered = true};
	struct veil_error err = {{0}};
	struct index_pairs p;

	cr_assert_eq(read_text(&p, "a.tsv", "one\none\n\nfour", &form, &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(p.count, 4);
	is_pair(&p, 1, "", "one", 3);
	is_pair(&p, 2, "", "", 0);
	index_pairs_clear(&p);
	cr_assert_eq(read_text(&p, "a.jsonl", "{\"value\": \"x\"}\n", &form, &err), VEIL_OK, "%s", err.text);
	is_pair(&p, 0, "", "x", 1);
	index_pairs_clear(&p);
	cr_assert_eq(read_text(&p, "b.jsonl", "{\"key\": \"k\", \"value\": \"x\"}\n", &form, &err),
		VEIL_E_INVALID);
	index_pairs_clear(&p);
}

Test(pairs, removals_stand_among_changes_alone)
{
	static const char text[] = "{\"key\": \"k\", \"gone\": true}\n";
	struct index_pairs_form form = {.changes = true};
	struct veil_error err = {{0}};
	struct index_pairs p;

	cr_assert_eq(read_text(&p, "a.jsonl", text, &form, &err), VEIL_OK, "%s", err.text);
	cr_assert(p.pair[0].gone);
	index_pairs_clear(&p);
	form.changes = false;
	cr_assert_eq(read_text(&p, "a.jsonl", text, &form, &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "line 1: key \"k\": \"gone\""), "%s", err.text);
	index_pairs_clear(&p);
}

/* Each is refused, and the sentence names the line, the key and what is wrong. */
Test(pairs, what_is_wrong_is_named_by_its_line_and_key)
{
	static const struct {
		const char *name, *text, *line, *key, *what;
	} cases[] = {
		{"a.tsv", "", "empty", "", "no row"},
		{"a.jsonl", "", "empty", "", "no row"},
		{"a.tsv", "k\tv\nno tab\n", "line 2", "", "not a key, a tab"},
		{"a.tsv", "k\tv\n\tv\n", "line 2", "\"\"", "never empty"},
		{"a.tsv", "k\tv\nj\tv\nk\tw\n", "line 3", "\"k\"", "in line 1 already"},
		{"a.tsv", "k\tv\\q\n", "line 1", "\"k\"", "an escape other than"},
		{"a.tsv", "k\tv\\\n", "line 1", "\"k\"", "an escape other than"},
		{"a.tsv", "k\tv\\x1\n", "line 1", "\"k\"", "an escape other than"},
		{"a.tsv", "k\tv\\xg0\n", "line 1", "\"k\"", "an escape other than"},
		{"a.tsv", "k\tv\xff\n", "line 1", "\"k\"", "not UTF-8"},
		{"a.tsv", "k\xc3\tv\n", "line 1", "\"k?\"", "not UTF-8"},
		{"a.tsv", "k\tv\tw\n", "line 1", "\"k\"", "second tab"},
		{"a.jsonl", "{\"key\": \"k\", \"value\": \"v\"}\n{\"key\": 7, \"value\": \"v\"}", "line 2",
			"", "not text"},
		{"a.jsonl", "{\"key\": \"k\", \"valeu\": \"v\"}", "line 1", "\"k\"", "other than"},
		{"a.jsonl", "{\"key\": \"k\"}", "line 1", "\"k\"", "not one of"},
		{"a.jsonl", "{\"value\": \"v\"}", "line 1", "", "no \"key\""},
		{"a.jsonl", "{\"key\": \"k\", \"hex\": \"0g\"}", "line 1", "\"k\"", "hexadecimal"},
		{"a.jsonl", "{\"key\": \"k\", \"value\": \"v\", \"hex\": \"00\"}", "line 1", "\"k\"",
			"not one of"},
		{"a.jsonl", "[1]", "line 1", "", "not a JSON object"},
		{"a.jsonl", "{\"key\": \"k\", \"value\": \"\xff\"}", "line 1", "", "not JSON"},
		{"a.jsonl", "{\"key\": \"k\", \"value\": \"\\ud800\"}", "line 1", "", "not JSON"},
		{"a.csv", "k,v\n", "ending", "", ".tsv .jsonl"},
	};
	const struct index_pairs_form form = {.numbered = false};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct veil_error err = {{0}};
		struct index_pairs p;
		enum veil_status st = read_text(&p, cases[i].name, cases[i].text, &form, &err);

		cr_assert(st == VEIL_E_INVALID || st == VEIL_E_UNSUPPORTED, "case %zu: %d", i, (int)st);
		cr_assert(strstr(err.text, cases[i].name) && strstr(err.text, cases[i].line) &&
				  strstr(err.text, cases[i].key) && strstr(err.text, cases[i].what),
			"case %zu: %s", i, err.text);
		index_pairs_clear(&p);
	}
}

Test(pairs, what_is_too_long_is_refused_and_what_is_not_is_read)
{
	const struct index_pairs_form form = {.numbered = false}, tight = {.limit = 1 << 20};
	static char text[INDEX_MAX_VALUE_BYTES + 4096];
	struct veil_error err = {{0}};
	struct index_pairs p;

	memset(text, 'k', INDEX_MAX_KEY_BYTES);
	snprintf(text + INDEX_MAX_KEY_BYTES, 8, "\tv\n");
	cr_assert_eq(read_text(&p, "a.tsv", text, &form, &err), VEIL_OK, "%s", err.text);
	index_pairs_clear(&p);
	snprintf(text + INDEX_MAX_KEY_BYTES, 8, "k\tv\n");
	cr_assert_eq(read_text(&p, "a.tsv", text, &form, &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "longer than 1024"), "%s", err.text);
	index_pairs_clear(&p);
	memset(text, 'v', sizeof text);
	memcpy(text, "k\t", 2);
	text[2 + INDEX_MAX_VALUE_BYTES] = 0;
	cr_assert_eq(read_text(&p, "a.tsv", text, &form, &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(p.pair[0].value_bytes, INDEX_MAX_VALUE_BYTES);
	index_pairs_clear(&p);
	cr_assert_eq(read_text(&p, "a.tsv", text, &tight, &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "--memory"), "%s", err.text);
	index_pairs_clear(&p);
	text[2 + INDEX_MAX_VALUE_BYTES] = 'v';
	text[3 + INDEX_MAX_VALUE_BYTES] = 0;
	cr_assert_eq(read_text(&p, "a.tsv", text, &form, &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "key \"k\": its value is longer"), "%s", err.text);
	index_pairs_clear(&p);
}
