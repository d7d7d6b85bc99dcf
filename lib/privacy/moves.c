/* SPDX-License-Identifier: Apache-2.0 */
#include "privacy/moves.h"

#include <string.h>

#include "base/require.h"

#define STEPS_OF_EPS 128 /* so that eps is a point of the grid */

/* The partitions of moves->moved whose first `used` parts stand in `parts`, `left` to give, parts at most
 * `most`. */
static void list(struct privacy_moves *moves, uint8_t *parts, uint32_t used, uint32_t left, uint32_t most)
{
	if (left == 0) {
		REQUIRE(moves->ways < PRIVACY_MAX_WAYS);
		memcpy(moves->parts[moves->ways++], parts, PRIVACY_MAX_MOVED);
		return;
	}
	for (uint32_t part = most < left ? most : left; part > 0; part--) {
		parts[used] = (uint8_t)part;
		list(moves, parts, used + 1, left - part, part);
		parts[used] = 0;
	}
}

/* one[part]: the distribution of a single shard. */
static enum veil_status compose_parts(
	struct privacy_pld *out, const struct privacy_pld *one, const uint8_t *parts, double step)
{
	enum veil_status st = privacy_pld_init_nothing(out, step);

	for (uint32_t i = 0; st == VEIL_OK && i < PRIVACY_MAX_MOVED && parts[i]; i++) {
		struct privacy_pld both;

		st = privacy_pld_compose(&both, out, &one[parts[i]]);
		privacy_pld_clear(out);
		*out = both;
	}
	return st;
}

enum veil_status privacy_moves_init(
	struct privacy_moves *moves, const struct privacy_table *table, uint32_t moved, double step)
{
	struct privacy_pld one[2][PRIVACY_MAX_MOVED + 1] = {0};
	uint8_t parts[PRIVACY_MAX_MOVED] = {0};
	enum veil_status st = VEIL_OK;

	REQUIRE(moved >= 1 && moved <= PRIVACY_MAX_MOVED);
	memset(moves, 0, sizeof *moves);
	moves->moved = moved;
	list(moves, parts, 0, moved, moved);
	for (uint32_t side = 0; side < 2; side++) {
		struct privacy_pld *ways = side == PRIVACY_LEAVE ? moves->leave : moves->come;

		for (uint32_t s = 1; st == VEIL_OK && s <= moved; s++)
			st = privacy_pld_init(&one[side][s], table, (enum privacy_side)side, s, step);
		for (uint32_t i = 0; st == VEIL_OK && i < moves->ways; i++)
			st = compose_parts(&ways[i], one[side], moves->parts[i], step);
	}
	for (uint32_t s = 0; s <= PRIVACY_MAX_MOVED; s++) {
		privacy_pld_clear(&one[0][s]);
		privacy_pld_clear(&one[1][s]);
	}
	if (st != VEIL_OK)
		privacy_moves_clear(moves);
	return st;
}

void privacy_moves_clear(struct privacy_moves *moves)
{
	if (!moves)
		return;
	for (uint32_t i = 0; i < PRIVACY_MAX_WAYS; i++) {
		privacy_pld_clear(&moves->leave[i]);
		privacy_pld_clear(&moves->come[i]);
	}
	memset(moves, 0, sizeof *moves);
}

/* All together, which is the worst, exactly; every other pair on the grid. */
enum veil_status privacy_moves_delta(
	double *delta, const struct privacy_table *table, double eps, uint32_t most)
{
	double worst = 0, here;

	for (uint32_t moved = 1; moved <= most; moved++) {
		struct privacy_moves moves;
		enum veil_status st = privacy_moves_init(&moves, table, moved, eps / STEPS_OF_EPS);

		if (st != VEIL_OK)
			return st;
		for (uint32_t i = 0; i < moves.ways; i++) {
			for (uint32_t j = 0; j < moves.ways; j++) {
				here = i + j ? privacy_pld_delta_of_two(&moves.leave[i], &moves.come[j], eps)
					     : privacy_table_delta(table, eps, moved);
				worst = here > worst ? here : worst;
			}
		}
		privacy_moves_clear(&moves);
	}
	*delta = worst;
	return VEIL_OK;
}

/* How far any pair of `moves` is above `pld`. */
static enum veil_status find_excess(
	double *excess, const struct privacy_moves *moves, const struct privacy_pld *pld)
{
	for (uint32_t i = 0; i < moves->ways; i++) {
		for (uint32_t j = 0; j < moves->ways; j++) {
			struct privacy_pld pair;
			double here;
			enum veil_status st = privacy_pld_compose(&pair, &moves->leave[i], &moves->come[j]);

			if (st != VEIL_OK)
				return st;
			here = privacy_pld_excess(&pair, pld);
			*excess = here > *excess ? here : *excess;
			privacy_pld_clear(&pair);
		}
	}
	return VEIL_OK;
}

enum veil_status privacy_moves_epoch(
	struct privacy_pld *pld, const struct privacy_table *table, uint32_t most, double step)
{
	double excess = 0;
	enum veil_status st = privacy_pld_init_epoch(pld, table, most, step);

	for (uint32_t moved = 1; most > 1 && st == VEIL_OK && moved <= most; moved++) {
		struct privacy_moves moves;

		st = privacy_moves_init(&moves, table, moved, step);
		if (st == VEIL_OK)
			st = find_excess(&excess, &moves, pld);
		privacy_moves_clear(&moves);
	}
	pld->infinite += excess;
	if (st != VEIL_OK)
		privacy_pld_clear(pld);
	return st;
}
