/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_SHARD_H
#define NN_SHARD_H

#include <stdint.h>

#include "base/arena.h"
#include "nn/context.h"

/** Transform int8 rows [count][dim] (count <= ctx->spec.rows; the rest are zero rows, score 0) into the
 * layout of kernels.mac: [N/16][h][g][16] words, ctx->shard_bytes, 64-byte aligned. nn/layout.h says where a
 * row goes in its polynomials. Identical on every ISA, so it may be stored. */
void nn_shard_transform(
	const struct nn_context *ctx, void *shard, const int8_t *rows, uint32_t count, struct arena *scratch);

#endif
