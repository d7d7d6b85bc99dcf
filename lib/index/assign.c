/* SPDX-License-Identifier: Apache-2.0 */
#include "index/assign.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/require.h"
#include "index/random.h"

#define NOWHERE UINT32_MAX

/* A row and one of its candidates; `margin` is that distance over the least one. */
struct copy {
	float margin;
	uint32_t row;
	uint32_t choice;
};

struct assigning {
	const uint32_t *nearest;
	const float *distances;
	uint32_t width;
	uint32_t rows;
	uint32_t shards;
	const struct index_closure *closure;
	uint32_t *order; /* [rows]: who chooses first */
	struct copy *copy; /* [copies]: candidates beyond the nearest within reach, best first */
	uint64_t copies;
	uint8_t *chosen; /* [rows]: bit c: candidate c was taken */
	uint32_t *forced; /* [rows]: the shard of a row all whose candidates were full, else NOWHERE */
	uint32_t *size; /* [shards] */
	uint32_t moved;
};

static float margin(const struct assigning *a, uint32_t row, uint32_t choice)
{
	const float *d = a->distances + (size_t)row * a->width;

	if (choice >= a->width)
		return INFINITY;
	if (d[choice] <= d[0])
		return 1;
	return d[0] > 0 ? d[choice] / d[0] : INFINITY;
}

static int by_regret(const void *x, const void *y, void *arg)
{
	const struct assigning *a = arg;
	uint32_t p = *(const uint32_t *)x, q = *(const uint32_t *)y;
	float m = margin(a, p, 1), n = margin(a, q, 1);

	return m != n ? (m > n ? -1 : 1) : (p > q) - (p < q);
}

static int by_margin(const void *x, const void *y)
{
	const struct copy *p = x, *q = y;

	if (p->margin != q->margin)
		return p->margin < q->margin ? -1 : 1;
	if (p->row != q->row)
		return p->row < q->row ? -1 : 1;
	return (p->choice > q->choice) - (p->choice < q->choice);
}

/* Fills copy[], or only counts where it is NULL. */
static void collect_copies(struct assigning *a)
{
	a->copies = 0;
	for (uint32_t r = 0; r < a->rows; r++)
		for (uint32_t c = 1; c < a->width; c++) {
			float m = margin(a, r, c);

			if (m > a->closure->reach)
				break;
			if (a->copy)
				a->copy[a->copies] = (struct copy){m, r, c};
			a->copies++;
		}
}

static void put(struct assigning *a, uint32_t row, uint32_t choice)
{
	a->chosen[row] |= (uint8_t)(1u << choice);
	a->size[a->nearest[(size_t)row * a->width + choice]]++;
}

static uint32_t emptiest(const struct assigning *a)
{
	uint32_t best = 0;

	for (uint32_t s = 1; s < a->shards; s++)
		if (a->size[s] < a->size[best])
			best = s;
	return best;
}

static void place_row(struct assigning *a, uint32_t row, uint32_t capacity)
{
	uint32_t c;

	for (c = 0; c < a->width && a->size[a->nearest[(size_t)row * a->width + c]] >= capacity; c++)
		;
	a->moved += c > 0;
	if (c < a->width) {
		put(a, row, c);
	} else {
		a->forced[row] = emptiest(a);
		a->size[a->forced[row]]++;
	}
}

/* One whole choice for shards of that capacity; returns the rows in use. */
static uint64_t choose(struct assigning *a, uint32_t capacity)
{
	uint64_t used = a->rows, budget = (uint64_t)(a->closure->replication * a->rows);

	memset(a->chosen, 0, a->rows);
	memset(a->forced, 0xff, a->rows * sizeof *a->forced);
	memset(a->size, 0, a->shards * sizeof *a->size);
	a->moved = 0;
	for (uint32_t i = 0; i < a->rows; i++)
		place_row(a, a->order[i], capacity);
	for (uint64_t i = 0; i < a->copies && used < budget; i++) {
		const struct copy *copy = a->copy + i;
		uint32_t shard = a->nearest[(size_t)copy->row * a->width + copy->choice];
		unsigned had = (unsigned)__builtin_popcount(a->chosen[copy->row]) +
			       (a->forced[copy->row] != NOWHERE);

		if (a->chosen[copy->row] >> copy->choice & 1 || had >= a->closure->max_copies ||
			a->size[shard] >= capacity)
			continue;
		put(a, copy->row, copy->choice);
		used++;
	}
	return used;
}

static uint32_t largest(const struct assigning *a)
{
	uint32_t max = 1;

	for (uint32_t s = 0; s < a->shards; s++)
		if (a->size[s] > max)
			max = a->size[s];
	return max;
}

