/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "index/formats.h"
#include "index/label.h"

/* The header is a Python dictionary literal, {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), },
 * padded with blanks and ended by a newline. Source: NumPy, numpy.lib.format, "Format Version 1.0" to "3.0".
 */

#define MAX_HEADER_BYTES 4096

/* The text of the header, read from left to right. */
struct text {
	const char *at;
	const char *end;
};

static void skip_blanks(struct text *t)
{
	while (t->at < t->end && (*t->at == ' ' || *t->at == '\t' || *t->at == '\n'))
		t->at++;
}

static bool take(struct text *t, const char *token)
{
	size_t size = strlen(token);

	skip_blanks(t);
	if ((size_t)(t->end - t->at) < size || memcmp(t->at, token, size) != 0)
		return false;
	t->at += size;
	return true;
}

/* A quoted string without escapes. */
static bool take_string(struct text *t, char *out, size_t room)
{
	const char *from;
	size_t size;
	char quote;

	skip_blanks(t);
	if (t->at == t->end || (*t->at != '\'' && *t->at != '"'))
		return false;
	quote = *t->at++;
	for (from = t->at; t->at < t->end && *t->at != quote && *t->at != '\\'; t->at++)
		;
	size = (size_t)(t->at - from);
	if (t->at == t->end || *t->at != quote || size >= room || memchr(from, 0, size))
		return false;
	t->at++;
	memcpy(out, from, size);
	out[size] = 0;
	return true;
}

static bool take_number(struct text *t, uint64_t *out)
{
	const char *from;

	skip_blanks(t);
	*out = 0;
	for (from = t->at; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++) {
		if (*out > UINT64_MAX / 10 - 1)
			return false;
		*out = *out * 10 + (uint64_t)(*t->at - '0');
	}
	return t->at > from;
}

struct header {
	char descr[32];
	bool has_descr, has_order, has_shape;
	bool fortran;
	unsigned axes;
	uint64_t shape[2];
};

static bool take_shape(struct text *t, struct header *h)
{
	uint64_t n;

	if (!take(t, "("))
		return false;
	while (take_number(t, &n)) {
		if (h->axes < 2)
			h->shape[h->axes] = n;
		h->axes++;
		if (!take(t, ","))
			break;
	}
	return take(t, ")");
}

static enum veil_status refuse(const struct index_vectors *v, struct veil_error *err, const char *what)
{
	return error_set(err, VEIL_E_INVALID, "%s: NumPy header %s", v->label, what);
}

static enum veil_status read_entry(
	const struct index_vectors *v, struct text *t, struct header *h, struct veil_error *err)
{
	char key[32];

	if (!take_string(t, key, sizeof key) || !take(t, ":"))
		return refuse(v, err, "is not a dictionary of 'descr', 'fortran_order' and 'shape'");
	if (strcmp(key, "descr") == 0 && !h->has_descr) {
		h->has_descr = true;
		if (take(t, "["))
			return error_set(err, VEIL_E_UNSUPPORTED,
				"%s: structured dtype; use one of '<f4' '<f2' '<f8' '|i1'", v->label);
		if (!take_string(t, h->descr, sizeof h->descr) ||
			!index_text_valid(h->descr, strlen(h->descr)))
			return refuse(v, err, "has a 'descr' that is not a short text");
	} else if (strcmp(key, "fortran_order") == 0 && !h->has_order) {
		h->has_order = true;
		h->fortran = take(t, "True");
		if (!h->fortran && !take(t, "False"))
			return refuse(v, err, "has a 'fortran_order' that is neither True nor False");
	} else if (strcmp(key, "shape") == 0 && !h->has_shape) {
		h->has_shape = true;
		if (!take_shape(t, h))
			return refuse(v, err, "has a 'shape' that is not a tuple of numbers");
	} else {
		return refuse(v, err, "has an unknown or repeated key");
	}
	return VEIL_OK;
}

static enum veil_status read_dictionary(const struct index_vectors *v, const char *data, size_t size,
	struct header *h, struct veil_error *err)
{
	struct text t = {data, data + size};
	enum veil_status st;

	if (!take(&t, "{"))
		return refuse(v, err, "does not begin with '{'");
	while (!take(&t, "}")) {
		st = read_entry(v, &t, h, err);
		if (st != VEIL_OK)
			return st;
		if (take(&t, ","))
			continue;
		if (!take(&t, "}"))
			return refuse(v, err, "does not end with '}'");
		break;
	}
	skip_blanks(&t);
	if (t.at != t.end)
		return refuse(v, err, "goes on after '}'");
	if (!h->has_descr || !h->has_order || !h->has_shape)
		return refuse(v, err, "lacks 'descr', 'fortran_order' or 'shape'");
	return VEIL_OK;
}

