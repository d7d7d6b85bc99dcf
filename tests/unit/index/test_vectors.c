/* SPDX-License-Identifier: Apache-2.0 */
#include "index/vectors.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "input.h"

enum { ROWS = 7, DIM = 3, STRIDE = 4 + 4 * DIM, SIZE = ROWS * STRIDE };

static float value(uint32_t row, uint32_t j)
{
	return (float)row * 1.5f - (float)j * 0.25f + 0.125f;
}

static void put_float(uint8_t *p, float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof bits);
	store_le32(p, bits);
}

static void make_fvecs(uint8_t data[SIZE])
{
	for (uint32_t i = 0; i < ROWS; i++) {
		store_le32(data + (size_t)i * STRIDE, DIM);
		for (uint32_t j = 0; j < DIM; j++)
			put_float(data + (size_t)i * STRIDE + 4 + 4 * (size_t)j, value(i, j));
	}
}

Test(vectors, fvecs_rows_are_read_one_by_one_and_in_pieces)
{
	struct veil_error err = {{0}};
	float out[ROWS * DIM];
	struct index_vectors *v;
	uint8_t data[SIZE];

	make_fvecs(data);
	v = input_open("a.fvecs", data, SIZE);
	cr_assert_eq(index_vectors_rows(v), ROWS);
	cr_assert_eq(index_vectors_dim(v), DIM);
	for (uint32_t first = 0; first <= ROWS; first++)
		for (uint32_t count = 0; first + count <= ROWS; count++) {
			cr_assert_eq(index_vectors_read(v, first, count, out, &err), VEIL_OK);
			for (uint32_t i = 0; i < count * DIM; i++)
				cr_assert_eq(out[i], value(first + i / DIM, i % DIM));
		}
	cr_assert_str_eq(index_vectors_name(v, 0), "");
	index_vectors_close(v);
	index_vectors_close(NULL);
}

Test(vectors, more_rows_than_one_read_holds_come_in_order)
{
	enum { MANY = 20000, WIDE = 5 };
	struct veil_error err = {{0}};
	size_t size = (size_t)MANY * (4 + 4 * WIDE);
	uint8_t *data = malloc(size);
	float *out = malloc((size_t)MANY * WIDE * sizeof *out);
	struct index_vectors *v;

	for (uint32_t i = 0; i < MANY; i++) {
		store_le32(data + (size_t)i * 24, WIDE);
		for (uint32_t j = 0; j < WIDE; j++)
			put_float(data + (size_t)i * 24 + 4 + 4 * (size_t)j, (float)(1 + i * WIDE + j));
	}
	v = input_open("many.fvecs", data, size);
	cr_assert_eq(index_vectors_read(v, 0, MANY, out, &err), VEIL_OK);
	for (uint32_t i = 0; i < MANY * WIDE; i++)
		cr_assert_eq(out[i], (float)(1 + i));
	index_vectors_close(v);
	free(data);
	free(out);
}

Test(vectors, fvecs_errors_name_the_row)
{
	uint8_t data[SIZE + 8], bad[SIZE + 8] = {0};
	char row[32];

	make_fvecs(data);
	input_refused("a.fvecs", data, 0, "empty", "no rows");
	for (size_t size = 1; size < SIZE; size++) { /* cut at every byte but the ends of rows */
		if (size % STRIDE == 0)
			continue;
		snprintf(row, sizeof row, "row %zu", size / STRIDE);
		input_refused("a.fvecs", data, size, row, "truncated");
	}
	for (uint32_t i = 0; i < ROWS; i++) {
		static const struct {
			float value;
			const char *why;
		} wrong[] = {{NAN, "NaN"}, {-NAN, "NaN"}, {INFINITY, "infinite"}, {-INFINITY, "infinite"}};

		snprintf(row, sizeof row, "row %u:", i);
		for (uint32_t j = 0; j < DIM; j++)
			for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
				char why[64];

				memcpy(bad, data, SIZE);
				put_float(bad + (size_t)i * STRIDE + 4 + 4 * (size_t)j, wrong[k].value);
				snprintf(why, sizeof why, "coordinate %u is %s", j, wrong[k].why);
				input_refused("a.fvecs", bad, SIZE, row, why);
			}
		memcpy(bad, data, SIZE);
		memset(bad + (size_t)i * STRIDE + 4, 0, 4 * DIM);
		put_float(bad + (size_t)i * STRIDE + 4, -0.0f);
		input_refused("a.fvecs", bad, SIZE, row, "zero");
		if (i == 0)
			continue;
		memcpy(bad, data, SIZE);
		store_le32(bad + (size_t)i * STRIDE, DIM + 1); /* the size of the file still fits */
		input_refused("a.fvecs", bad, SIZE, row, "dimension 4 where row 0 has 3");
	}
	memcpy(bad, data, SIZE); /* a longer row: the size does not fit, the row is to blame */
	memmove(bad + 3 * STRIDE + 4, bad + 3 * STRIDE, SIZE - 3 * STRIDE);
	store_le32(bad + 3 * STRIDE, DIM + 1);
	input_refused("a.fvecs", bad, SIZE + 4, "row 3:", "dimension 4 where row 0 has 3");
	for (size_t i = 0; i < 3; i++) {
		static const uint32_t dims[] = {0, INDEX_MAX_DIM + 1, 0xffffffff};

		memcpy(bad, data, SIZE);
		store_le32(bad, dims[i]);
		input_refused("a.fvecs", bad, SIZE, "row 0", "not in 1..4096");
	}
}

