/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_PLAN_H
#define BUILD_PLAN_H

#include <stdint.h>

#include "base/exec.h"
#include "index/assign.h"
#include "index/vectors.h"
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

/** A shape of an index of kind sealed. */
struct plan_sealed {
	uint32_t shards;
	uint32_t room; /* rows of a shard that are paid for in any case, a multiple of N: copies may fill them
			*/
	uint64_t bytes; /* all traffic of a search */
	uint64_t reads; /* bytes that a server reads for it: table and matrices */
	double recall; /* estimated share of the ten nearest rows that one search meets */
};
#define PLAN_SEALED_SHAPES 17
#define PLAN_SEALED_SAMPLE 8192
struct plan_sealed_list {
	struct plan_sealed shape[PLAN_SEALED_SHAPES];
	unsigned count, chosen;
};

/** Of kind sealed: shapes of 1, 2, 4 ... shards, or the one that is asked for, and the best of them: a
 * doubling of the bytes has to find 5 of 100 rows more, a doubling of what is read 2 more. Fewer and larger
 * shards find more; bytes are least in between. Recall is estimated on up to PLAN_SEALED_SAMPLE rows that lie
 * evenly in the input: clusters are trained on them, and their ten nearest among themselves looked for.
 * VEIL_E_INVALID names --shards, or a row. */
enum veil_status plan_sealed(struct plan_sealed_list *list, const struct rlwe_params *params, uint32_t asked,
	const struct index_vectors *vectors, const struct rng *rng, const struct exec *exec,
	struct veil_error *err) VEIL_MUST_CHECK;
/** All traffic of a sealed search. */
uint64_t plan_sealed_bytes(const struct rlwe_params *params, uint32_t shards, uint32_t rows, uint32_t dim);
/** Would a server take it, norms and all? VEIL_E_INVALID. */
enum veil_status plan_sealed_check(const struct rlwe_params *params, uint32_t shards,
	const struct nn_spec *spec, struct veil_error *err) VEIL_MUST_CHECK;
/** For people, on stdout. */
void plan_sealed_print(const struct plan_sealed_list *list);

/** Nonsense is refused before the long work, with spec->rows a guess. What an exact set can decode bounds its
 * scale as int8 does: then the terms come first, by traffic, and spec->scale is lowered to the largest that
 * they allow. *terms gets what plan_terms is to be asked for: `asked`, or those. */
enum veil_status plan_scale(
	struct nn_spec *spec, uint32_t *terms, uint32_t asked, struct veil_error *err) VEIL_MUST_CHECK;

/** Sets spec->terms and checks the whole spec by making its context; everything else in `spec` is set.
 * `asked` 0: choose. */
enum veil_status plan_terms(struct nn_spec *spec, uint32_t asked, struct veil_error *err) VEIL_MUST_CHECK;

#endif
