/* SPDX-License-Identifier: Apache-2.0 */
#include "veil/vectors.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/test.h"

static const char *write_file(const char *name, const void *data, size_t size)
{
	static char path[256];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", test_tmpdir(), name);
	file = fopen(path, "wb");
	cr_assert_not_null(file);
	cr_assert_eq(fwrite(data, 1, size, file), size);
	cr_assert_eq(fclose(file), 0);
	return path;
}

Test(vectors, a_vector_as_text_may_have_commas_blanks_or_brackets)
{
	static const char *const texts[] = {
		"[1, -2.5, 3e-1]", "1 -2.5 0.3\n", "1,-2.5,0.3", " [ 1\n,\t-2.5 ,0.3 ] \n"};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct veil_vectors *v;
		struct veil_error err = {""};
		const float *x;

		cr_assert_eq(veil_vectors_read(&v, write_file("v.json", texts[i], strlen(texts[i])), &err),
			VEIL_OK, "%zu: %s", i, err.text);
		cr_assert_eq(veil_vectors_count(v), 1);
		cr_assert_eq(veil_vectors_dim(v), 3);
		x = veil_vectors_row(v, 0);
		cr_assert(x[0] == 1.0f && x[1] == -2.5f && x[2] == 0.3f, "%zu", i);
		veil_vectors_destroy(v);
	}
}

Test(vectors, text_that_is_no_vector_is_refused_by_file_name_and_reason)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{"", "no numbers"},
		{"[]", "no numbers"},
		{"[1, 2", "bracket"},
		{"1 2]", "follows"},
		{"[1] 2", "follows"},
		{"[1,,2]", "not a number"},
		{"[1,]", "comma"},
		{"1 x", "number 1 is not a number"},
		{"1 nan", "number 1 is not finite"},
		{"inf", "not finite"},
		{"0 0 0", "all zeros"},
		{"[[1,2]]", "not a number"},
		{"{\"a\":1}", "not a number"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct veil_vectors *v;
		struct veil_error err = {""};

		cr_assert_eq(veil_vectors_read(
				     &v, write_file("bad.txt", cases[i].text, strlen(cases[i].text)), &err),
			VEIL_E_INVALID, "\"%s\"", cases[i].text);
		cr_assert_null(v);
		cr_assert(strstr(err.text, "bad.txt") && strstr(err.text, cases[i].reason), "\"%s\": %s",
			cases[i].text, err.text);
	}
}

Test(vectors, too_long_binary_and_missing_files_are_refused)
{
	static char many[2 * 5000];
	struct veil_vectors *v;
	struct veil_error err = {""};

	for (size_t i = 0; i < sizeof many; i += 2)
		memcpy(many + i, "1 ", 2);
	cr_assert_eq(veil_vectors_read(&v, write_file("many.txt", many, sizeof many), &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "4096"), "%s", err.text);
	cr_assert_eq(veil_vectors_read(&v, write_file("binary", "1 2\0 3", 6), &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "ending"), "%s", err.text);
	cr_assert_eq(veil_vectors_read(&v, "/nowhere/v.txt", &err), VEIL_E_IO);
	cr_assert(strstr(err.text, "/nowhere/v.txt"), "%s", err.text);
	cr_assert_neq(veil_vectors_read(&v, "/nowhere/v.npy", &err), VEIL_OK);
	cr_assert(strstr(err.text, "/nowhere/v.npy"), "%s", err.text);
}

Test(vectors, the_demo_data_are_unit_vectors_of_one_shape)
{
	static const char *const names[] = {"tests/data/emoji/google.npy", "tests/data/emoji/twitter.npy"};

	for (size_t i = 0; i < 2; i++) {
		struct veil_vectors *v;
		struct veil_error err = {""};

		cr_assert_eq(
			veil_vectors_read(&v, test_source_path(names[i]), &err), VEIL_OK, "%s", err.text);
		cr_assert_eq(veil_vectors_count(v), 1911);
		cr_assert_eq(veil_vectors_dim(v), 128);
		for (uint32_t row = 0; row < veil_vectors_count(v); row++) {
			double sum = 0;

			for (uint32_t j = 0; j < 128; j++)
				sum += pow(veil_vectors_row(v, row)[j], 2);
			cr_assert_float_eq(sum, 1, 1e-3, "%s row %u: norm^2 %g", names[i], row, sum);
		}
		veil_vectors_destroy(v);
	}
}
