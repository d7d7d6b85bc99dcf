/* SPDX-License-Identifier: Apache-2.0 */
#include "build/plan.h"

#include <math.h>

#include "apple/engine.h"
#include "base/cpu.h"
#include "base/error.h"
#include "index/codebook.h"

#define LEAST_SCALE 100 /* below, int8 would lose too much */

enum veil_status plan_shards(uint32_t *shards, uint32_t asked, uint32_t rows,
	const struct index_closure *closure, struct veil_error *err)
{
	double stored = fmax(closure->replication, INDEX_MAX_PADDING) * rows;
	double least = ceil(stored / NN_MAX_ROWS);
	double count = asked;

	if (asked > rows)
		return error_set(err, VEIL_E_INVALID, "--shards %u: more than the %u rows", asked, rows);
	if (asked && asked < least && rows > NN_MAX_ROWS)
		return error_set(err, VEIL_E_INVALID, "--shards %u: too few for %u rows; at least %.0f",
			asked, rows, least);
	if (!asked)
		count = rows <= PLAN_SHARD_ROWS ? 1 : ceil(closure->replication * rows / PLAN_SHARD_ROWS);
	*shards = count > INDEX_MAX_SHARDS ? INDEX_MAX_SHARDS : (uint32_t)count;
	return VEIL_OK;
}

/* Bytes of a query and its reply, labels aside. */
static enum veil_status measure(
	const struct nn_spec *spec, uint32_t *terms, size_t *bytes, struct veil_error *err)
{
	struct engine engine;
	enum veil_status st = engine_open(&engine, spec, cpu_features(), err);

	if (st != VEIL_OK)
		return st;
	*terms = engine.shape->terms;
	*bytes = engine.shape->query_bytes + engine.shape->reply_bytes;
	engine_close(&engine);
	return VEIL_OK;
}

/* Baby steps on BFV: each is a ciphertext that travels and saves rotations on the server, which are the time
 * of an answer; half the root of the diagonals, for about 2 g giant steps. */
static uint32_t baby_steps(uint32_t dim)
{
	uint32_t period = 1, steps = 1;

	while (period < dim)
		period *= 2;
	while (2 * steps * steps < period)
		steps++;
	return steps;
}

enum veil_status plan_terms(struct nn_spec *spec, uint32_t asked, struct veil_error *err)
{
	size_t least = SIZE_MAX, bytes = 0;
	uint32_t best = 0, terms = 0;
	struct nn_spec try = *spec;
	enum veil_status st = VEIL_E_INVALID;

	if (asked > spec->dim)
		return error_set(
			err, VEIL_E_INVALID, "--terms %u: more than the dimension %u", asked, spec->dim);
	if (!asked && spec->params->use == RLWE_USE_BFV)
		asked = baby_steps(spec->dim);
	for (uint32_t chunk = 1; chunk < 2 * spec->dim; chunk *= 2) {
		try.terms = asked ? asked : (spec->dim + chunk - 1) / chunk;
		st = measure(&try, &terms, &bytes, err); /* some g do not fit the set: others may */
		if (st == VEIL_OK && bytes <= least) {
			least = bytes;
			best = terms;
		}
		if (asked)
			break;
	}
	if (best)
		spec->terms = best;
	return best ? VEIL_OK : st;
}

/* With a bound for the norms. */
static enum veil_status try_scale(
	const struct nn_spec *spec, float scale, uint32_t asked, uint32_t *terms, struct veil_error *err)
{
	struct nn_spec guess = *spec;
	enum veil_status st;

	guess.scale = scale;
	guess.row_norm =
		(uint32_t)ceil(scale + sqrt(spec->dim) / 2); /* each coordinate is off by a half at most */
	st = plan_terms(&guess, asked, err);
	*terms = guess.terms;
	return st;
}

enum veil_status plan_scale(struct nn_spec *spec, uint32_t *terms, uint32_t asked, struct veil_error *err)
{
	float scale = spec->scale;
	enum veil_status st;
	uint32_t ignored;

	*terms = asked;
	if (!engine_exact(spec->params))
		return try_scale(spec, scale, asked, &ignored, err);
	st = try_scale(spec, fminf(scale, LEAST_SCALE), asked, terms, err);
	if (st != VEIL_OK)
		return st;
	while (scale > LEAST_SCALE && try_scale(spec, scale, *terms, &ignored, NULL) != VEIL_OK)
		scale = fmaxf(scale * 0.98f, LEAST_SCALE);
	spec->scale = scale;
	return VEIL_OK;
}
