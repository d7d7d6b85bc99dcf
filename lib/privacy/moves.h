/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PRIVACY_MOVES_H
#define PRIVACY_MOVES_H

#include "privacy/pld.h"

#define PRIVACY_MAX_MOVED 8
#define PRIVACY_MAX_WAYS 22 /* partitions of 8 */

/** Every way in which `moved` questions can leave shards, and come to shards: a partition of the number each,
 * all in one shard first, all in different ones last. A neighbouring world is one way to leave with one way
 * to come; where a question stays, fewer are moved. */
struct privacy_moves {
	uint32_t moved;
	uint32_t ways;
	uint8_t parts[PRIVACY_MAX_WAYS][PRIVACY_MAX_MOVED]; /* the largest first, then zeros */
	struct privacy_pld leave[PRIVACY_MAX_WAYS];
	struct privacy_pld come[PRIVACY_MAX_WAYS];
};

/** moved: 1 to PRIVACY_MAX_MOVED. */
enum veil_status privacy_moves_init(struct privacy_moves *moves, const struct privacy_table *table,
	uint32_t moved, double step) VEIL_MUST_CHECK;
/** Accepts NULL and zeroed objects. */
void privacy_moves_clear(struct privacy_moves *moves);

/** An upper bound of delta(eps) over every pair of partitions of every number up to `most`. */
enum veil_status privacy_moves_delta(
	double *delta, const struct privacy_table *table, double eps, uint32_t most) VEIL_MUST_CHECK;

/** What an epoch shows at the most: the distribution of all together, and as much of infinite loss as any
 * other pair of partitions has a larger delta than that, at any eps (so far none has: this makes sure).
 * Compositions of it bound those of epochs of any kind, chosen one after the other. */
enum veil_status privacy_moves_epoch(struct privacy_pld *pld, const struct privacy_table *table,
	uint32_t most, double step) VEIL_MUST_CHECK;

#endif
