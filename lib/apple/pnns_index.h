/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APPLE_PNNS_INDEX_H
#define APPLE_PNNS_INDEX_H

#include "apple/pnns.h"
#include "nn/answer.h"
#include "nn/context.h"

struct drbg;

/* Index kind "bfv": an index of int8 rows whose parameter set is one of BFV is searched by apple/pnns.h;
 * scores are the integer dot products. The query carries its rotations by 1 .. g-1 and the evaluation key for
 * the giant step, of a secret that is drawn for it alone: the server keeps neither, for a key that is kept is
 * a pseudonym (docs/protocol.md). */

struct pnns_index {
	struct nn_context shape; /* only spec (terms is g), sizes and plain_modulus; the rest is zero */
	struct pnns_context *pnns; /* of one plaintext modulus, form PNNS_SENT */
	uint32_t chunks;
	size_t key_bytes; /* c0 of one ciphertext of a key, as it travels */
	size_t ciphertext_bytes; /* c0 of a query's ciphertext */
	unsigned skip[2]; /* low bits that a reply leaves out */
	size_t reply_bytes[2]; /* of c0 and c1 of a chunk's reply */
};

/** For a spec whose params are of BFV. VEIL_E_INVALID, by name, for what pnns_context_create refuses and for
 * a scale and norm whose scores pass (t-1)/2. */
enum veil_status pnns_index_create(struct pnns_index **out, const struct nn_spec *spec, unsigned features,
	struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts NULL. */
void pnns_index_destroy(struct pnns_index *index);

/** The evaluation key of a query, with nothing in it, in an arena with room of pnns_index_key_room. */
void pnns_index_key_init(const struct pnns_index *index, struct rlwe_evalkey *key, struct arena *arena);
size_t pnns_index_key_room(const struct pnns_index *index);

/** shape.shard_bytes from rows[spec.rows][dim], of which `used` are in use; `scratch` has
 * shape.shard_scratch. */
void pnns_index_pack(const struct pnns_index *index, void *shard, const int8_t *rows, uint32_t used,
	struct arena *scratch);
/** reply[shape.reply_bytes]. A query is: for each ciphertext of the key, in the order of pnns_index_key_init,
 * c0 in evaluation format modulo all primes, then so the ciphertexts of rotations 0 .. g-1 modulo those of
 * the level (ring/packed.h). Their seeds are 32 bytes each, one after another, of
 * rng_seeded_init(query->seed). A reply is, for each N rows, c0 and c1 modulo q_0, in coefficient format,
 * without `skip` low bits. VEIL_E_MALFORMED, and zeros, if a residue is not below its prime. `scratch` has
 * shape.answer_scratch. */
enum veil_status pnns_index_answer(const struct pnns_index *index, uint8_t *reply,
	const struct nn_query *query, const void *shard, struct drbg *drbg, struct arena *scratch,
	struct veil_error *err) VEIL_MUST_CHECK;

#endif
