/* SPDX-License-Identifier: Apache-2.0 */
#include "index/assign.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

struct input {
	uint32_t rows, shards, width;
	uint32_t *nearest;
	float *distances;
};

/* Rows and shards are points of a line: distances that are easy to check. `skew` crowds the rows near one
 * end. */
static struct input make(const struct rng *rng, uint32_t rows, uint32_t shards, bool skew)
{
	struct input in = {.rows = rows, .shards = shards, .width = shards < 8 ? shards : 8};

	in.nearest = malloc((size_t)rows * in.width * sizeof *in.nearest);
	in.distances = malloc((size_t)rows * in.width * sizeof *in.distances);
	for (uint32_t r = 0; r < rows; r++) {
		double at = (double)test_below(rng, 1u << 20) / (1u << 20);
		uint32_t have = 0;

		at = (skew ? at * at * at : at) * shards;
		for (uint32_t s = 0; s < shards; s++) {
			float d = (float)fabs(at - (s + 0.5));
			uint32_t k = have < in.width ? have++ : in.width;

			for (; k > 0 && d < in.distances[(size_t)r * in.width + k - 1]; k--)
				if (k < in.width) {
					in.distances[(size_t)r * in.width + k] =
						in.distances[(size_t)r * in.width + k - 1];
					in.nearest[(size_t)r * in.width + k] =
						in.nearest[(size_t)r * in.width + k - 1];
				}
			if (k < in.width) {
				in.distances[(size_t)r * in.width + k] = d;
				in.nearest[(size_t)r * in.width + k] = s;
			}
		}
	}
	return in;
}

static void clear(struct input *in)
{
	free(in->nearest);
	free(in->distances);
}

static bool holds(const struct index_assignment *a, uint32_t shard, uint32_t row)
{
	for (uint64_t i = a->start[shard]; i < a->start[shard + 1]; i++)
		if (a->row[i] == row)
			return true;
	return false;
}

static void check(const struct input *in, const struct index_closure *c, const struct index_assignment *a)
{
	uint32_t *copies = calloc(in->rows, sizeof *copies), *last = malloc(in->rows * sizeof *last),
		 moved = 0;

	memset(last, 0xff, in->rows * sizeof *last);
	cr_assert_eq(a->shards, in->shards);
	cr_assert_eq(a->start[0], 0);
	cr_assert_eq(a->used, a->start[a->shards]);
	cr_assert_leq(a->used, (uint64_t)(c->replication * in->rows));
	cr_assert_leq(
		a->rows, (uint32_t)ceil(fmax(c->replication, INDEX_MAX_PADDING) * in->rows / in->shards));
	for (uint32_t s = 0; s < a->shards; s++) {
		cr_assert_leq(a->start[s + 1] - a->start[s], a->rows);
		for (uint64_t i = a->start[s]; i < a->start[s + 1]; i++) {
			cr_assert_neq(last[a->row[i]], s, "row %u twice in shard %u", a->row[i], s);
			last[a->row[i]] = s;
			copies[a->row[i]]++;
		}
	}
	for (uint32_t r = 0; r < in->rows; r++) {
		cr_assert(copies[r] >= 1 && copies[r] <= c->max_copies, "row %u: %u copies", r, copies[r]);
		moved += !holds(a, in->nearest[(size_t)r * in->width], r);
	}
	cr_assert_eq(a->moved, moved);
	free(copies);
	free(last);
}

Test(assign, every_row_is_somewhere_and_all_limits_hold)
{
	struct rng rng = test_rng();
	struct veil_error err;

	for (int round = 0; round < 150; round++) {
		uint32_t shards = 1 + (uint32_t)test_below(&rng, 20);
		uint32_t rows = shards + (uint32_t)test_below(&rng, 500);
		struct index_closure c = {.reach = 1 + (double)test_below(&rng, 300) / 100,
			.replication = 1 + (double)test_below(&rng, 30) / 10,
			.max_copies = 1 + (uint32_t)test_below(&rng, 8)};
		struct input in = make(&rng, rows, shards, test_below(&rng, 2));
		struct index_assignment a;

		cr_assert_eq(
			index_assign(&a, in.nearest, in.distances, in.width, rows, shards, &c, &rng, &err),
			VEIL_OK);
		check(&in, &c, &a);
		index_assignment_clear(&a);
		clear(&in);
	}
	index_assignment_clear(NULL);
}

