/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_SILENT_H
#define SUPPORT_SILENT_H

#include "base/rng.h"
#include "silent/answer.h"
#include "silent/offline.h"

/** A table of silent PIR as a server holds it. */
struct silent_shop {
	struct silent_context *ctx;
	int8_t *table; /* packs * table_bytes */
	uint8_t *material; /* packs * material_bytes */
	uint8_t *constants; /* packs * static_bytes: what a client fetches once */
	struct arena arena; /* of an answer */
};

/** A table of random bytes, or all of them `fill` if rng is NULL, not prepared yet. Failures abort. */
void silent_shop_init(struct silent_shop *s, const struct rlwe_params *params, uint32_t rows, uint32_t packs,
	unsigned features, const struct rng *rng, int8_t fill);
int8_t silent_shop_get(const struct silent_shop *s, uint32_t row, uint32_t column);
void silent_shop_put(struct silent_shop *s, uint32_t row, uint32_t column, int8_t value);
/** The offline part. */
void silent_shop_prepare(struct silent_shop *s);
/** Instead of it, for a benchmark: entries as small as those of a matrix are, at the price of none of the
 * work. */
void silent_shop_pretend(struct silent_shop *s);
/** replies[v] of ctx->reply_bytes, count in 1..SILENT_MAX_QUERIES. */
void silent_shop_answer(
	struct silent_shop *s, uint8_t *const *replies, const uint8_t *const *queries, unsigned count);
void silent_shop_clear(struct silent_shop *s);

#endif
