/* SPDX-License-Identifier: Apache-2.0 */
#include "veil/vectors.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/require.h"
#include "index/vectors.h"

#define LIMIT_TEXT_BYTES (1u << 20)
#define BLANK " \t\r\n"

struct veil_vectors {
	float *data; /* [count][dim] */
	uint32_t count;
	uint32_t dim;
};

static bool has_ending(const char *path, const char *ending)
{
	size_t n = strlen(path), m = strlen(ending);

	return n >= m && strcmp(path + n - m, ending) == 0;
}

static enum veil_status read_rows(struct veil_vectors *v, const char *path, struct veil_error *err)
{
	struct index_vectors *file = NULL;
	enum veil_status st = index_vectors_open(&file, path, err);

	if (st != VEIL_OK)
		return st;
	v->count = index_vectors_rows(file);
	v->dim = index_vectors_dim(file);
	v->data = calloc((size_t)v->count, v->dim * sizeof *v->data);
	st = v->data ? index_vectors_read(file, 0, v->count, v->data, err)
		     : error_set(err, VEIL_E_NOMEM, "%s: no memory for %u rows", path, v->count);
	index_vectors_close(file);
	return st;
}

static enum veil_status read_text(char *text, const char *path, struct veil_error *err)
{
	FILE *file = fopen(path, "rb");
	size_t size;
	bool failed;

	if (!file)
		return error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	size = fread(text, 1, LIMIT_TEXT_BYTES + 1, file);
	failed = ferror(file) != 0;
	fclose(file);
	if (failed)
		return error_set(err, VEIL_E_IO, "%s: cannot be read", path);
	if (size > LIMIT_TEXT_BYTES || memchr(text, 0, size))
		return error_set(err, VEIL_E_INVALID,
			"%s: not a vector as text; a binary file needs its ending .fvecs or .npy", path);
	text[size] = 0;
	return VEIL_OK;
}

/* Numbers parted by blanks or single commas, perhaps all in one pair of brackets. */
static enum veil_status parse_text(
	struct veil_vectors *v, const char *text, const char *path, struct veil_error *err)
{
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	const char *at = text + strspn(text, BLANK);
	bool bracket = *at == '[', zero = true;
	enum veil_status st = plain ? VEIL_OK : error_set(err, VEIL_E_NOMEM, "%s: no memory", path);

	at += bracket;
	at += strspn(at, BLANK);
	while (st == VEIL_OK && *at && *at != ']') {
		char *end;
		float x = strtof_l(at, &end, plain);

		if (end == at)
			st = error_set(err, VEIL_E_INVALID, "%s: what follows number %u is not a number",
				path, v->dim);
		else if (!isfinite(x))
			st = error_set(err, VEIL_E_INVALID, "%s: number %u is not finite", path, v->dim);
		else if (v->dim == INDEX_MAX_DIM)
			st = error_set(err, VEIL_E_INVALID, "%s: more than %d numbers", path, INDEX_MAX_DIM);
		if (st != VEIL_OK)
			break;
		v->data[v->dim++] = x;
		zero = zero && x == 0;
		at = end + strspn(end, BLANK);
		if (*at == ',') {
			at++;
			at += strspn(at, BLANK);
			if (!*at || *at == ']')
				st = error_set(
					err, VEIL_E_INVALID, "%s: nothing follows the last comma", path);
		}
	}
	if (st == VEIL_OK && bracket && *at != ']')
		st = error_set(err, VEIL_E_INVALID, "%s: the closing bracket is missing", path);
	else if (st == VEIL_OK && at[bracket + strspn(at + bracket, BLANK)])
		st = error_set(err, VEIL_E_INVALID, "%s: something follows the vector", path);
	else if (st == VEIL_OK && zero)
		st = error_set(err, VEIL_E_INVALID, "%s: %s", path,
			v->dim ? "the vector is all zeros" : "no numbers");
	if (plain)
		freelocale(plain);
	return st;
}

static enum veil_status read_one(struct veil_vectors *v, const char *path, struct veil_error *err)
{
	char *text = malloc(LIMIT_TEXT_BYTES + 2);
	enum veil_status st = VEIL_E_NOMEM;

	v->count = 1;
	v->data = calloc(INDEX_MAX_DIM, sizeof *v->data);
	if (text && v->data) {
		st = read_text(text, path, err);
		if (st == VEIL_OK)
			st = parse_text(v, text, path, err);
	} else {
		error_set(err, st, "%s: no memory", path);
	}
	free(text);
	return st;
}

enum veil_status veil_vectors_read(struct veil_vectors **out, const char *path, struct veil_error *err)
{
	static const char *const endings[] = {".fvecs", ".npy", ".jsonl", ".ndjson"};
	struct veil_vectors *v = calloc(1, sizeof *v);
	bool rows = false;
	enum veil_status st;

	*out = NULL;
	if (!v)
		return error_set(err, VEIL_E_NOMEM, "%s: no memory", path);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
		rows = rows || has_ending(path, endings[i]);
	st = rows ? read_rows(v, path, err) : read_one(v, path, err);
	if (st != VEIL_OK) {
		veil_vectors_destroy(v);
		return st;
	}
	*out = v;
	return VEIL_OK;
}

uint32_t veil_vectors_count(const struct veil_vectors *vectors)
{
	return vectors->count;
}

uint32_t veil_vectors_dim(const struct veil_vectors *vectors)
{
	return vectors->dim;
}

const float *veil_vectors_row(const struct veil_vectors *vectors, uint32_t row)
{
	REQUIRE(row < vectors->count);
	return vectors->data + (size_t)row * vectors->dim;
}

void veil_vectors_destroy(struct veil_vectors *vectors)
{
	if (!vectors)
		return;
	free(vectors->data);
	free(vectors);
}