Test(assign, with_room_enough_the_copies_are_those_of_the_closure)
{
	struct rng rng = test_rng();
	const struct index_closure c = {.reach = 1.5, .replication = 8, .max_copies = 8};
	struct input in = make(&rng, 2000, 10, false);
	struct index_assignment a;
	struct veil_error err;
	uint32_t wrong = 0;

	cr_assert_eq(index_assign(&a, in.nearest, in.distances, in.width, 2000, 10, &c, &rng, &err), VEIL_OK);
	check(&in, &c, &a);
	cr_assert_eq(a.moved, 0);
	for (uint32_t r = 0; r < in.rows; r++)
		for (uint32_t k = 0; k < in.width; k++) {
			const float *d = in.distances + (size_t)r * in.width;
			bool want = d[k] <= 1.5f * d[0],
			     got = holds(&a, in.nearest[(size_t)r * in.width + k], r);

			cr_assert(!got || d[k] <= 1.5001f * d[0], "a copy out of reach");
			wrong += want != got;
		}
	/* Only the limit on padding may have cost some, in the fullest shards. */
	cr_assert_lt(wrong, a.used / 10);
	index_assignment_clear(&a);
	clear(&in);
}

Test(assign, when_room_is_short_the_best_margins_win)
{
	struct rng rng = test_rng();
	const struct index_closure c = {.reach = 3, .replication = 1.2, .max_copies = 8};
	struct input in = make(&rng, 4000, 4, false);
	struct index_assignment a;
	struct veil_error err;
	double worst_in = 0, best_out = INFINITY;

	cr_assert_eq(index_assign(&a, in.nearest, in.distances, in.width, 4000, 4, &c, &rng, &err), VEIL_OK);
	check(&in, &c, &a);
	for (uint32_t r = 0; r < in.rows; r++) {
		const uint32_t *near = in.nearest + (size_t)r * in.width;
		const float *d = in.distances + (size_t)r * in.width;

		/* Shards that are not full refused nobody but for the budget. */
		if (a.start[near[1] + 1] - a.start[near[1]] >= a.rows || !holds(&a, near[0], r))
			continue;
		if (holds(&a, near[1], r))
			worst_in = fmax(worst_in, d[1] / d[0]);
		else
			best_out = fmin(best_out, d[1] / d[0]);
	}
	cr_assert_leq(worst_in, best_out + 1e-6);
	index_assignment_clear(&a);
	clear(&in);
}

Test(assign, padding_stays_within_a_tenth_of_the_rows_in_use)
{
	struct rng rng = test_rng();
	struct veil_error err;

	for (int round = 0; round < 40; round++) {
		const struct index_closure c = {
			.reach = 1.1, .replication = 1 + (double)(round % 3) / 2, .max_copies = 8};
		struct input in = make(&rng, 3000, 12, round % 4 != 0);
		struct index_assignment a;

		cr_assert_eq(index_assign(&a, in.nearest, in.distances, in.width, 3000, 12, &c, &rng, &err),
			VEIL_OK);
		check(&in, &c, &a);
		cr_assert_leq((double)a.rows * 12, INDEX_MAX_PADDING * (double)a.used);
		index_assignment_clear(&a);
		clear(&in);
	}
}

Test(assign, the_order_inside_a_shard_is_random_and_follows_the_seed)
{
	const struct index_closure c = {.reach = 1, .replication = 1, .max_copies = 1};
	struct rng any = test_rng();
	struct input in = make(&any, 500, 1, false);
	struct index_assignment a[3];
	struct veil_error err;
	uint32_t in_place = 0;

	for (int i = 0; i < 3; i++) {
		struct rng_seeded state;
		struct rng rng = rng_seeded_init_u64(&state, i == 2 ? 8 : 7);

		cr_assert_eq(
			index_assign(a + i, in.nearest, in.distances, 1, 500, 1, &c, &rng, &err), VEIL_OK);
		cr_assert_eq(a[i].rows, 500);
	}
	cr_assert_arr_eq(a[0].row, a[1].row, 500 * sizeof(uint32_t));
	cr_assert_neq(memcmp(a[0].row, a[2].row, 500 * sizeof(uint32_t)), 0);
	for (uint32_t i = 0; i < 500; i++)
		in_place += a[0].row[i] == i;
	cr_assert_lt(in_place, 20);
	for (int i = 0; i < 3; i++)
		index_assignment_clear(a + i);
	clear(&in);
}
