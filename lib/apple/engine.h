/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APPLE_ENGINE_H
#define APPLE_ENGINE_H

#include "apple/pnns_index.h"

/* What an index is searched with: its parameter set says whether by the search protocol or on BFV. */
struct engine {
	struct nn_context *nn; /* one of the two; NULL */
	struct pnns_index *bfv;
	const struct nn_context *shape; /* of it: spec and sizes are what both have */
};

/** Errors as nn_context_create and pnns_index_create. */
enum veil_status engine_open(struct engine *e, const struct nn_spec *spec, unsigned features,
	struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts zeroed objects. */
void engine_close(struct engine *e);

/** "nn" or "bfv". */
const char *engine_name(const struct rlwe_params *params);
/** Are scores the integer dot products? */
bool engine_exact(const struct rlwe_params *params);

/** nn_shard_transform and pnns_index_pack. */
void engine_shard(
	const struct engine *e, void *shard, const int8_t *rows, uint32_t used, struct arena *scratch);
/** nn_answer, or pnns_index_answer for each query. */
size_t engine_answer_scratch(const struct engine *e, unsigned queries);
enum veil_status engine_answer(const struct engine *e, uint8_t *const *replies, enum veil_status *status,
	const struct nn_query *queries, unsigned count, const void *shard, struct keystream *ks,
	struct drbg *drbg, struct arena *scratch) VEIL_MUST_CHECK;

#endif
