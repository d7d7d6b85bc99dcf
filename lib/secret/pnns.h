/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_PNNS_H
#define SECRET_PNNS_H

#include "apple/pnns.h"
#include "secret/key.h"

struct drbg;

/* Queries of private nearest neighbours on BFV (apple/pnns.h) and their scores. The key is of ctx->ring.
 * Constant time. */

/** Room that each function here takes of a secret arena, and gives back wiped. */
size_t secret_pnns_scratch(const struct pnns_context *ctx);

/** query[moduli][ctx->query_count], with the level and format that they have: the vector[dim] of integers, in
 * every modulus. Coordinates are below 2^31 in size. */
void secret_pnns_encrypt(const struct pnns_context *ctx, const struct secret_key *key,
	struct rlwe_ciphertext *query, const int32_t *vector, const struct rng *rng, struct drbg *drbg,
	struct secret_stream *stream, struct arena *scratch);

/** scores[count], count <= N: of one chunk from its replies[moduli]. Right where they are within
 * pnns_score_limit. */
void secret_pnns_decrypt(const struct pnns_context *ctx, const struct secret_key *key, int64_t *scores,
	size_t count, const struct rlwe_ciphertext *replies, struct arena *scratch);

#endif
