/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APPLE_PNNS_ANSWER_H
#define APPLE_PNNS_ANSWER_H

#include "apple/pnns.h"

/* What the server does. No branch depends on a residue. Contexts, chunks and prepared queries may be shared
 * by threads, scratch may not. */

/** The rotations of a query by 0 .. g-1, laid out for the products: [moduli][2][level], 64-byte aligned. */
size_t pnns_prepared_bytes(const struct pnns_context *ctx);
/** Arena room of the functions here. */
size_t pnns_answer_scratch(const struct pnns_context *ctx);

/** Takes ciphertext j < ctx->query_count of modulus m, in evaluation format, at ctx->level, of ctx->ring,
 * which is not needed any more then; `keys` have at least ctx->keys. All of them make a prepared query. */
void pnns_prepare(const struct pnns_context *ctx, void *prepared, unsigned m, unsigned j,
	const struct rlwe_ciphertext *ct, const struct rlwe_evalkey *keys, struct arena *scratch);
/** replies[moduli]: the scores of a chunk (pnns_pack_chunk) in its slots, of level 1, in coefficient format.
 * The products of a giant step are reduced once, and of what a giant step adds only the half that the next
 * one decomposes is divided by the special prime. */
void pnns_answer(const struct pnns_context *ctx, struct rlwe_ciphertext *replies, const void *prepared,
	const void *chunk, const struct rlwe_evalkey *keys, struct arena *scratch);

#endif
