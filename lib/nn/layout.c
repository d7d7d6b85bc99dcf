/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/layout.h"

#include <string.h>

static void put(const struct nn_context *ctx, void *dst, size_t at, int value)
{
	const struct ring_prime *r = ctx->prime;

	ring_set(r, dst, at, value < 0 ? r->p.q - (uint64_t)-value : (uint64_t)value);
}

void nn_layout_pack(const struct nn_context *ctx, void *dst, const int8_t *rows, uint32_t count,
	uint32_t group, uint32_t term)
{
	const struct ring_prime *r = ctx->prime;
	uint32_t dim = ctx->spec.dim, first = group * ctx->rows_per_poly, from = term * ctx->chunk;
	uint32_t width = dim - from < ctx->chunk ? dim - from : ctx->chunk;

	memset(dst, 0, ring_prime_bytes(r));
	for (uint32_t v = 0; v < ctx->rows_per_poly && first + v < count; v++) {
		const int8_t *y = rows + (size_t)(first + v) * dim + from;
		size_t at = (size_t)v * ctx->chunk;

		for (uint32_t j = 0; j < width; j++) {
			if (j <= at)
				put(ctx, dst, at - j, y[j]);
			else
				put(ctx, dst, r->n + at - j, -y[j]);
		}
	}
}

void nn_layout_scores(const struct nn_context *ctx, void *dst, const void *a, enum kernels_scale scale)
{
	const struct ring_prime *r = ctx->prime;
	const struct kernels *k = ctx->subprime ? &ctx->subprime->k : &r->k;

	r->k.fold(dst, a, r->n, ctx->chunk, &r->p);
	if (ctx->subprime)
		k->ntt_inverse(dst, ctx->subprime->table, KERNELS_PLAIN);
	k->mul(dst, dst, ctx->unfold[scale], ctx->rows_per_poly, &r->p);
}
