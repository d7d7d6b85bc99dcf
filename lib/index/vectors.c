/* SPDX-License-Identifier: Apache-2.0 */
#include "index/vectors.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/require.h"
#include "index/formats.h"

_Static_assert(sizeof(float) == 4, "float32");

static enum veil_status detect(const char *path, enum index_format *format, struct veil_error *err)
{
	static const struct {
		const char *ending;
		enum index_format format;
	} known[] = {{".fvecs", INDEX_FVECS}, {".npy", INDEX_NPY}, {".jsonl", INDEX_JSONL},
		{".ndjson", INDEX_JSONL}};
	size_t size = strlen(path);

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		size_t end = strlen(known[i].ending);

		if (size > end && strcasecmp(path + size - end, known[i].ending) == 0) {
			*format = known[i].format;
			return VEIL_OK;
		}
	}
	return error_set(
		err, VEIL_E_UNSUPPORTED, "%s: unknown ending; known are .fvecs .npy .jsonl .ndjson", path);
}

static int open_file(const char *path)
{
	return open(path,
		O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* not to wait for the writer of a pipe */
}

static enum veil_status open_within(struct index_vectors **out, int fd, const char *label,
	enum index_format format, uint64_t limit, struct veil_error *err);

enum veil_status index_vectors_open_within(
	struct index_vectors **out, const char *path, uint64_t limit, struct veil_error *err)
{
	enum index_format format = INDEX_FVECS;
	enum veil_status st;
	int fd;

	*out = NULL;
	st = detect(path, &format, err);
	if (st != VEIL_OK)
		return st;
	fd = open_file(path);
	if (fd < 0)
		return error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	return open_within(out, fd, path, format, limit, err);
}

enum veil_status index_vectors_open(struct index_vectors **out, const char *path, struct veil_error *err)
{
	return index_vectors_open_within(out, path, 0, err);
}

static enum veil_status check_file(int fd, const char *label, uint64_t *size, struct veil_error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return error_set(err, VEIL_E_IO, "%s: %s", label, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(err, VEIL_E_INVALID, "%s: not a regular file", label);
	*size = (uint64_t)st.st_size;
	return VEIL_OK;
}

static enum veil_status open_format(struct index_vectors *v, struct veil_error *err)
{
	if (v->size == 0)
		return error_set(err, VEIL_E_INVALID, "%s: empty: no rows", v->label);
	switch (v->format) {
	case INDEX_FVECS:
		return index_fvecs_open(v, err);
	case INDEX_NPY:
		return index_npy_open(v, err);
	case INDEX_JSONL:
		return index_jsonl_open(v, err);
	}
	REQUIRE(!"a known format");
	return VEIL_E_INVALID;
}

static enum veil_status open_within(struct index_vectors **out, int fd, const char *label,
	enum index_format format, uint64_t limit, struct veil_error *err)
{
	struct index_vectors *v = calloc(1, sizeof *v);
	enum veil_status st;

	*out = NULL;
	if (v)
		v->label = strdup(label);
	if (!v || !v->label) {
		free(v);
		close(fd);
		return error_set(err, VEIL_E_NOMEM, "%s: out of memory", label);
	}
	v->fd = fd;
	v->format = format;
	v->limit = limit;
	st = check_file(fd, label, &v->size, err);
	if (st == VEIL_OK)
		st = open_format(v, err);
	if (st == VEIL_OK)
		*out = v;
	else
		index_vectors_close(v);
	return st;
}

enum veil_status index_vectors_open_fd(struct index_vectors **out, int fd, const char *label,
	enum index_format format, struct veil_error *err)
{
	return open_within(out, fd, label, format, 0, err);
}

void index_vectors_close(struct index_vectors *v)
{
	if (!v)
		return;
	close(v->fd);
	index_texts_clear(&v->names);
	free(v->values);
	free(v->label);
	free(v);
}

uint32_t index_vectors_rows(const struct index_vectors *v)
{
	return v->rows;
}

uint32_t index_vectors_dim(const struct index_vectors *v)
{
	return v->dim;
}

uint64_t index_vectors_held(const struct index_vectors *v)
{
	uint64_t rows = v->values ? (uint64_t)v->rows * v->dim * sizeof *v->values : 0;

	return rows + index_texts_bytes(&v->names);
}

enum veil_status index_read_at(
	const struct index_vectors *v, void *out, size_t size, uint64_t offset, struct veil_error *err)
{
	uint8_t *to = out;

	while (size > 0) {
		ssize_t got = pread(v->fd, to, size, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set(err, VEIL_E_IO, "%s: %s", v->label, strerror(errno));
		if (got == 0)
			return error_set(err, VEIL_E_IO, "%s: became shorter while it was read", v->label);
		to += got;
		offset += (uint64_t)got;
		size -= (size_t)got;
	}
	return VEIL_OK;
}

size_t index_dtype_bytes(enum index_dtype dtype)
{
	static const size_t bytes[] = {[INDEX_F32] = 4, [INDEX_F16] = 2, [INDEX_F64] = 8, [INDEX_I8] = 1};

	return bytes[dtype];
}

/* IEEE 754 binary16; every value is exact in float32. */
static float from_half(unsigned h)
{
	int exponent = (int)(h >> 10 & 31);
	float part = (float)(h & 1023), sign = h & 0x8000 ? -1.0f : 1.0f;

	if (exponent == 31)
		return part != 0 ? NAN : sign * INFINITY;
	if (exponent == 0)
		return sign * ldexpf(part, -24);
	return sign * ldexpf(part + 1024, exponent - 25);
}

static float convert(const uint8_t *p, enum index_dtype dtype)
{
	union {
		uint64_t bits;
		double value;
	} d;
	union {
		uint32_t bits;
		float value;
	} f;

	switch (dtype) {
	case INDEX_F32:
		f.bits = load_le32(p);
		return f.value;
	case INDEX_F16:
		return from_half((unsigned)p[0] | (unsigned)p[1] << 8);
	case INDEX_F64:
		d.bits = load_le64(p);
		return (float)d.value;
	case INDEX_I8:
		return (float)(int8_t)p[0];
	}
	REQUIRE(!"a known dtype");
	return 0;
}

bool index_row_ok(const float *values, uint32_t dim, char why[INDEX_WHY_SIZE])
{
	bool zero = true;

	for (uint32_t j = 0; j < dim; j++) {
		if (!isfinite(values[j])) {
			snprintf(why, INDEX_WHY_SIZE, "coordinate %u is %s", j,
				isnan(values[j]) ? "NaN" : "infinite or too large for a float");
			return false;
		}
		zero = zero && values[j] == 0;
	}
	if (zero)
		snprintf(why, INDEX_WHY_SIZE, "all coordinates are zero: it has no direction");
	return !zero;
}

static enum veil_status convert_row(
	const struct index_vectors *v, uint32_t row, const uint8_t *raw, float *out, struct veil_error *err)
{
	size_t width = index_dtype_bytes(v->dtype);
	char why[INDEX_WHY_SIZE];

	if (v->format == INDEX_FVECS) {
		if (load_le32(raw) != v->dim)
			return error_set(err, VEIL_E_INVALID, "%s: row %u: dimension %u where row 0 has %u",
				v->label, row, load_le32(raw), v->dim);
		raw += 4;
	}
	for (uint32_t j = 0; j < v->dim; j++)
		out[j] = convert(raw + j * width, v->dtype);
	if (!index_row_ok(out, v->dim, why))
		return error_set(err, VEIL_E_INVALID, "%s: row %u: %s", v->label, row, why);
	return VEIL_OK;
}

/* Rows are read in pieces of this size, so that memory is bounded and the calls are few. */
#define PIECE_BYTES (1u << 16)

enum veil_status index_vectors_read(
	const struct index_vectors *v, uint32_t first, uint32_t count, float *out, struct veil_error *err)
{
	uint8_t raw[PIECE_BYTES];
	uint32_t piece;
	enum veil_status st;

	REQUIRE(first <= v->rows && count <= v->rows - first);
	if (v->format == INDEX_JSONL) { /* checked when it was opened */
		memcpy(out, v->values + (size_t)first * v->dim, (size_t)count * v->dim * sizeof *out);
		return VEIL_OK;
	}
	for (; count > 0; count -= piece, first += piece) {
		piece = PIECE_BYTES / v->stride;
		if (piece > count)
			piece = count;
		st = index_read_at(
			v, raw, (size_t)piece * v->stride, v->offset + (uint64_t)first * v->stride, err);
		for (uint32_t i = 0; st == VEIL_OK && i < piece; i++, out += v->dim)
			st = convert_row(v, first + i, raw + (size_t)i * v->stride, out, err);
		if (st != VEIL_OK)
			return st;
	}
	return VEIL_OK;
}
_Static_assert(PIECE_BYTES >= 4 + 8 * INDEX_MAX_DIM, "at least one row");

const char *index_vectors_name(const struct index_vectors *v, uint32_t row)
{
	REQUIRE(row < v->rows);
	return v->names.count ? index_texts_get(&v->names, row) : "";
}

enum veil_status index_vectors_read_names(struct index_vectors *v, const char *path, struct veil_error *err)
{
	int fd = open_file(path);
	enum veil_status st;
	uint64_t size;

	if (fd < 0)
		return error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	st = check_file(fd, path, &size, err);
	if (st == VEIL_OK)
		st = index_vectors_read_names_fd(v, fd, path, err);
	else
		close(fd);
	return st;
}
