/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_PNNS_SEARCH_H
#define SECRET_PNNS_SEARCH_H

#include "apple/pnns_index.h"
#include "ring/uniform.h"

/* secret/search.h for an index of kind "bfv" (apple/pnns_index.h): a secret, an evaluation key and
 * ciphertexts for one query; used once. What is said there holds here. */
struct secret_pnns_search;

/** `index` must outlive the query; `vector` [dim] is normalised, and rounded as secret_search_quantise does.
 * NULL for a fake query: encryptions of zero, the same for whoever lacks the secret. */
enum veil_status secret_pnns_search_create(struct secret_pnns_search **out, const struct pnns_index *index,
	const float *vector, const struct rng *rng, struct veil_error *err) VEIL_MUST_CHECK;
/** The seed and shape.query_bytes; once. */
void secret_pnns_search_write(
	struct secret_pnns_search *s, uint8_t seed[RING_SEED_BYTES], uint8_t *ciphertexts);
/** replies[count] of shape.reply_bytes, of as many shards, to scores[count][spec.rows], the integer dot
 * products; once, after write; wipes the secret. VEIL_E_MALFORMED, and scores are zeros, if a residue is not
 * below q_0. */
enum veil_status secret_pnns_search_decode(struct secret_pnns_search *s, double *scores,
	const uint8_t *const *replies, size_t count, struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts NULL; wipes. */
void secret_pnns_search_destroy(struct secret_pnns_search *s);

#endif
