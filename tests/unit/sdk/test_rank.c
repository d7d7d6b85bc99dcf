/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/rank.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#define MAX_SHARDS 4
#define MAX_ROWS 64

/* The definition, the slow way: the best copy of each record, then selection of the best again and again. */
static size_t rank_slowly(struct rank_row *out, struct rank_row *rows, size_t count, size_t top)
{
	size_t found = 0;

	while (found < top) {
		struct rank_row *best = NULL;

		for (size_t i = 0; i < count; i++) {
			bool taken = false;

			for (size_t j = 0; j < found; j++)
				taken = taken ||
					(rows[i].record == RANK_NO_RECORD
							? memcmp(&rows[i], &out[j], sizeof rows[i]) == 0
							: rows[i].record == out[j].record);
			if (!taken && (!best || rank_before(&rows[i], best)))
				best = &rows[i];
		}
		if (!best)
			break;
		out[found++] = *best;
	}
	return found;
}

Test(rank, merged_shards_equal_the_definition_with_ties_and_replicated_records)
{
	struct rng rng = test_rng();

	for (int round = 0; round < 2000; round++) {
		uint32_t shards = 1 + (uint32_t)test_below(&rng, MAX_SHARDS);
		uint32_t per_shard = 1 + (uint32_t)test_below(&rng, MAX_ROWS);
		size_t top = 1 + test_below(&rng, 2 * MAX_ROWS), count = 0, kept = 0, merged, expected;
		bool labels = test_below(&rng, 4) != 0;
		struct rank_row all[MAX_SHARDS * MAX_ROWS], best[MAX_SHARDS * MAX_ROWS],
			slow[MAX_SHARDS * MAX_ROWS];

		for (uint32_t s = 0; s < shards; s++) {
			uint32_t step = 1 + (uint32_t)test_below(&rng, 3),
				 start = (uint32_t)test_below(&rng, 40);
			struct rank_best heap = {best + kept, top < per_shard ? top : per_shard, 0};

			for (uint32_t i = 0; i < per_shard; i++) {
				struct rank_row row = {(double)test_below(&rng, 20) - 10,
					labels ? start + i * step : RANK_NO_RECORD, s, i, s};

				all[count++] = row;
				rank_best_offer(&heap, &row);
			}
			cr_assert_eq(heap.count, heap.limit);
			kept += heap.count;
		}
		merged = rank_merge(best, kept, top);
		expected = rank_slowly(slow, all, count, top);
		cr_assert_eq(merged, expected, "round %d: %zu rows, not %zu", round, merged, expected);
		for (size_t i = 0; i < merged; i++)
			cr_assert_eq(
				memcmp(&best[i], &slow[i], sizeof *best), 0, "round %d, rank %zu", round, i);
	}
}

Test(rank, equal_scores_go_to_the_lower_record_then_shard_then_row)
{
	struct rank_row rows[] = {
		{1, 9, 0, 0, 0}, {1, 3, 5, 2, 1}, {2, 8, 0, 1, 0}, {1, 3, 4, 7, 0}, {1, 3, 4, 6, 0}};

	cr_assert_eq(rank_merge(rows, 5, 10), 3);
	cr_assert_eq(rows[0].record, 8);
	cr_assert(rows[1].record == 3 && rows[1].shard == 4 && rows[1].row == 6);
	cr_assert_eq(rows[2].record, 9);
}

Test(rank, nothing_offered_gives_nothing)
{
	struct rank_row rows[1];

	cr_assert_eq(rank_merge(rows, 0, 5), 0);
}

Test(rank, the_margin_is_that_of_the_best_two_in_any_order)
{
	const struct rank_row rows[] = {
		{2, 1, 0, 0, 0}, {7, 2, 0, 1, 0}, {-3, 3, 0, 2, 0}, {6.5, 4, 0, 3, 0}};
	const struct rank_row tied[] = {{5, 1, 0, 0, 0}, {5, 2, 0, 1, 0}};

	cr_assert_eq(rank_margin(rows, 4), 0.5);
	cr_assert_eq(rank_margin(rows, 3), 5);
	cr_assert_eq(rank_margin(tied, 2), 0);
	cr_assert_lt(rank_margin(rows, 1), 0, "one alone is ahead of nothing that was seen");
	cr_assert_lt(rank_margin(rows, 0), 0);
}
