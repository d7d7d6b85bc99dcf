/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BFV_CONTEXT_H
#define BFV_CONTEXT_H

#include "ring/ring.h"
#include "rlwe/params.h"

/** BFV: messages are polynomials mod t, a ciphertext's phase is round(q m / t) + noise (docs/protocol.md).
 * Immutable after creation, shared by `const *`. */
struct bfv_context {
	const struct rlwe_params *params; /* of the caller, who keeps it; or own */
	const struct bfv_context *of; /* whose ring this is, or NULL */
	struct rlwe_params own;
	struct ring *ring; /* modulo every prime of the set: ciphertexts have the first ones, keys all */
	unsigned level; /* primes of a fresh ciphertext */

	struct kernels_prime t;
	struct kernels t_kernels;
	struct ring *plain_ring; /* Z_t[X]/(X^N+1); NULL where t is no prime = 1 mod 2N: no SIMD */
	uint16_t *slots; /* [N]: where the transform mod t has slot i; NULL without SIMD */

	struct {
		uint64_t t_inverse; /* mod q_i */
		uint64_t scale_offset; /* (t+1)/2 t^-1 mod q_i */
	} prime[RING_MAX_PRIMES];

	/** [l-1]: ciphertexts of the first l primes, q their product. */
	struct {
		uint64_t q; /* mod t */
		uint64_t round; /* (q-1)/2 q^-1 mod t */
		uint64_t digit[RING_MAX_PRIMES]; /* -(q_0 ... q_(i-1)) q^-1 mod t */
	} at_level[RING_MAX_PRIMES];
};

/** A plaintext is n residues mod t, in words of ctx->t.width bytes, 64-byte aligned: this many bytes. */
static inline size_t bfv_plaintext_bytes(const struct bfv_context *ctx)
{
	return ctx->ring->n * ctx->t.width;
}

/** Checks the set (rlwe_params_check; its use is BFV) and builds the tables. `params` must outlive the
 * context; `features` as cpu_features() gives them. */
enum veil_status bfv_context_create(struct bfv_context **out, const struct rlwe_params *params,
	bool allow_insecure, unsigned features, struct veil_error *err) VEIL_MUST_CHECK;
/** The set and the very ring of another context, which outlives this one, with another plaintext modulus: one
 * secret and one evaluation key serve both (plaintexts by the Chinese remainder theorem). */
enum veil_status bfv_context_create_modulus(struct bfv_context **out, const struct bfv_context *of,
	uint64_t t, unsigned features, struct veil_error *err) VEIL_MUST_CHECK;
void bfv_context_destroy(struct bfv_context *ctx);

#endif
