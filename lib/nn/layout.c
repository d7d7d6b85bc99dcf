/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/layout.h"

#include <string.h>

/* dst[-j] = y[j] mod q for j < width: the sign's mask instead of a branch, which rows of random signs would
 * mispredict half the time. */
static void put_chunk_u32(uint32_t *dst, const int8_t *y, uint32_t width, uint32_t q)
{
	for (uint32_t j = 0; j < width; j++)
		dst[-(ptrdiff_t)j] = (uint32_t)y[j] + (q & (uint32_t)(y[j] >> 7));
}

static void put_chunk_u64(uint64_t *dst, const int8_t *y, uint32_t width, uint64_t q)
{
	for (uint32_t j = 0; j < width; j++)
		dst[-(ptrdiff_t)j] = (uint64_t)y[j] + (q & (uint64_t)(y[j] >> 7));
}

/* Row 0 of a group: X^-j = -X^(N-j). */
static void put_first(const struct nn_context *ctx, void *dst, const int8_t *y, uint32_t width)
{
	const struct ring_prime *r = ctx->prime;

	for (uint32_t j = 0; j < width; j++) {
		int value = j > 0 ? -y[j] : y[j];

		ring_set(r, dst, j > 0 ? r->n - j : 0,
			value < 0 ? r->p.q - (uint64_t)-value : (uint64_t)value);
	}
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

		if (v == 0)
			put_first(ctx, dst, y, width);
		else if (r->p.width == 4)
			put_chunk_u32((uint32_t *)dst + at, y, width, (uint32_t)r->p.q);
		else
			put_chunk_u64((uint64_t *)dst + at, y, width, r->p.q);
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
