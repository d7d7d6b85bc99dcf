/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDEX_ASSIGN_H
#define INDEX_ASSIGN_H

#include <stdint.h>

#include "base/rng.h"
#include "veil/status.h"

/* Which row goes to which shards. Closure (SPANN, arXiv 2111.08566): a row near the border between cells is
 * stored in both, so that a query that lands on the other side still meets it. */

#define INDEX_MAX_COPIES 8
#define INDEX_MAX_PADDING 1.1 /* rows of all shards / rows in use, where a shard has at least ten */

struct index_closure {
	double reach; /* a copy where the distance is at most this times the least one; >= 1 */
	double replication; /* at most this times the rows in all, padding included or close to it; >= 1 */
	uint32_t max_copies; /* of one row, 1..INDEX_MAX_COPIES */
	uint32_t room; /* rows that a shard may have whatever it pads; 0: as replication says */
};

struct index_assignment {
	uint32_t shards;
	uint32_t rows; /* of every shard, padding included */
	uint64_t *start; /* [shards + 1]: shard s holds row[start[s]] .. row[start[s + 1] - 1], in random
			    order */
	uint32_t *row;
	uint64_t used; /* start[shards] */
	uint32_t moved; /* rows that are not in their nearest shard, because it was full */
};

/** Candidates: the `width` nearest shards of each row, nearest first, and their Euclidean distances,
 * [rows][width], 1 <= width <= shards. Rows whose second choice costs most choose first; then copies are
 * made, best margins first, while rows and shards have room. A shard has room for replication * rows / shards
 * (at least 1.1 * rows / shards), less where that would pad more than INDEX_MAX_PADDING. The order of the
 * rows inside a shard is drawn from `rng`: it tells nothing about the input. */
enum veil_status index_assign(struct index_assignment *out, const uint32_t *nearest, const float *distances,
	uint32_t width, uint32_t rows, uint32_t shards, const struct index_closure *closure,
	const struct rng *rng, struct veil_error *err) VEIL_MUST_CHECK;
/** Memory that index_assign may take, its result included and its inputs not: an upper bound. */
uint64_t index_assign_bytes(
	uint32_t rows, uint32_t width, uint32_t shards, const struct index_closure *closure);
void index_assignment_clear(struct index_assignment *a);

#endif
