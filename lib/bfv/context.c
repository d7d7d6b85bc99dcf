/* SPDX-License-Identifier: Apache-2.0 */
#include "bfv/context.h"

#include <stdlib.h>

#include "base/error.h"
#include "ring/prime.h"

static void fill_primes(struct bfv_context *ctx)
{
	for (unsigned i = 0; i < ctx->ring->count; i++) {
		const uint64_t q = ctx->ring->primes[i].p.q, inverse = prime_inverse(ctx->t.q % q, q);

		ctx->prime[i].t_inverse = inverse;
		ctx->prime[i].scale_offset = prime_mul((ctx->t.q + 1) / 2 % q, inverse, q);
	}
}

static void fill_levels(struct bfv_context *ctx)
{
	const uint64_t t = ctx->t.q;
	uint64_t below[RING_MAX_PRIMES + 1] = {1}; /* q_0 ... q_(i-1) mod t */

	for (unsigned i = 0; i < ctx->ring->count; i++) {
		uint64_t q, inverse;

		below[i + 1] = prime_mul(below[i], ctx->ring->primes[i].p.q % t, t);
		q = below[i + 1];
		inverse = prime_inverse(q, t);
		ctx->at_level[i].q = q;
		/* (t+1)/2 is 1/2 */
		ctx->at_level[i].round = prime_mul(prime_mul(q + t - 1, (t + 1) / 2, t), inverse, t);
		for (unsigned j = 0; j <= i; j++)
			ctx->at_level[i].digit[j] = t - prime_mul(below[j], inverse, t);
	}
}

static size_t reverse_bits(size_t x, unsigned count)
{
	size_t reversed = 0;

	for (unsigned i = 0; i < count; i++)
		reversed |= (x >> i & 1) << (count - 1 - i);
	return reversed;
}

/* Value j of the transform is at root^(2 brv(j) + 1). */
static void fill_slots(struct bfv_context *ctx)
{
	const size_t n = ctx->ring->n;
	size_t power = 1;

	for (size_t i = 0; i < n / 2; i++) {
		ctx->slots[i] = (uint16_t)reverse_bits((power - 1) / 2, ctx->ring->log_n);
		ctx->slots[n / 2 + i] = (uint16_t)reverse_bits((2 * n - 1 - power) / 2, ctx->ring->log_n);
		power = 3 * power % (2 * n);
	}
}

static enum veil_status create_slots(struct bfv_context *ctx, unsigned features, struct veil_error *err)
{
	const struct rlwe_params *params = ctx->params;
	enum veil_status st;

	if (ring_check(params->log_n, &params->t, 1, NULL) != VEIL_OK)
		return VEIL_OK;
	st = ring_create(&ctx->plain_ring, params->log_n, &params->t, 1, features, err);
	if (st != VEIL_OK)
		return st;
	ctx->slots = calloc(ctx->ring->n, sizeof *ctx->slots);
	if (!ctx->slots)
		return error_set(err, VEIL_E_NOMEM, "%s: no memory for the slots", params->name);
	fill_slots(ctx);
	return VEIL_OK;
}

/* With the ring of another context, or a new one. */
static enum veil_status create(struct bfv_context **out, const struct rlwe_params *params,
	const struct bfv_context *of, bool allow_insecure, unsigned features, struct veil_error *err)
{
	struct bfv_context *ctx = NULL;
	enum veil_status st;

	*out = NULL;
	st = rlwe_params_check(params, allow_insecure, err);
	if (st != VEIL_OK)
		return st;
	if (params->use != RLWE_USE_BFV)
		return error_set(err, VEIL_E_INVALID, "%s: not a set for BFV", params->name);
	ctx = calloc(1, sizeof *ctx);
	if (!ctx)
		return error_set(err, VEIL_E_NOMEM, "%s: no memory for a context", params->name);
	ctx->own = *params;
	ctx->params = of ? &ctx->own : params;
	ctx->of = of;
	ctx->level = rlwe_params_level(params);
	kernels_prime_init(&ctx->t, params->t);
	kernels_select(&ctx->t_kernels, features, ctx->t.bits, params->log_n);
	if (of)
		ctx->ring = of->ring;
	else
		st = ring_create(&ctx->ring, params->log_n, params->q, params->q_count, features, err);
	if (st != VEIL_OK)
		goto out;
	fill_primes(ctx);
	fill_levels(ctx);
	st = create_slots(ctx, features, err);
	if (st != VEIL_OK)
		goto out;
	*out = ctx;
	ctx = NULL;
out:
	bfv_context_destroy(ctx);
	return st;
}

enum veil_status bfv_context_create(struct bfv_context **out, const struct rlwe_params *params,
	bool allow_insecure, unsigned features, struct veil_error *err)
{
	return create(out, params, NULL, allow_insecure, features, err);
}

enum veil_status bfv_context_create_modulus(struct bfv_context **out, const struct bfv_context *of,
	uint64_t t, unsigned features, struct veil_error *err)
{
	struct rlwe_params params = *of->params;

	params.t = t;
	return create(out, &params, of, true, features, err);
}

void bfv_context_destroy(struct bfv_context *ctx)
{
	if (!ctx)
		return;
	if (!ctx->of)
		ring_destroy(ctx->ring);
	ring_destroy(ctx->plain_ring);
	free(ctx->slots);
	free(ctx);
}
