/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SILENT_ANSWER_H
#define SILENT_ANSWER_H

#include "base/arena.h"
#include "silent/context.h"

/* A query is ctx->query_bytes: rows words of upload_bits, then the keys of g and of h, a digit after the
 * other, n coefficients each of key_bits; bits are packed MSB first (docs/protocol.md). Every byte string of
 * that size is a query: there is nothing to refuse. No branch and no address depends on its bytes. */

/** Up to SILENT_MAX_QUERIES queries, unpacked, that read the table together. */
struct silent_answer {
	const struct silent_context *ctx;
	unsigned count; /* of queries */
	unsigned lanes; /* of the kernels: 1, 2 or 4 */
	void *words; /* of the scan */
	void *keys[SILENT_MAX_QUERIES]; /* of apply */
	uint64_t *turn[SILENT_MAX_QUERIES]; /* [h.digits][n] keys of h, transform values */
};

/** Arena room of `count` queries prepared, and of one pack being answered for them. */
size_t silent_answer_room(const struct silent_context *ctx, unsigned count);
size_t silent_answer_scratch(const struct silent_context *ctx, unsigned count);

/** queries[count] of ctx->query_bytes, 1 <= count <= SILENT_MAX_QUERIES. What `answer` points to lies in
 * `arena`; it may then be shared by threads. */
void silent_answer_prepare(struct silent_answer *answer, const struct silent_context *ctx,
	const uint8_t *const *queries, unsigned count, struct arena *arena);

/** The short half of one pack for each query: replies[v] gets ctx->short_bytes. Packs are independent of each
 * other. `scratch` is given back. */
void silent_answer_pack(const struct silent_answer *answer, uint8_t *const *replies,
	const struct silent_pack *pack, struct arena *scratch);

#endif
