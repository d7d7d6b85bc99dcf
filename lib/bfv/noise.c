/* SPDX-License-Identifier: Apache-2.0 */
#include "bfv/noise.h"

#include <math.h>

#include "base/error.h"
#include "base/require.h"

#define TAIL 8 /* standard deviations */

static double prime(const struct bfv_context *ctx, unsigned i)
{
	return (double)ctx->ring->primes[i].p.q;
}

static double log2_q(const struct bfv_context *ctx, unsigned level)
{
	double sum = 0;

	for (unsigned i = 0; i < level; i++)
		sum += log2(prime(ctx, i));
	return sum;
}

double bfv_noise_fresh(const struct bfv_context *ctx)
{
	(void)ctx;
	return RLWE_CBD21_VARIANCE + 1 / 12.0;
}

double bfv_noise_fresh_public(const struct bfv_context *ctx)
{
	return RLWE_CBD21_VARIANCE * (1 + 4 * (double)ctx->ring->n / 3) + 1 / 12.0;
}

double bfv_noise_rounding(const struct bfv_context *ctx)
{
	return (1 + 2 * (double)ctx->ring->n / 3) / 12;
}

double bfv_noise_key(const struct bfv_context *ctx, unsigned level)
{
	double sum = 0;

	REQUIRE(level < ctx->ring->count);
	for (unsigned i = 0; i < level; i++)
		sum += pow(prime(ctx, i) / prime(ctx, ctx->ring->count - 1), 2);
	return (double)ctx->ring->n * RLWE_CBD21_VARIANCE * sum / 12;
}

double bfv_noise_switched(const struct bfv_context *ctx, unsigned level, double variance)
{
	return variance + bfv_noise_key(ctx, level) + bfv_noise_rounding(ctx);
}

double bfv_noise_times_plain(const struct bfv_context *ctx, double variance)
{
	const double t = (double)ctx->t.q;

	return variance * (double)ctx->ring->n * (t * t - 1) / 12;
}

double bfv_noise_times(const struct bfv_context *ctx, unsigned level, double a, double b)
{
	const double r = bfv_noise_rounding(ctx);
	const double both = a * exp2(-2 * log2_q(ctx, level)) * b;

	return exp2(2 * log2((double)ctx->t.q)) * (double)ctx->ring->n * ((a + b) * r + both);
}

double bfv_noise_dropped(const struct bfv_context *ctx, unsigned level, double variance)
{
	REQUIRE(level >= 2);
	return variance / pow(prime(ctx, level - 1), 2) + bfv_noise_rounding(ctx);
}

double bfv_noise_bits_left(const struct bfv_context *ctx, unsigned level, double variance)
{
	return log2_q(ctx, level) - log2(2 * (double)ctx->t.q * TAIL) - log2(variance) / 2;
}

enum veil_status bfv_noise_check(const struct bfv_context *ctx, unsigned level, double variance,
	const char *what, struct veil_error *err)
{
	const double left = bfv_noise_bits_left(ctx, level, variance);

	if (left >= 1)
		return VEIL_OK;
	return error_set(err, VEIL_E_INVALID,
		"%s: %s leaves %.1f bits for noise, and less than one is refused; take a smaller t, fewer "
		"operations "
		"or larger moduli",
		ctx->params->name, what, left);
}
