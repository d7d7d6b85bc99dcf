/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_PLAN_H
#define BUILD_PLAN_H

#include <stdint.h>

#include "index/assign.h"
#include "nn/context.h"
#include "veil/status.h"

/* What the builder chooses where it was not told.
 *
 * Shards: PLAN_SHARD_ROWS rows each, copies included. At dimension 128 that is 92 KiB up and 70 KiB down a
 * query; fewer and larger shards would find more with one query, but cost more of both. An index that fits
 * into one shard is one: then the search is exhaustive and there is no shard to hide.
 *
 * Terms g (chunks of a row): of the powers of two that a row can be cut by, the one with the least bytes up
 * and down, the smaller g where two are equal; 16 for 4096 x 128. That is the g* = sqrt(n d b_1 / (N b_u)) of
 * docs/protocol.md, rounded by what it costs. */

#define PLAN_SHARD_ROWS 4096

/* Rows are read in pieces of at most this many bytes of float32, but at least this many rows. */
#define PLAN_PIECE_BYTES (1u << 21)
#define PLAN_PIECE_LEAST 256

/** The number of shards for `rows` rows, or VEIL_E_INVALID naming --shards: more than rows, or too few to
 * hold them. `asked` 0: choose. */
enum veil_status plan_shards(uint32_t *shards, uint32_t asked, uint32_t rows,
	const struct index_closure *closure, struct veil_error *err) VEIL_MUST_CHECK;

/** Of kind sealed: where `asked` is 0 as many shards as give the least traffic, of equal ones the fewest,
 * since fewer and larger shards find more at the same price; and how many rows of each are paid for in any
 * case (a table has packs of N rows): copies may fill them, which finds more for nothing. VEIL_E_INVALID
 * names
 * --shards. */
struct plan_sealed {
	uint32_t shards, room; /* rows of a shard, a multiple of N */
	size_t bytes; /* all traffic of a search */
};
enum veil_status plan_sealed(struct plan_sealed *plan, const struct rlwe_params *params, uint32_t asked,
	uint32_t rows, uint32_t dim, struct veil_error *err) VEIL_MUST_CHECK;

/** Nonsense is refused before the long work, with spec->rows a guess. What an exact set can decode bounds its
 * scale as int8 does: then the terms come first, by traffic, and spec->scale is lowered to the largest that
 * they allow. *terms gets what plan_terms is to be asked for: `asked`, or those. */
enum veil_status plan_scale(
	struct nn_spec *spec, uint32_t *terms, uint32_t asked, struct veil_error *err) VEIL_MUST_CHECK;

/** Sets spec->terms and checks the whole spec by making its context; everything else in `spec` is set.
 * `asked` 0: choose. */
enum veil_status plan_terms(struct nn_spec *spec, uint32_t asked, struct veil_error *err) VEIL_MUST_CHECK;

#endif