/* Magic, version, header length, header, rows. */
static size_t make_npy(uint8_t *out, unsigned version, const char *header, const void *rows, size_t size)
{
	size_t length = strlen(header), at = version == 1 ? 10 : 12;

	memcpy(out, "\x93NUMPY", 6);
	out[6] = (uint8_t)version;
	out[7] = 0;
	out[8] = (uint8_t)length;
	out[9] = (uint8_t)(length >> 8);
	if (version > 1)
		out[10] = out[11] = 0;
	memcpy(out + at, header, length);
	memcpy(out + at + length, rows, size);
	return at + length + size;
}

Test(vectors, npy_of_every_known_type_and_version_is_read)
{
	static const uint8_t f4[] = {0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f, 0, 0, 0, 0};
	static const uint8_t f2[] = {0, 0x3c, 0, 0xc0, 0, 0x38, 0, 0};
	static const uint8_t f8[] = {0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0,
		0, 0xe0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0};
	static const uint8_t i1[] = {127, 0x80, 255, 0};
	static const float real[] = {1, -2, 0.5f, 0}, whole[] = {127, -128, -1, 0};
	static const struct {
		const char *descr;
		const void *rows;
		size_t size;
		const float *want;
	} types[] = {{"<f4", f4, sizeof f4, real}, {"<f2", f2, sizeof f2, real}, {"<f8", f8, sizeof f8, real},
		{"|i1", i1, sizeof i1, whole}};
	static const char *const forms[] = {
		"{'descr': '%s', 'fortran_order': False, 'shape': (2, 2), }      \n",
		"{\"shape\":(2,2),\"fortran_order\":False,\"descr\":\"%s\"}"};
	struct veil_error err = {{0}};

	for (size_t t = 0; t < sizeof types / sizeof *types; t++)
		for (unsigned version = 1; version <= 3; version++)
			for (size_t form = 0; form < 2; form++) {
				uint8_t data[256];
				char header[128], *at;
				struct index_vectors *v;
				float out[4];
				size_t size;

				snprintf(header, sizeof header, "%s", forms[form]);
				at = strstr(header, "%s"); /* as long as its replacement but one */
				memmove(at + 3, at + 2, strlen(at + 2) + 1);
				memcpy(at, types[t].descr, 3);
				size = make_npy(data, version, header, types[t].rows, types[t].size);
				v = input_open("a.npy", data, size);
				cr_assert_eq(index_vectors_rows(v), 2);
				cr_assert_eq(index_vectors_dim(v), 2);
				cr_assert_eq(index_vectors_read(v, 0, 2, out, &err), VEIL_OK, "%s", err.text);
				cr_assert_arr_eq(out, types[t].want, sizeof out);
				index_vectors_close(v);
			}
}

Test(vectors, npy_headers_that_do_not_fit_are_refused_by_name)
{
	static const struct {
		const char *header;
		const char *why;
	} wrong[] = {
		{"{'descr': '>f4', 'fortran_order': False, 'shape': (2, 2), }", "'>f4'"},
		{"{'descr': '<i8', 'fortran_order': False, 'shape': (2, 2), }", "'<i8'"},
		{"{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }", "'|O'"},
		{"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 2), }", "structured"},
		{"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", "Fortran"},
		{"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2, 2), }", "fortran_order"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", "1 dimensions"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "0 dimensions"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 1), }", "3 dimensions"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4), }", "no rows"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (4, 0), }", "dimension 0"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 4097), }", "dimension 4097"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967295, 4), }", "4294967295 rows"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 2), }", "shape"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999, 2), }",
			"shape"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", "truncated in row 2"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }",
			"8 bytes follow the last row"},
		{"{'descr': '<f4', 'fortran_order': False, }", "lacks"},
		{"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", "repeated"},
		{"{'descr': '<f4', 'colour': 'red', 'fortran_order': False, 'shape': (2, 2), }", "unknown"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), } x", "goes on"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), ", "dictionary"},
		{"['descr']", "'{'"},
		{"", "'{'"},
	};
	static const float rows[4] = {1, 2, 3, 4};
	uint8_t data[256];

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		input_refused("a.npy", data, make_npy(data, 1, wrong[i].header, rows, sizeof rows), "",
			wrong[i].why);
}

