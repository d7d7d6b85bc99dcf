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

struct assigning {
	const uint32_t *nearest;
	const float *distances;
	uint32_t width;
	uint32_t rows;
	uint32_t shards;
	const struct index_closure *closure;
	uint64_t *order; /* [rows]: who chooses first, keys */
	uint64_t *copy; /* [copies]: candidates beyond the nearest within reach, best first, keys */
	uint64_t copies;
	uint8_t *next; /* [rows]: candidates of the row that `copy` has named so far */
	uint8_t *chosen; /* [rows]: bit c: candidate c was taken */
	uint32_t *forced; /* [rows]: the shard of a row all whose candidates were full, else NOWHERE */
	uint32_t *size; /* [shards] */
	uint32_t moved;
};

/* A distance over the least one of the row; at least 1. */
static float margin(const struct assigning *a, uint32_t row, uint32_t choice)
{
	const float *d = a->distances + (size_t)row * a->width;

	if (choice >= a->width)
		return INFINITY;
	if (d[choice] <= d[0])
		return 1;
	return d[0] > 0 ? d[choice] / d[0] : INFINITY;
}

/* The bits of positive floats are in the order of their values. A key holds margin and row: eight bytes where
 * there may be seven keys a row. Which candidate it is, is told by how many of that row came before. */
static uint64_t key_of(float m, uint32_t row)
{
	union {
		float value;
		uint32_t bits;
	} u = {.value = m};

	return (uint64_t)u.bits << 32 | row;
}

/* Radix exchange: in place, where qsort would take as much memory again. */
static void sort_keys(uint64_t *key, uint64_t count, uint64_t bit)
{
	while (count > 1 && bit) {
		uint64_t low = 0, high = count;

		while (low < high) {
			uint64_t k = key[low];

			if (k & bit) {
				key[low] = key[--high];
				key[high] = k;
			} else {
				low++;
			}
		}
		bit >>= 1;
		sort_keys(key, low, bit);
		key += low;
		count -= low;
	}
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
				a->copy[a->copies] = key_of(m, r);
			a->copies++;
		}
}

/* Rows whose second choice costs most first; of equals the lower one. */
static void sort_rows(struct assigning *a)
{
	for (uint32_t r = 0; r < a->rows; r++)
		a->order[r] = ~key_of(margin(a, r, 1), ~r);
	sort_keys(a->order, a->rows, (uint64_t)1 << 63);
}

static uint32_t most_rows(uint32_t rows, uint32_t shards, const struct index_closure *closure)
{
	return closure->room ? closure->room : (uint32_t)ceil(closure->replication * ((double)rows / shards));
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

	memset(a->next, 0, a->rows);
	memset(a->chosen, 0, a->rows);
	memset(a->forced, 0xff, a->rows * sizeof *a->forced);
	memset(a->size, 0, a->shards * sizeof *a->size);
	a->moved = 0;
	for (uint32_t i = 0; i < a->rows; i++)
		place_row(a, (uint32_t)a->order[i], capacity);
	for (uint64_t i = 0; i < a->copies && used < budget; i++) {
		uint32_t row = (uint32_t)a->copy[i], c = ++a->next[row];
		uint32_t shard = a->nearest[(size_t)row * a->width + c];
		unsigned had = (unsigned)__builtin_popcount(a->chosen[row]) + (a->forced[row] != NOWHERE);

		if (a->chosen[row] >> c & 1 || had >= a->closure->max_copies || a->size[shard] >= capacity)
			continue;
		put(a, row, c);
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

/* The smallest number of rows that a shard may have: a tenth more than even, where that is a whole row. */
static uint32_t least_capacity(const struct assigning *a)
{
	double even = (double)a->rows / a->shards;

	return (uint32_t)fmax(ceil(even), floor(INDEX_MAX_PADDING * even));
}

/* Copies that would only make everybody's shard longer are not worth it. */
static uint32_t settle_capacity(struct assigning *a)
{
	uint32_t low = least_capacity(a), most = most_rows(a->rows, a->shards, a->closure), high;

	choose(a, a->closure->room || most > low ? most : low);
	high = largest(a);
	if (a->closure->room)
		return high;
	if (high <= low || !too_padded(a, high))
		return high;
	while (low < high) { /* the largest capacity that is not too much; `low` always is allowed */
		uint32_t middle = low + (high - low + 1) / 2;

		if (too_padded(a, middle))
			high = middle - 1;
		else
			low = middle;
	}
	/* Chosen again for less room, the rows may fall otherwise. */
	for (choose(a, low); too_padded(a, largest(a)) && low > least_capacity(a); choose(a, low))
		low = low - 1 - (low - least_capacity(a)) / 16;
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
	a->next = malloc(a->rows);
	a->chosen = malloc(a->rows);
	a->forced = malloc(a->rows * sizeof *a->forced);
	a->size = malloc(a->shards * sizeof *a->size);
	if (!a->copy || !a->order || !a->next || !a->chosen || !a->forced || !a->size)
		return error_set(err, VEIL_E_NOMEM, "out of memory to assign %u rows", a->rows);
	return VEIL_OK;
}

uint64_t index_assign_bytes(
	uint32_t rows, uint32_t width, uint32_t shards, const struct index_closure *closure)
{
	double copies = fmin(closure->replication, fmin(width, closure->max_copies));
	uint64_t row = 8 /* order */ + 8 * (width - 1) /* copy */ + 1 + 1 + 4; /* next, chosen, forced */

	return rows * row + (uint64_t)(copies * rows) * 4 + shards * (uint64_t)20;
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
	sort_keys(a.copy, a.copies, (uint64_t)1 << 63);
	sort_rows(&a);
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
	free(a.next);
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
