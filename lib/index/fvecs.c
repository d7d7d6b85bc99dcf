/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "base/error.h"
#include "index/formats.h"

/* The size fits no whole number of rows: go from row to row to the one that is to blame. */
static enum veil_status blame_row(const struct index_vectors *v, struct veil_error *err)
{
	uint8_t head[4];
	enum veil_status st;
	uint64_t at = 0, row;

	for (row = 0; v->size - at >= v->stride; row++, at += v->stride) {
		st = index_read_at(v, head, sizeof head, at, err);
		if (st != VEIL_OK)
			return st;
		if (load_le32(head) != v->dim)
			return error_set(err, VEIL_E_INVALID, "%s: row %llu: dimension %u where row 0 has %u",
				v->label, (unsigned long long)row, load_le32(head), v->dim);
	}
	return error_set(err, VEIL_E_INVALID, "%s: truncated in row %llu: %llu of %u bytes", v->label,
		(unsigned long long)row, (unsigned long long)(v->size - at), v->stride);
}

enum veil_status index_fvecs_open(struct index_vectors *v, struct veil_error *err)
{
	uint8_t head[4];
	enum veil_status st;

	if (v->size < sizeof head)
		return error_set(err, VEIL_E_INVALID, "%s: truncated in row 0: %llu bytes", v->label,
			(unsigned long long)v->size);
	st = index_read_at(v, head, sizeof head, 0, err);
	if (st != VEIL_OK)
		return st;
	v->dim = load_le32(head);
	if (v->dim < 1 || v->dim > INDEX_MAX_DIM)
		return error_set(err, VEIL_E_INVALID, "%s: row 0: dimension %u, not in 1..%u", v->label,
			v->dim, INDEX_MAX_DIM);
	v->dtype = INDEX_F32;
	v->stride = 4 + 4 * v->dim;
	if (v->size / v->stride > INDEX_MAX_ROWS)
		return error_set(err, VEIL_E_INVALID, "%s: more than %u rows", v->label, INDEX_MAX_ROWS);
	if (v->size % v->stride != 0)
		return blame_row(v, err);
	v->rows = (uint32_t)(v->size / v->stride);
	return VEIL_OK;
}
