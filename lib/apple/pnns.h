/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APPLE_PNNS_H
#define APPLE_PNNS_H

#include "bfv/context.h"
#include "rlwe/evalkey.h"

/* Private nearest neighbours on BFV, as apple/swift-homomorphic-encryption has them: the dot products of an
 * encrypted vector with all rows of a database, by diagonals, baby steps and giant steps (docs/protocol.md).
 * P is the least power of two that holds a row; the query repeats its vector, padded to P, over all slots.
 * Diagonal r has in slot c coordinate (c + r) mod P of row c. With r = k g + j it is multiplied by the query
 * rotated by j (a baby step), and the sum over j is rotated by k g (a giant step), which is why diagonal r is
 * stored rotated the other way. All of this is public. */

#define PNNS_MAX_MODULI 3

/** How the rotations of the query by 1 .. g-1 come to be. */
enum pnns_form {
	PNNS_CHAIN, /* one ciphertext and one key: rotation after rotation. As Apple's clients send it */
	PNNS_HOISTED, /* one ciphertext and g - 1 keys: one decomposition serves all */
	PNNS_SENT, /* g ciphertexts, each a third of a key, and no key: no time and the least noise */
};

struct pnns_spec {
	const struct rlwe_params *params; /* of BFV, with slots; its t is plaintext modulus 0 */
	uint64_t t[PNNS_MAX_MODULI - 1]; /* the other plaintext moduli, by the Chinese remainder theorem */
	unsigned moduli; /* of plaintexts in all, 1..PNNS_MAX_MODULI */
	uint32_t dim; /* coordinates of a row, 1..N/2 */
	uint32_t baby; /* g, 1..P; 0 for the least that is at least the root of P */
	enum pnns_form form;
	bool allow_insecure;
};

/** Immutable, shared by threads. */
struct pnns_context {
	struct pnns_spec spec;
	struct bfv_context *bfv[PNNS_MAX_MODULI]; /* [moduli], of one ring */
	const struct ring *ring;
	unsigned level; /* primes of a query and of the database */
	uint32_t period; /* P */
	uint32_t baby, giant; /* g, h = ceil(P / g) */
	unsigned query_count; /* ciphertexts of a query, of each modulus */
	unsigned key_count;
	uint32_t keys[RLWE_MAX_GALOIS_KEYS]; /* the Galois elements that an evaluation key needs */
	uint64_t t; /* the product of the plaintext moduli */
	size_t chunk_bytes; /* of N packed rows, for one modulus: a multiple of 64 */
};

/** VEIL_E_INVALID, by name, for what cannot be: no slots, a vector beyond a row of slots, a product of
 * moduli beyond 2^62, too many keys, sums that no accumulator holds, or less than one bit left for noise. */
enum veil_status pnns_context_create(struct pnns_context **out, const struct pnns_spec *spec,
	unsigned features, struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts NULL. */
void pnns_context_destroy(struct pnns_context *ctx);

/** The largest |dot product| that comes back right: (T - 1) / 2. */
static inline int64_t pnns_score_limit(const struct pnns_context *ctx)
{
	return (int64_t)(ctx->t / 2);
}
/** Ciphertexts that hold the scores of `rows` rows, of each modulus: one a chunk of N rows. */
static inline size_t pnns_chunks(const struct pnns_context *ctx, size_t rows)
{
	return (rows + ctx->ring->n - 1) / ctx->ring->n;
}
/** The scale by which no dot product of unit vectors passes the score limit, rounding included; in the float
 * arithmetic of apple/swift-homomorphic-encryption. */
uint64_t pnns_max_scale(const struct pnns_context *ctx);

/** Variance of the noise of modulus m's scores (bfv/noise.h): before and after the reply's primes are
 * dropped. */
struct pnns_noise {
	double before, after;
};
struct pnns_noise pnns_noise_of(const struct pnns_context *ctx, unsigned m);

#endif
