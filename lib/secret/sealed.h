/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_SEALED_H
#define SECRET_SEALED_H

#include "base/rng.h"
#include "silent/sealed.h"

/* One sealed search, from fresh secret to the scores of one cluster: created, serialised once, decoded once,
 * wiped. Neither the vector nor the cluster shows. A retry is a new object. */
struct secret_sealed;

/** Encrypts `vector` [dim], which need not have norm 1 (it is normalised here), for `cluster` < clusters;
 * at full precision. VEIL_E_INVALID for a NaN, an infinity or a zero vector; VEIL_E_NOMEM. `sealed` must
 * outlive the query. Constant time, in the cluster too, but for that refusal. */
enum veil_status secret_sealed_create(struct secret_sealed **out, const struct silent_sealed *sealed,
	const float *vector, uint32_t cluster, const struct rng *rng, struct veil_error *err) VEIL_MUST_CHECK;

/** A fake query: an encryption of zeros, the same size and distribution for whoever lacks the secret. */
enum veil_status secret_sealed_create_fake(struct secret_sealed **out, const struct silent_sealed *sealed,
	const struct rng *rng, struct veil_error *err) VEIL_MUST_CHECK;

/** Writes ctx->query_bytes. May be called once; a second call aborts. */
void secret_sealed_write(struct secret_sealed *query, uint8_t *out);

/** Cosines of the vector and the documents of the cluster, scores[rows], each times the document's norm over
 * the scale, which rounding to int8 keeps near 1; those of padding are about 0. `constants` are the static
 * halves, packs * static_bytes. Wipes the secret; may be called once, after write; a second call aborts.
 * `reply` is untrusted: every byte string of ctx->reply_bytes decodes to something. */
void secret_sealed_decode(
	struct secret_sealed *query, double *scores, const uint8_t *constants, const uint8_t *reply);

/** Accepts NULL; wipes. */
void secret_sealed_destroy(struct secret_sealed *query);

#endif
