/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_RANK_H
#define SDK_RANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

/** A decrypted row. */
struct rank_row {
	double score;
	uint32_t record; /* RANK_NO_RECORD: rows without labels, each stands for itself */
	uint32_t shard;
	uint32_t row; /* of the shard */
	uint32_t probe; /* which of the replies it came in */
};
#define RANK_NO_RECORD UINT32_MAX

/** The one order of results: larger score, then lower record, shard, row. */
bool rank_before(const struct rank_row *a, const struct rank_row *b);

/** The best `limit` rows of those offered since rank_best_start, in no order: a heap whose root is the worst.
 */
struct rank_best {
	struct rank_row *rows; /* `limit` of them, the caller's */
	size_t limit; /* >= 1 */
	size_t count;
};
void rank_best_offer(struct rank_best *best, const struct rank_row *row);

/** By how much the best of these rows, in any order, is ahead of the second; negative where there are not
 * two.
 */
double rank_margin(const struct rank_row *rows, size_t count);
#define RANK_MARGIN_ROWS 2

/** Puts the rows in order, keeps only the best row of a record, and only the best `top`. Returns how many are
 * left. Where each of several shards holds a record at most once, the best `top` of each shard are enough to
 * give. */
size_t rank_merge(struct rank_row *rows, size_t count, size_t top);

#endif
