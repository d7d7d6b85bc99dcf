/* SPDX-License-Identifier: Apache-2.0 */
#include "apple/pnns.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/u128.h"
#include "bfv/noise.h"
#include "ring/galois.h"

static enum veil_status check_shape(const struct pnns_spec *spec, struct veil_error *err)
{
	const char *name = spec->params->name;
	const uint32_t row = (uint32_t)1 << spec->params->log_n >> 1;

	if (spec->moduli < 1 || spec->moduli > PNNS_MAX_MODULI)
		return error_set(err, VEIL_E_INVALID, "%s: %u plaintext moduli are not 1..%d", name,
			spec->moduli, PNNS_MAX_MODULI);
	if (spec->dim < 1 || spec->dim > row)
		return error_set(err, VEIL_E_INVALID,
			"%s: %" PRIu32 " coordinates are not 1..%" PRIu32 ", the slots of a row", name,
			spec->dim, row);
	if (2 * row < KERNELS_LANES)
		return error_set(err, VEIL_E_INVALID, "%s: N is not at least %d", name, KERNELS_LANES);
	if (!spec->params->special)
		return error_set(err, VEIL_E_INVALID, "%s: no modulus for key switching", name);
	return VEIL_OK;
}

static enum veil_status shape(struct pnns_context *ctx, struct veil_error *err)
{
	const char *name = ctx->spec.params->name;
	uint64_t limit = UINT64_MAX;

	for (ctx->period = 1; ctx->period < ctx->spec.dim;)
		ctx->period *= 2;
	ctx->baby = ctx->spec.baby;
	while (!ctx->spec.baby && ctx->baby * ctx->baby < ctx->period)
		ctx->baby++;
	if (ctx->baby < 1 || ctx->baby > ctx->period)
		return error_set(err, VEIL_E_INVALID, "%s: %" PRIu32 " baby steps are not 1..%" PRIu32, name,
			ctx->baby, ctx->period);
	ctx->giant = (ctx->period + ctx->baby - 1) / ctx->baby;
	for (unsigned i = 0; i < ctx->level; i++) {
		const struct ring_prime *r = &ctx->ring->primes[i];
		const uint64_t terms = kernels_mac_limit(&r->p);

		limit = terms < limit ? terms : limit;
		ctx->chunk_bytes += (size_t)ctx->baby * ctx->giant * ring_prime_bytes(r);
	}
	if (ctx->baby > limit)
		return error_set(err, VEIL_E_INVALID,
			"%s: sums of %" PRIu32 " baby steps may be of %" PRIu64 " at most", name, ctx->baby,
			limit);
	return VEIL_OK;
}

/* The elements that turn the query, then that of the giant step, each once. */
static enum veil_status list_keys(struct pnns_context *ctx, struct veil_error *err)
{
	const uint32_t babies = ctx->spec.form == PNNS_SENT    ? 0
				: ctx->spec.form == PNNS_CHAIN ? ctx->baby > 1
							       : ctx->baby - 1;
	const unsigned log_n = ctx->ring->log_n;

	if (babies >= RLWE_MAX_GALOIS_KEYS)
		return error_set(err, VEIL_E_INVALID, "%s: %" PRIu32 " keys for baby steps, at most %d",
			ctx->spec.params->name, babies, RLWE_MAX_GALOIS_KEYS - 1);
	for (uint32_t j = 1; j <= babies; j++)
		ctx->keys[ctx->key_count++] = ring_galois_element_rotate(log_n, -(int)j);
	if (ctx->giant > 1)
		ctx->keys[ctx->key_count++] = ring_galois_element_rotate(log_n, -(int)ctx->baby);
	ctx->query_count = ctx->spec.form == PNNS_SENT ? ctx->baby : 1;
	return rlwe_evalkey_check(ctx->spec.params, ctx->keys, ctx->key_count, false, err);
}

struct pnns_noise pnns_noise_of(const struct pnns_context *ctx, unsigned m)
{
	const struct bfv_context *bfv = ctx->bfv[m];
	struct pnns_noise noise = {0};

