/* SPDX-License-Identifier: Apache-2.0 */
#include "store/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "index/label.h"
#include "index/quantize.h"
#include "store/format.h"

static bool all_zero(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i])
			return false;
	return true;
}

static enum veil_status check_rows(const struct store_index *index, uint32_t s, struct veil_error *err)
{
	const struct store_shard *shard = index->shard + s;
	uint64_t limit = (uint64_t)index->spec.row_norm * index->spec.row_norm;
	uint32_t dim = index->spec.dim;
	char name[STORE_NAME_SIZE];

	store_table_name(name, STORE_ROWS, s);
	for (uint32_t i = 0; i < index->spec.rows; i++) {
		uint32_t norm2 = index_norm2(shard->rows + (size_t)i * dim, dim);

		if (i < shard->used && norm2 > limit)
			return error_set(err, VEIL_E_CORRUPT, "%s: row %u: longer than row_norm %u", name, i,
				index->spec.row_norm);
		if (i >= shard->used && norm2 != 0)
			return error_set(
				err, VEIL_E_CORRUPT, "%s: row %u: padding that is not zero", name, i);
	}
	return VEIL_OK;
}

static const char *label_fault(const struct store_index *index, const uint8_t *label, bool padding)
{
	uint32_t record = index_label_record(label), width = index->label_bytes;
	char name[INDEX_MAX_LABEL_BYTES + 1];
	size_t size;

	index_label_name(label, width, name);
	size = strlen(name);
	if (padding && (record != INDEX_NO_RECORD || size != 0))
		return "padding that names a record";
	if (!padding && record >= index->records)
		return "a record beyond the last";
	if (!all_zero(label + 4 + size, width - 4 - size))
		return "bytes behind the name";
	return index_text_valid(name, size) ? NULL : "a name that is not UTF-8 or holds a control character";
}

/* `seen[record]` is 1 + the last shard that holds it. */
static enum veil_status check_labels(
	const struct store_index *index, uint32_t s, uint32_t *seen, struct veil_error *err)
{
	const struct store_shard *shard = index->shard + s;
	char name[STORE_NAME_SIZE];

	store_table_name(name, STORE_LABELS, s);
	for (uint32_t i = 0; i < index->spec.rows; i++) {
		const uint8_t *label = shard->labels + (size_t)i * index->label_bytes;
		const char *fault = label_fault(index, label, i >= shard->used);
		uint32_t record = index_label_record(label);

		if (!fault && i < shard->used) {
			if (seen[record] == s + 1)
				fault = "a record that the shard holds already";
			seen[record] = s + 1;
		}
		if (fault)
			return error_set(err, VEIL_E_CORRUPT, "%s: row %u: %s", name, i, fault);
	}
	return VEIL_OK;
}

enum veil_status store_index_check(const struct store_index *index, struct veil_error *err)
{
	enum veil_status st = VEIL_OK;
	uint32_t *seen = NULL;

	if (index->label_bytes) {
		seen = calloc((size_t)index->records, sizeof *seen);
		if (!seen)
			return error_set(err, VEIL_E_NOMEM, "out of memory to check %llu records",
				(unsigned long long)index->records);
	}
	for (uint32_t s = 0; st == VEIL_OK && s < index->shards; s++) {
		st = check_rows(index, s, err);
		if (st == VEIL_OK && seen)
			st = check_labels(index, s, seen, err);
	}
	for (uint64_t r = 0; st == VEIL_OK && seen && r < index->records; r++)
		if (!seen[r])
			st = error_set(
				err, VEIL_E_CORRUPT, "record %llu is in no shard", (unsigned long long)r);
	free(seen);
	return st;
}