/* Would shards of that capacity, filled as they are now, be padded too much? */
static bool too_padded(const struct assigning *a, uint32_t capacity)
{
	uint64_t used = 0;

	for (uint32_t s = 0; s < a->shards; s++)
		used += a->size[s] < capacity ? a->size[s] : capacity;
	return (double)capacity * a->shards > INDEX_MAX_PADDING * (double)used;
}

/* Copies that would only make everybody's shard longer are not worth it. */
static uint32_t settle_capacity(struct assigning *a)
{
	double even = (double)a->rows / a->shards;
	uint32_t least = (uint32_t)ceil(INDEX_MAX_PADDING * even);
	uint32_t most = (uint32_t)ceil(a->closure->replication * even);
	uint32_t low = least, high;

	choose(a, most > least ? most : least);
	high = largest(a);
	if (high <= least || !too_padded(a, high))
		return high;
	while (low < high) { /* the largest capacity that is not too much; `low` always is allowed */
		uint32_t middle = low + (high - low + 1) / 2;

		if (too_padded(a, middle))
			high = middle - 1;
		else
			low = middle;
	}
	choose(a, low);
	return largest(a);
}

static enum veil_status fill(const struct assigning *a, struct index_assignment *out, struct veil_error *err)
{
	uint64_t *at = calloc(a->shards, sizeof *at);

	out->start = calloc((size_t)a->shards + 1, sizeof *out->start);
	for (uint32_t s = 0; s < a->shards && out->start; s++)
		out->start[s + 1] = out->start[s] + a->size[s];
	out->used = out->start ? out->start[a->shards] : 0;
	out->row = malloc(out->used * sizeof *out->row);
	if (!at || !out->start || !out->row) {
		free(at);
		return error_set(err, VEIL_E_NOMEM, "out of memory to assign %u rows", a->rows);
	}
	memcpy(at, out->start, a->shards * sizeof *at);
	for (uint32_t r = 0; r < a->rows; r++) {
		for (uint32_t c = 0; c < a->width; c++)
			if (a->chosen[r] >> c & 1)
				out->row[at[a->nearest[(size_t)r * a->width + c]]++] = r;
		if (a->forced[r] != NOWHERE)
			out->row[at[a->forced[r]]++] = r;
	}
	free(at);
	return VEIL_OK;
}

static enum veil_status allocate(struct assigning *a, struct veil_error *err)
{
	collect_copies(a);
	a->copy = malloc((a->copies + 1) * sizeof *a->copy);
	a->order = malloc(a->rows * sizeof *a->order);
	a->chosen = malloc(a->rows);
	a->forced = malloc(a->rows * sizeof *a->forced);
	a->size = malloc(a->shards * sizeof *a->size);
	if (!a->copy || !a->order || !a->chosen || !a->forced || !a->size)
		return error_set(err, VEIL_E_NOMEM, "out of memory to assign %u rows", a->rows);
	return VEIL_OK;
}

enum veil_status index_assign(struct index_assignment *out, const uint32_t *nearest, const float *distances,
	uint32_t width, uint32_t rows, uint32_t shards, const struct index_closure *closure,
	const struct rng *rng, struct veil_error *err)
{
	struct assigning a = {.nearest = nearest,
		.distances = distances,
		.width = width,
		.rows = rows,
		.shards = shards,
		.closure = closure};
	enum veil_status st;

	memset(out, 0, sizeof *out);
	REQUIRE(rows >= 1 && width >= 1 && width <= shards && width <= INDEX_MAX_COPIES);
	REQUIRE(closure->reach >= 1 && closure->replication >= 1 && closure->max_copies >= 1);
	st = allocate(&a, err);
	if (st != VEIL_OK)
		goto out;
	collect_copies(&a);
	qsort(a.copy, a.copies, sizeof *a.copy, by_margin);
	for (uint32_t r = 0; r < rows; r++)
		a.order[r] = r;
	qsort_r(a.order, rows, sizeof *a.order, by_regret, &a);
	out->shards = shards;
	out->rows = settle_capacity(&a);
	out->moved = a.moved;
	st = fill(&a, out, err);
	for (uint32_t s = 0; st == VEIL_OK && s < shards; s++)
		index_random_shuffle(
			rng, out->row + out->start[s], (uint32_t)(out->start[s + 1] - out->start[s]));
out:
	if (st != VEIL_OK)
		index_assignment_clear(out);
	free(a.copy);
	free(a.order);
	free(a.chosen);
	free(a.forced);
	free(a.size);
	return st;
}

void index_assignment_clear(struct index_assignment *a)
{
	if (!a)
		return;
	free(a->start);
	free(a->row);
	memset(a, 0, sizeof *a);
}
