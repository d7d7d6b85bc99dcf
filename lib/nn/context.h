/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_CONTEXT_H
#define NN_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "ring/ring.h"
#include "rlwe/params.h"
#include "veil/status.h"

/* g-split nearest neighbours (docs/protocol.md; design source: keyless coefficient packing). All of this is
 * public. */

#define NN_MAX_DIM 4096
#define NN_MAX_ROWS (1u << 20) /* of one shard */
#define NN_MAX_SCALE 0x1p30f /* so that no coordinate of a query passes what an integer of a double holds */
#define NN_MAX_MESSAGE ((size_t)1 << 28) /* bytes of ciphertext in a query or a reply */

/** What an index fixes, the same for all its shards and clients. Plain data: nn_context_create checks it. */
struct nn_spec {
	const struct rlwe_params *params;
	uint32_t dim; /* coordinates of a row, 1..NN_MAX_DIM */
	uint32_t rows; /* rows of every shard, padding included, 1..NN_MAX_ROWS */
	uint32_t terms; /* g wanted: chunks of a row = polynomials of a query, 1..dim */
	uint32_t row_norm; /* no int8 row of the index has an L2 norm above this; >= 1 */
	float scale; /* int8 row = round(scale * unit vector), > 0, <= NN_MAX_SCALE */
	bool allow_insecure;
};

/** The checked, immutable form. */
struct nn_context {
	struct nn_spec spec;
	struct ring *ring; /* Z_q[X]/(X^N+1) */
	struct ring *subring; /* of X^chunk, degree N/chunk: where the scores live; NULL if that is 1 */
	const struct ring_prime *prime; /* ring->primes */
	const struct ring_prime *subprime; /* subring->primes, or NULL */
	uint32_t chunk; /* L: coordinates of a chunk, a power of two <= N */
	uint32_t terms; /* g = ceil(dim / L); may be below spec.terms */
	uint32_t rows_per_poly; /* N / L */
	uint32_t replies; /* h = ceil(rows / rows_per_poly) */
	unsigned drop; /* low bits of a residue that a query leaves out: bits of q - b_u */
	uint64_t plain_modulus; /* exact sets: t = 2 * (the largest |score| by Cauchy-Schwarz) + 1; 0 else */
	double amplitude; /* what 1 becomes in the query: exact sets floor(q / t), else q / (2.12 * row_norm)
			   */
	double score_unit; /* the score of phase q: what a decoded phase, as a fraction of q, is multiplied by
			    */
	uint8_t domain[HASH_BYTES]; /* SHA-256 over the spec: separates the seeds of different specs */
	size_t query_bytes; /* g * ceil(N * b_u / 8): the b_k, one after another */
	size_t c1_bytes; /* h * ceil(N * b_1 / 8) */
	size_t c0_bytes; /* h * ceil(rows_per_poly * b_0 / 8) */
	size_t reply_bytes; /* c1_bytes + c0_bytes */
	size_t shard_bytes; /* of the transformed shard */
	size_t shard_scratch; /* arena for nn_shard_transform */
	size_t answer_scratch; /* arena for nn_answer with one query */
	void *unfold[2]; /* [kernels_scale][rows_per_poly] words: see layout.h */
};

/** Chunk length: the smallest power of two L with ceil(dim / L) <= terms, so that L divides N and scores form
 * a subring. VEIL_E_INVALID names what does not fit: dimension, rows, terms beyond the accumulator
 * (kernels_mac_limit), noise that would not decode. `features` as cpu_features() gives them. */
enum veil_status nn_context_create(struct nn_context **out, const struct nn_spec *spec, unsigned features,
	struct veil_error *err) VEIL_MUST_CHECK;
void nn_context_destroy(struct nn_context *ctx);

/** Predicted standard deviation of the error of a score, in units of the cosine (approximate sets) or of the
 * integer score (exact sets, before rounding), from the formula of docs/protocol.md, for rows of norm
 * `row_norm`. */
double nn_noise_std(const struct nn_context *ctx, double row_norm);

#endif
