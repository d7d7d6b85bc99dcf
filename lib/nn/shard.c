/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/shard.h"

#include "base/require.h"
#include "nn/layout.h"

void nn_shard_transform(
	const struct nn_context *ctx, void *shard, const int8_t *rows, uint32_t count, struct arena *scratch)
{
	const struct ring_prime *r = ctx->prime;
	size_t mark = arena_mark(scratch), terms = (size_t)ctx->replies * ctx->terms;
	void *poly = arena_take(scratch, ring_prime_bytes(r));

	REQUIRE(count <= ctx->spec.rows);
	for (uint32_t group = 0; group < ctx->replies; group++) {
		for (uint32_t k = 0; k < ctx->terms; k++) {
			nn_layout_pack(ctx, poly, rows, count, group, k);
			r->k.ntt_forward(poly, r->table);
			/* [N/16][h][g][16] is the layout of one vector of h * g terms */
			r->k.interleave(shard, poly, r->n, terms, (size_t)group * ctx->terms + k);
		}
	}
	arena_release(scratch, mark);
}
