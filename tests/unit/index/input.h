/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDEX_INPUT_H
#define INDEX_INPUT_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "index/vectors.h"
#include "support/test.h"

/* Files made of bytes, opened as vectors. */

static inline const char *input_write(const char *name, const void *data, size_t size)
{
	static char path[256];
	FILE *f;

	cr_assert_lt(strlen(test_tmpdir()) + strlen(name) + 2, sizeof path);
	path[0] = 0;
	snprintf(path, sizeof path, "%s/%s", test_tmpdir(), name);
	f = fopen(path, "wb");
	cr_assert(f, "%s", path);
	cr_assert_eq(fwrite(data, 1, size, f), size);
	fclose(f);
	return path;
}

/* Opens and reads every row. */
static inline enum veil_status input_try(const char *path, struct veil_error *err)
{
	struct index_vectors *v;
	enum veil_status st = index_vectors_open(&v, path, err);
	float row[INDEX_MAX_DIM];

	cr_assert((st == VEIL_OK) == (v != NULL));
	for (uint32_t i = 0; st == VEIL_OK && i < index_vectors_rows(v); i++)
		st = index_vectors_read(v, i, 1, row, err);
	index_vectors_close(v);
	return st;
}

/* Refused by a sentence that names the file, `where` and `why`. */
static inline void input_refused(
	const char *name, const void *data, size_t size, const char *where, const char *why)
{
	struct veil_error err = {{0}};
	enum veil_status st = input_try(input_write(name, data, size), &err);

	cr_assert_neq(st, VEIL_OK, "%s was taken; want \"%s\" \"%s\"", name, where, why);
	cr_assert(strstr(err.text, name) && strstr(err.text, where) && strstr(err.text, why),
		"want \"%s\" \"%s\" \"%s\" in: %s", name, where, why, err.text);
}

static inline struct index_vectors *input_open(const char *name, const void *data, size_t size)
{
	struct veil_error err = {{0}};
	struct index_vectors *v;

	cr_assert_eq(index_vectors_open(&v, input_write(name, data, size), &err), VEIL_OK, "%s", err.text);
	return v;
}

#endif
