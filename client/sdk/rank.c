/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/rank.h"

bool rank_before(const struct rank_row *a, const struct rank_row *b)
{
	if (a->score != b->score)
		return a->score > b->score;
	if (a->record != b->record)
		return a->record < b->record;
	if (a->shard != b->shard)
		return a->shard < b->shard;
	return a->row < b->row;
}

typedef bool order(const struct rank_row *a, const struct rank_row *b);

/* Puts `row` into a heap whose place `at` is free; the root comes last in the order. */
static void sink(struct rank_row *rows, size_t count, size_t at, struct rank_row row, order *before)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= count)
			break;
		if (child + 1 < count && before(&rows[child], &rows[child + 1]))
			child++; /* the later of the two */
		if (!before(&row, &rows[child]))
			break;
		rows[at] = rows[child];
		at = child;
	}
	rows[at] = row;
}

/* In place: qsort leaves a copy of the scores on the heap. */
static void sort(struct rank_row *rows, size_t count, order *before)
{
	for (size_t i = count / 2; i-- > 0;)
		sink(rows, count, i, rows[i], before);
	for (; count > 1; count--) {
		struct rank_row last = rows[count - 1];

		rows[count - 1] = rows[0];
		sink(rows, count - 1, 0, last, before);
	}
}

static void rise(struct rank_best *best, size_t at, struct rank_row row)
{
	while (at > 0 && rank_before(&best->rows[(at - 1) / 2], &row)) {
		best->rows[at] = best->rows[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	best->rows[at] = row;
}

void rank_best_offer(struct rank_best *best, const struct rank_row *row)
{
	if (best->count < best->limit)
		rise(best, best->count++, *row);
	else if (rank_before(row, &best->rows[0]))
		sink(best->rows, best->count, 0, *row, rank_before);
}

double rank_margin(const struct rank_row *rows, size_t count)
{
	const struct rank_row *first = NULL, *second = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!first || rank_before(&rows[i], first)) {
			second = first;
			first = &rows[i];
		} else if (!second || rank_before(&rows[i], second)) {
			second = &rows[i];
		}
	}
	return second ? first->score - second->score : -1;
}

static bool record_before(const struct rank_row *a, const struct rank_row *b)
{
	return a->record != b->record ? a->record < b->record : rank_before(a, b);
}

size_t rank_merge(struct rank_row *rows, size_t count, size_t top)
{
	size_t kept = 0;

	sort(rows, count, record_before);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || rows[i].record == RANK_NO_RECORD || rows[i].record != rows[kept - 1].record)
			rows[kept++] = rows[i];
	}
	sort(rows, kept, rank_before);
	return kept < top ? kept : top;
}
