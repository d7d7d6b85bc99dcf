/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_RETRIEVE_H
#define SECRET_RETRIEVE_H

#include "base/rng.h"
#include "silent/context.h"

/* One retrieval from a table of bytes, from fresh secret to the selected bytes: created, serialised once,
 * decoded once, wiped. A retry is a new object; one secret can never serve two queries. */
struct secret_retrieve;

#define SECRET_RETRIEVE_ROWS 3 /* the most rows of a selection: those of a binary fuse filter */

/** Selects the sum modulo 256 of rows[count], count <= SECRET_RETRIEVE_ROWS; none is a fake query, the same
 * for whoever lacks the secret. Rows are distinct and below ctx->spec.rows. `ctx`, of a set for retrieval,
 * must outlive the query. Constant time in the rows. */
enum veil_status secret_retrieve_create(struct secret_retrieve **out, const struct silent_context *ctx,
	const uint32_t *rows, unsigned count, const struct rng *rng, struct veil_error *err) VEIL_MUST_CHECK;

/** Writes ctx->query_bytes. May be called once; a second call aborts. */
void secret_retrieve_write(struct secret_retrieve *retrieve, uint8_t *query);

/** Decodes ctx->reply_bytes with the static halves (packs * static_bytes) and copies `size` bytes from column
 * slot * size of the row on: slots are as long as what is copied, and which one it is shows in no address.
 * Wipes the secret; may be called once, after write; a second call aborts. `reply` is untrusted: every byte
 * string of the right size decodes to something. */
void secret_retrieve_decode(struct secret_retrieve *retrieve, uint8_t *bytes, size_t size, uint32_t slot,
	const uint8_t *constants, const uint8_t *reply);

/** Accepts NULL; wipes. */
void secret_retrieve_destroy(struct secret_retrieve *retrieve);

#endif