	for (uint32_t r = 0; r < ctx->period; r++) {
		const uint32_t j = r % ctx->baby;
		const unsigned switches = ctx->spec.form == PNNS_SENT	 ? 0
					  : ctx->spec.form == PNNS_CHAIN ? j
									 : j > 0;
		const double switched = bfv_noise_switched(bfv, ctx->level, 0);

		noise.before += bfv_noise_times_plain(bfv, bfv_noise_fresh(bfv) + switches * switched);
	}
	noise.before += (ctx->giant - 1) * bfv_noise_switched(bfv, ctx->level, 0);
	noise.after = noise.before;
	for (unsigned level = ctx->level; level > 1; level--)
		noise.after = bfv_noise_dropped(bfv, level, noise.after);
	return noise;
}

static enum veil_status check_noise(const struct pnns_context *ctx, struct veil_error *err)
{
	for (unsigned m = 0; m < ctx->spec.moduli; m++) {
		const struct pnns_noise noise = pnns_noise_of(ctx, m);
		enum veil_status st = bfv_noise_check(
			ctx->bfv[m], ctx->level, noise.before, "a sum over all diagonals", err);

		if (st == VEIL_OK)
			st = bfv_noise_check(
				ctx->bfv[m], 1, noise.after, "a sum over all diagonals modulo q[0]", err);
		if (st != VEIL_OK)
			return st;
	}
	return VEIL_OK;
}

static enum veil_status create_moduli(struct pnns_context *ctx, unsigned features, struct veil_error *err)
{
	const struct pnns_spec *spec = &ctx->spec;
	uint128 product = spec->params->t;
	enum veil_status st =
		bfv_context_create(&ctx->bfv[0], spec->params, spec->allow_insecure, features, err);

	for (unsigned m = 1; m < spec->moduli && st == VEIL_OK; m++) {
		for (unsigned i = 0; i < m; i++)
			if (spec->t[m - 1] == ctx->bfv[i]->t.q)
				return error_set(err, VEIL_E_INVALID,
					"%s: plaintext modulus %" PRIu64 " occurs twice", spec->params->name,
					spec->t[m - 1]);
		product *= spec->t[m - 1];
		if (product >> 62)
			return error_set(err, VEIL_E_INVALID,
				"%s: the product of the plaintext moduli is not below 2^62",
				spec->params->name);
		st = bfv_context_create_modulus(&ctx->bfv[m], ctx->bfv[0], spec->t[m - 1], features, err);
	}
	if (st != VEIL_OK)
		return st;
	ctx->t = (uint64_t)product;
	for (unsigned m = 0; m < spec->moduli; m++)
		if (!ctx->bfv[m]->slots)
			return error_set(err, VEIL_E_INVALID, "%s: t = %" PRIu64 " has no slots",
				spec->params->name, ctx->bfv[m]->t.q);
	ctx->ring = ctx->bfv[0]->ring;
	ctx->level = ctx->bfv[0]->level;
	return VEIL_OK;
}

enum veil_status pnns_context_create(
	struct pnns_context **out, const struct pnns_spec *spec, unsigned features, struct veil_error *err)
{
	struct pnns_context *ctx = NULL;
	enum veil_status st = check_shape(spec, err);

	*out = NULL;
	if (st != VEIL_OK)
		return st;
	ctx = calloc(1, sizeof *ctx);
	if (!ctx)
		return error_set(err, VEIL_E_NOMEM, "%s: no memory for a context", spec->params->name);
	ctx->spec = *spec;
	st = create_moduli(ctx, features, err);
	if (st == VEIL_OK)
		st = shape(ctx, err);
	if (st == VEIL_OK)
		st = list_keys(ctx, err);
	if (st == VEIL_OK)
		st = check_noise(ctx, err);
	if (st != VEIL_OK)
		goto out;
	*out = ctx;
	ctx = NULL;
out:
	pnns_context_destroy(ctx);
	return st;
}

void pnns_context_destroy(struct pnns_context *ctx)
{
	if (!ctx)
		return;
	for (unsigned m = PNNS_MAX_MODULI; m-- > 0;)
		bfv_context_destroy(ctx->bfv[m]);
	free(ctx);
}

/* (s + sqrt(d) / 2)^2 <= (T - 1) / 2 */
uint64_t pnns_max_scale(const struct pnns_context *ctx)
{
	const float scale = sqrtf((float)(ctx->t - 1) / 2) - sqrtf((float)ctx->spec.dim) / 2;

	return scale > 0 ? (uint64_t)scale : 0;
}
