/* SPDX-License-Identifier: Apache-2.0 */
#include "apple/engine.h"

#include "nn/shard.h"

enum veil_status engine_open(
	struct engine *e, const struct nn_spec *spec, unsigned features, struct veil_error *err)
{
	enum veil_status st;

	*e = (struct engine){0};
	if (spec->params->use == RLWE_USE_BFV) {
		st = pnns_index_create(&e->bfv, spec, features, err);
		e->shape = e->bfv ? &e->bfv->shape : NULL;
	} else {
		st = nn_context_create(&e->nn, spec, features, err);
		e->shape = e->nn;
	}
	return st;
}

void engine_close(struct engine *e)
{
	nn_context_destroy(e->nn);
	pnns_index_destroy(e->bfv);
	*e = (struct engine){0};
}

const char *engine_name(const struct rlwe_params *params)
{
	return params->use == RLWE_USE_BFV ? "bfv" : "nn";
}

bool engine_exact(const struct rlwe_params *params)
{
	return params->use == RLWE_USE_SEARCH_EXACT || params->use == RLWE_USE_BFV;
}

void engine_shard(
	const struct engine *e, void *shard, const int8_t *rows, uint32_t used, struct arena *scratch)
{
	if (e->bfv)
		pnns_index_pack(e->bfv, shard, rows, used, scratch);
	else
		nn_shard_transform(e->nn, shard, rows, used, scratch);
}

size_t engine_answer_scratch(const struct engine *e, unsigned queries)
{
	return e->bfv ? e->shape->answer_scratch : nn_answer_scratch(e->nn, queries);
}

enum veil_status engine_answer(const struct engine *e, uint8_t *const *replies, enum veil_status *status,
	const struct nn_query *queries, unsigned count, const void *shard, struct keystream *ks,
	struct drbg *drbg, struct arena *scratch)
{
	enum veil_status st = VEIL_OK;

	if (!e->bfv)
		return nn_answer(e->nn, replies, status, queries, count, shard, ks, scratch, NULL);
	for (unsigned i = 0; i < count; i++) {
		status[i] = pnns_index_answer(e->bfv, replies[i], queries + i, shard, drbg, scratch, NULL);
		st = status[i] == VEIL_OK ? st : status[i];
	}
	return st;
}