static enum veil_status use_header(struct index_vectors *v, const struct header *h, struct veil_error *err)
{
	static const struct {
		const char *name;
		enum index_dtype dtype;
	} known[] = {{"<f4", INDEX_F32}, {"<f2", INDEX_F16}, {"<f8", INDEX_F64}, {"|i1", INDEX_I8}};
	size_t i;

	for (i = 0; i < sizeof known / sizeof *known && strcmp(h->descr, known[i].name) != 0; i++)
		;
	if (i == sizeof known / sizeof *known)
		return error_set(err, VEIL_E_UNSUPPORTED,
			"%s: dtype '%s'; use one of '<f4' '<f2' '<f8' '|i1'", v->label, h->descr);
	if (h->fortran)
		return error_set(err, VEIL_E_UNSUPPORTED,
			"%s: Fortran order; save numpy.ascontiguousarray(array) instead", v->label);
	if (h->axes != 2)
		return error_set(err, VEIL_E_INVALID,
			"%s: %u dimensions where 2 are needed (rows, coordinates)", v->label, h->axes);
	if (h->shape[0] == 0)
		return error_set(err, VEIL_E_INVALID, "%s: no rows", v->label);
	if (h->shape[0] > INDEX_MAX_ROWS)
		return error_set(err, VEIL_E_INVALID, "%s: %llu rows, more than %u", v->label,
			(unsigned long long)h->shape[0], INDEX_MAX_ROWS);
	if (h->shape[1] < 1 || h->shape[1] > INDEX_MAX_DIM)
		return error_set(err, VEIL_E_INVALID, "%s: row 0: dimension %llu, not in 1..%u", v->label,
			(unsigned long long)h->shape[1], INDEX_MAX_DIM);
	v->rows = (uint32_t)h->shape[0];
	v->dim = (uint32_t)h->shape[1];
	v->dtype = known[i].dtype;
	v->stride = v->dim * (uint32_t)index_dtype_bytes(v->dtype);
	return VEIL_OK;
}

/* Length of everything before the first row, and where the dictionary begins. */
static enum veil_status read_preamble(
	struct index_vectors *v, size_t *dictionary, size_t *size, struct veil_error *err)
{
	uint8_t head[12] = {0};
	enum veil_status st;

	if (v->size < 10)
		return error_set(err, VEIL_E_INVALID, "%s: truncated: %llu bytes are no NumPy file", v->label,
			(unsigned long long)v->size);
	st = index_read_at(v, head, v->size < sizeof head ? (size_t)v->size : sizeof head, 0, err);
	if (st != VEIL_OK)
		return st;
	if (memcmp(head, "\x93NUMPY", 6) != 0)
		return error_set(err, VEIL_E_INVALID, "%s: does not begin with \\x93NUMPY", v->label);
	if (head[6] < 1 || head[6] > 3 || head[7] != 0)
		return error_set(err, VEIL_E_UNSUPPORTED,
			"%s: NumPy format %u.%u; 1.0, 2.0 and 3.0 are known", v->label, head[6], head[7]);
	*dictionary = head[6] == 1 ? 10 : 12;
	*size = head[6] == 1 ? (size_t)(head[8] | head[9] << 8) : load_le32(head + 8);
	if (*size > MAX_HEADER_BYTES)
		return error_set(err, VEIL_E_INVALID, "%s: NumPy header of %zu bytes, more than %u", v->label,
			*size, MAX_HEADER_BYTES);
	if (v->size < *dictionary + *size)
		return error_set(err, VEIL_E_INVALID, "%s: truncated inside the NumPy header", v->label);
	return VEIL_OK;
}

enum veil_status index_npy_open(struct index_vectors *v, struct veil_error *err)
{
	char text[MAX_HEADER_BYTES];
	struct header h = {0};
	size_t dictionary = 0, size = 0;
	enum veil_status st;
	uint64_t need;

	st = read_preamble(v, &dictionary, &size, err);
	if (st != VEIL_OK)
		return st;
	st = index_read_at(v, text, size, dictionary, err);
	if (st != VEIL_OK)
		return st;
	st = read_dictionary(v, text, size, &h, err);
	if (st != VEIL_OK)
		return st;
	st = use_header(v, &h, err);
	if (st != VEIL_OK)
		return st;
	v->offset = dictionary + size;
	need = v->offset + (uint64_t)v->rows * v->stride;
	if (v->size < need)
		return error_set(err, VEIL_E_INVALID, "%s: truncated in row %llu of %u", v->label,
			(unsigned long long)((v->size - v->offset) / v->stride), v->rows);
	if (v->size > need)
		return error_set(err, VEIL_E_INVALID, "%s: %llu bytes follow the last row", v->label,
			(unsigned long long)(v->size - need));
	return VEIL_OK;
}