Test(vectors, npy_is_refused_at_every_length_and_with_absurd_headers)
{
	static const float rows[4] = {1, 2, 3, 4};
	uint8_t data[256];
	size_t size = make_npy(
		data, 2, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", rows, sizeof rows);

	for (size_t cut = 0; cut < size; cut++)
		input_refused("a.npy", data, cut, "", cut == 0 ? "empty" : "truncated");
	data[11] = 0xff; /* a header of four gigabytes */
	input_refused("a.npy", data, size, "", "more than 4096");
	data[6] = 4;
	input_refused("a.npy", data, size, "", "format 4.0");
	data[0] = 'x';
	input_refused("a.npy", data, size, "", "NUMPY");
}

Test(vectors, npy_errors_name_the_row)
{
	static const char header[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }";
	double rows[3][2] = {{1, 2}, {3, 4}, {5, 6}};
	uint8_t data[256];

	rows[1][1] = 1e300;
	input_refused("a.npy", data, make_npy(data, 1, header, rows, sizeof rows), "row 1", "too large");
	rows[1][0] = rows[1][1] = 0;
	input_refused("a.npy", data, make_npy(data, 1, header, rows, sizeof rows), "row 1", "zero");
	rows[1][0] = 1;
	rows[2][0] = NAN;
	input_refused("a.npy", data, make_npy(data, 1, header, rows, sizeof rows), "row 2", "NaN");
}

Test(vectors, what_is_no_file_of_a_known_kind_is_refused)
{
	struct veil_error err = {{0}};
	const char *path;

	input_refused("a.csv", "1,2\n", 4, "", "unknown ending");
	input_refused("fvecs", "1,2\n", 4, "", "unknown ending");
	cr_assert_eq(input_try("/nonexistent/a.npy", &err), VEIL_E_IO);
	cr_assert(strstr(err.text, "/nonexistent/a.npy"));
	path = input_write("pipe.npy", "", 0);
	unlink(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(input_try(path, &err), VEIL_E_INVALID); /* and does not wait for a writer */
	cr_assert(strstr(err.text, "not a regular file"), "%s", err.text);
}

static void names_refused(
	struct index_vectors *v, const char *text, size_t size, const char *where, const char *why)
{
	struct veil_error err = {{0}};

	cr_assert_neq(index_vectors_read_names(v, input_write("names.tsv", text, size), &err), VEIL_OK);
	cr_assert(strstr(err.text, "names.tsv") && strstr(err.text, where) && strstr(err.text, why), "%s",
		err.text);
	cr_assert_str_eq(index_vectors_name(v, 1), "kept");
}

Test(vectors, names_come_from_a_side_file)
{
	static const char good[] = "6\tlast\n1\tkept\r\n0\tz\xc3\xa9ro bis\n3\t";
	struct veil_error err = {{0}};
	struct index_vectors *v;
	uint8_t data[SIZE];
	char longest[1100];

	make_fvecs(data);
	v = input_open("a.fvecs", data, SIZE);
	cr_assert_eq(index_vectors_read_names(v, input_write("names.tsv", good, strlen(good)), &err), VEIL_OK,
		"%s", err.text);
	cr_assert_str_eq(index_vectors_name(v, 0), "z\xc3\xa9ro bis");
	cr_assert_str_eq(index_vectors_name(v, 1), "kept");
	cr_assert_str_eq(index_vectors_name(v, 2), "");
	cr_assert_str_eq(index_vectors_name(v, 3), "");
	cr_assert_str_eq(index_vectors_name(v, 6), "last");
	names_refused(v, "", 0, "empty", "no names");
	names_refused(v, "0\ta\nb\n", 6, "line 2", "not a row number");
	names_refused(v, "0\ta\n\n", 5, "line 2", "not a row number");
	names_refused(v, "0 a\n", 4, "line 1", "not a row number");
	names_refused(v, "7\ta\n", 4, "line 1", "row 7 of 7");
	names_refused(v, "99999999999999999999\ta\n", 23, "line 1", "not a row number");
	names_refused(v, "0\ta\n2\tb\n0\tc\n", 12, "line 3", "row 0 was named in line 1");
	names_refused(v, "0\ta\x1b[2J\n", 8, "line 1", "control character");
	names_refused(v, "0\ta\tb\n", 6, "line 1", "control character");
	names_refused(v, "0\t\xff\n", 4, "line 1", "UTF-8");
	names_refused(v, "0\ta\0b\n", 6, "line 1", "control character");
	memset(longest, 'a', sizeof longest);
	memcpy(longest, "0\t", 2);
	names_refused(v, longest, sizeof longest, "line 1", "longer than 1024");
	index_vectors_close(v);
}
