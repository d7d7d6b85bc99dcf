/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_SEARCH_H
#define SECRET_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "nn/context.h"
#include "ring/uniform.h"

/* One search query, from fresh secret to decoded scores. It cannot be used twice: it is serialised once,
 * decoded once, and its secret is wiped by decoding and by destroy. A retry is a new object. */
struct secret_search;

/** Draws a fresh ternary secret and a fresh seed and encrypts `vector` [dim], which need not have norm 1 (it
 * is normalised here). VEIL_E_INVALID for a NaN, an infinity or a zero vector. Approximate sets encode at
 * full precision, exact sets what secret_search_quantise gives. `ctx` must outlive the query. Constant time
 * but for that refusal. */
enum veil_status secret_search_create(struct secret_search **out, const struct nn_context *ctx,
	const float *vector, const struct rng *rng, struct veil_error *err) VEIL_MUST_CHECK;

/** A fake query: an encryption of zero, the same size and distribution for whoever lacks the secret. */
enum veil_status secret_search_create_fake(struct secret_search **out, const struct nn_context *ctx,
	const struct rng *rng, struct veil_error *err) VEIL_MUST_CHECK;

/** Writes the seed and ctx->query_bytes. May be called once; a second call aborts: the same ciphertext never
 * leaves twice. */
void secret_search_write(struct secret_search *search, uint8_t seed[RING_SEED_BYTES], uint8_t *ciphertexts);

/** Decrypts a reply of ctx->reply_bytes into scores[ctx->spec.rows] and wipes the secret; may be called once,
 * after write. Approximate sets: cosine of the query and the int8 row (divided by spec.scale). Exact sets:
 * the integer dot product of the quantised query and the row, as a double (exact below 2^53). `reply` is
 * untrusted: every byte string of the right size decodes to something. */
void secret_search_decode(struct secret_search *search, double *scores, const uint8_t *reply);
/** The same for a query that was evaluated on several shards: replies[i] gives scores[i * spec.rows ...]. */
void secret_search_decode_several(
	struct secret_search *search, double *scores, const uint8_t *const *replies, uint32_t count);

/** The int8 query of exact sets: out[dim] = round(spec.scale * vector / |vector|), ties to even, clamped to
 * [-127, 127]. For whoever compares scores with plain arithmetic. Errors as secret_search_create. */
enum veil_status secret_search_quantise(const struct nn_context *ctx, int8_t *out, const float *vector,
	struct veil_error *err) VEIL_MUST_CHECK;

/** Accepts NULL; wipes. */
void secret_search_destroy(struct secret_search *search);

#endif
