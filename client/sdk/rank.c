/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/rank.h"

#include <stdlib.h>

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

static void sink(struct rank_best *best, size_t at, struct rank_row row)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= best->count)
			break;
		if (child + 1 < best->count && rank_before(&best->rows[child], &best->rows[child + 1]))
			child++; /* the worse of the two */
		if (!rank_before(&row, &best->rows[child]))
			break;
		best->rows[at] = best->rows[child];
		at = child;
	}
	best->rows[at] = row;
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
		sink(best, 0, *row);
}

static int by_rank(const void *a, const void *b)
{
	return rank_before(a, b) ? -1 : rank_before(b, a);
}

static int by_record(const void *a, const void *b)
{
	const struct rank_row *x = a, *y = b;

	if (x->record != y->record)
		return x->record < y->record ? -1 : 1;
	return by_rank(a, b);
}

size_t rank_merge(struct rank_row *rows, size_t count, size_t top)
{
	size_t kept = 0;

	qsort(rows, count, sizeof *rows, by_record);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || rows[i].record == RANK_NO_RECORD || rows[i].record != rows[kept - 1].record)
			rows[kept++] = rows[i];
	}
	qsort(rows, kept, sizeof *rows, by_rank);
	return kept < top ? kept : top;
}
