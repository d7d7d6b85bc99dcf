/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_ANSWER_H
#define NN_ANSWER_H

#include "base/arena.h"
#include "base/rng.h"
#include "nn/context.h"
#include "ring/uniform.h"

/** A query as it came from outside: views, not copies. */
struct nn_query {
	uint8_t seed[RING_SEED_BYTES];
	const uint8_t *ciphertexts; /* ctx->query_bytes */
};

/** Scratch for `queries` answered in one pass (1..KERNELS_MAC_VECTORS/2). */
size_t nn_answer_scratch(const struct nn_context *ctx, unsigned queries);

/** Answer `queries` queries against one transformed shard, reading it once. replies[i] gets ctx->reply_bytes:
 * h packed c1 (N values of b_1 bits) and then h packed c0 (the N/L score coefficients of b_0 bits); see
 * docs/protocol.md. VEIL_E_MALFORMED, naming the query, if a residue is >= q after shifting back; its reply
 * is then all zero and `status[i]` says so, the others are answered. No branch depends on ciphertext values
 * otherwise. `ctx` and `shard` may be shared by threads, scratch and ks may not. Cost: per query 2h MAC rows,
 * g forward, h inverse transforms of N and h of N/L. */
enum veil_status nn_answer(const struct nn_context *ctx, uint8_t *const *replies, enum veil_status *status,
	const struct nn_query *queries, unsigned count, const void *shard, struct keystream *ks,
	struct arena *scratch, struct veil_error *err) VEIL_MUST_CHECK;

#endif
