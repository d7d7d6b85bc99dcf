/* SPDX-License-Identifier: Apache-2.0 */
#include "silent/fuse.h"

#include <stdlib.h>
#include <string.h>

struct row {
	uint32_t degree; /* items that are left in it */
	uint64_t sum; /* the exclusive or of their numbers */
};

enum veil_status fuse_init(struct fuse *f, uint64_t records, uint32_t rows, size_t bytes)
{
	*f = (struct fuse){.rows = rows};
	if (records > SIZE_MAX / sizeof *f->items)
		return VEIL_E_NOMEM;
	f->items = calloc(records + 1, sizeof *f->items);
	f->order = calloc(rows, sizeof *f->order);
	f->state = calloc(rows, sizeof *f->state);
	f->queue = calloc(rows, sizeof *f->queue);
	f->bytes = calloc(1, bytes);
	return f->items && f->order && f->state && f->queue && f->bytes ? VEIL_OK : VEIL_E_NOMEM;
}

void fuse_clear(struct fuse *f)
{
	free(f->items);
	free(f->order);
	free(f->state);
	free(f->queue);
	free(f->bytes);
}

static int compare(const void *a, const void *b)
{
	const struct fuse_item *x = a, *y = b;

	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return x->tag < y->tag ? -1 : x->tag > y->tag;
}

void fuse_sort(struct fuse *f, uint64_t records)
{
	qsort(f->items, records, sizeof *f->items, compare);
}

bool fuse_twice(struct fuse *f, uint64_t records)
{
	for (uint64_t i = 1; i < records; i++)
		if (compare(&f->items[i - 1], &f->items[i]) == 0) {
			f->twice[0] = f->items[i - 1].entry;
			f->twice[1] = f->items[i].entry;
			return true;
		}
	return false;
}

/* The first item of a slot or a later one. */
static uint64_t first_of(const struct fuse *f, uint64_t records, uint32_t slot)
{
	uint64_t low = 0, high = records;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (f->items[middle].slot < slot)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void count_rows(struct fuse *f, uint64_t first, uint64_t end)
{
	memset(f->state, 0, f->rows * sizeof *f->state);
	for (uint64_t i = first; i < end; i++)
		for (unsigned r = 0; r < 3; r++) {
			f->state[f->items[i].rows[r]].degree++;
			f->state[f->items[i].rows[r]].sum ^= i;
		}
}

bool fuse_peel(struct fuse *f, uint64_t records, uint32_t slot)
{
	const uint64_t first = first_of(f, records, slot), end = first_of(f, records, slot + 1);
	size_t waiting = 0;

	f->count = 0;
	if (end - first > f->rows)
		return false;
	count_rows(f, first, end);
	for (uint32_t r = 0; r < f->rows; r++)
		if (f->state[r].degree == 1)
			f->queue[waiting++] = r;
	while (waiting > 0) {
		const uint32_t at = f->queue[--waiting];
		struct fuse_item *item;
		uint64_t number;

		if (f->state[at].degree != 1)
			continue;
		number = f->state[at].sum;
		item = &f->items[number];
		f->order[f->count++] = item;
		for (unsigned r = 0; r < 3; r++) {
			struct row *row = &f->state[item->rows[r]];

			if (item->rows[r] == at)
				item->free = r;
			row->sum ^= number;
			if (--row->degree == 1)
				f->queue[waiting++] = item->rows[r];
		}
	}
	return f->count == end - first;
}
