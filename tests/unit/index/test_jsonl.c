/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "index/lines.h"
#include "input.h"

static void refused(const char *text, const char *where, const char *why)
{
	input_refused("a.jsonl", text, strlen(text), where, why);
}

Test(jsonl, rows_ids_and_names_are_read)
{
	static const char text[] = "{\"id\": 7, \"vector\": [1, 2.5, -3e-1]}\n"
				   "{\"name\": \"z\\u00e9ro\", \"vector\": [0, 0, 1], \"id\": \"a\"}\r\n"
				   "  {\"id\":\"\\u4e2d\",\"vector\":[0.0,1,0]}  ";
	static const float want[] = {1, 2.5f, -0.3f, 0, 0, 1, 0, 1, 0};
	struct index_vectors *v = input_open("a.jsonl", text, strlen(text));
	struct veil_error err = {{0}};
	float out[9];

	cr_assert_eq(index_vectors_rows(v), 3);
	cr_assert_eq(index_vectors_dim(v), 3);
	cr_assert_eq(index_vectors_read(v, 0, 3, out, &err), VEIL_OK);
	cr_assert_arr_eq(out, want, sizeof want);
	cr_assert_str_eq(index_vectors_name(v, 0), "7");
	cr_assert_str_eq(index_vectors_name(v, 1), "z\xc3\xa9ro");
	cr_assert_str_eq(index_vectors_name(v, 2), "\xe4\xb8\xad");
	index_vectors_close(v);
}

Test(jsonl, many_rows_keep_their_order)
{
	enum { MANY = 5000 };
	char *text = malloc(MANY * 64);
	struct veil_error err = {{0}};
	struct index_vectors *v;
	size_t size = 0;
	float out[2];

	for (int i = 0; i < MANY; i++)
		size += (size_t)snprintf(
			text + size, 64, "{\"id\":%d,\"vector\":[%d,%d]}\n", MANY - i, i + 1, -i);
	v = input_open("a.ndjson", text, size);
	cr_assert_eq(index_vectors_rows(v), MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		cr_assert_eq(index_vectors_read(v, i, 1, out, &err), VEIL_OK);
		cr_assert_eq(out[0], (float)i + 1);
		cr_assert_eq(out[1], -(float)i);
		cr_assert_eq(strtoul(index_vectors_name(v, i), NULL, 10), MANY - i);
	}
	index_vectors_close(v);
	free(text);
}

Test(jsonl, errors_name_the_row_and_the_line)
{
	static const char first[] = "{\"id\": 0, \"vector\": [1, 2]}\n";
	static const struct {
		const char *second;
		const char *why;
	} wrong[] = {
		{"{\"id\": 1, \"vector\": [1, 2, 3]}", "dimension 3 where row 0 has 2"},
		{"{\"id\": 1, \"vector\": [1]}", "dimension 1 where row 0 has 2"},
		{"{\"id\": 1, \"vector\": []}", "dimension 0"},
		{"{\"id\": 1, \"vector\": [0, 0.0]}", "zero"},
		{"{\"id\": 1, \"vector\": [NaN, 1]}", "not JSON"},
		{"{\"id\": 1, \"vector\": [1e400, 1]}", "not JSON"},
		{"{\"id\": 1, \"vector\": [1e39, 1]}", "coordinate 0 is infinite or too large"},
		{"{\"id\": 1, \"vector\": [1, \"2\"]}", "coordinate 1 is not a number"},
		{"{\"id\": 1, \"vector\": [1, null]}", "coordinate 1 is not a number"},
		{"{\"id\": 1, \"vector\": [1, [2]]}", "coordinate 1 is not a number"},
		{"{\"id\": 1, \"vector\": {\"0\": 1}}", "\"vector\" is not an array"},
		{"{\"id\": 1}", "no \"vector\""},
		{"{\"vector\": [1, 2]}", "no \"id\""},
		{"{\"id\": 1.5, \"vector\": [1, 2]}", "\"id\" is neither"},
		{"{\"id\": null, \"vector\": [1, 2]}", "\"id\" is neither"},
		{"{\"id\": \"\", \"vector\": [1, 2]}", "\"id\" is empty"},
		{"{\"id\": 1, \"vector\": [1, 2], \"name\": 3}", "\"name\" is not text"},
		{"{\"id\": 1, \"vector\": [1, 2], \"name\": \"\\u001b[2J\"}", "\"name\" holds a control"},
		{"{\"id\": \"a\\nb\", \"vector\": [1, 2]}", "\"id\" holds a control"},
		{"{\"id\": 1, \"vector\": [1, 2], \"nmae\": \"x\"}", "unknown key \"nmae\""},
		{"{\"id\": 1, \"vector\": [1, 2], \"\\u001b[2J\": \"x\"}", "unknown key \"?\""},
		{"{\"id\": 1, \"id\": 2, \"vector\": [1, 2]}", "not JSON"},
		{"{\"id\": 1, \"vector\": [1, 2]} {}", "not JSON"},
		{"{\"id\": 1, \"vector\": [1, 2]", "not JSON"},
		{"[1, 2]", "not a JSON object"},
		{"\xff", "not JSON"},
		{"\n{\"id\": 1, \"vector\": [1, 2]}", "a blank line"},
		{" \t\r\n", "a blank line"},
		{"{\"id\": 0, \"vector\": [1, 2]}", "is that of row 0 (line 1)"},
		{"{\"id\": \"0\", \"vector\": [1, 2]}", "is that of row 0 (line 1)"},
	};
	char text[256];

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		snprintf(text, sizeof text, "%s%s\n", first, wrong[i].second);
		refused(text, "row 1 (line 2)", wrong[i].why);
	}
	refused("", "empty", "no rows");
	refused("\n", "row 0 (line 1)", "a blank line");
}

Test(jsonl, of_several_duplicates_the_first_is_named)
{
	refused("{\"id\":\"b\",\"vector\":[1]}\n{\"id\":\"a\",\"vector\":[1]}\n{\"id\":\"c\",\"vector\":[1]}"
		"\n"
		"{\"id\":\"b\",\"vector\":[1]}\n{\"id\":\"a\",\"vector\":[1]}\n{\"id\":\"b\",\"vector\":[1]}"
		"\n",
		"row 3 (line 4)", "\"b\" is that of row 0 (line 1)");
}

Test(jsonl, a_line_without_end_is_refused_before_it_fills_the_memory)
{
	size_t size = 3 * (size_t)INDEX_MAX_LINE_BYTES;
	char *text = malloc(size);

	memset(text, ' ', size);
	input_refused("a.jsonl", text, size, "line 1", "longer than");
	memcpy(text, "{\"id\":1,\"vector\":[1]}\n", 22);
	input_refused("a.jsonl", text, size, "line 2", "longer than");
	free(text);
}
