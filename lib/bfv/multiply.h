/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BFV_MULTIPLY_H
#define BFV_MULTIPLY_H

#include "bfv/context.h"
#include "ring/convert.h"
#include "rlwe/keyswitch.h"

/** The product of two ciphertexts of one level, by eprint 2018/117 (HPS) in the form of eprint 2021/204, 4.2:
 * one operand, modulo q, is scaled to another modulus P of about its size, the tensor product is known modulo
 * q and P, and is divided by P / t. So two operands of L primes need 2 L rows or little more, where HPS and
 * BEHZ (eprint 2016/510) need P > 2 t N q: 2 L + 1 or more. P is at least 2^5 q, so that the scaling adds
 * less than 0.02 bit of noise to that of a fresh operand (docs/protocol.md). Immutable once made. */
struct bfv_multiplier {
	const struct bfv_context *ctx;
	unsigned level;
	struct ring *ring; /* of P */
	struct ring_convert lift, scale, lift_back, divide;
	uint64_t factor[RING_MAX_PRIMES]; /* t P^-1 mod q_i */
};

/** For ciphertexts of that level of the context, which outlives it. */
enum veil_status bfv_multiplier_create(struct bfv_multiplier **out, const struct bfv_context *ctx,
	unsigned level, unsigned features, struct veil_error *err) VEIL_MUST_CHECK;
void bfv_multiplier_destroy(struct bfv_multiplier *m);

/** Arena room of the functions here. */
size_t bfv_multiply_scratch(const struct bfv_multiplier *m);

/** dst = a b, three polynomials in coefficient format. Operands have two, any format, and may be one
 * ciphertext; dst is neither. */
void bfv_multiply(const struct bfv_multiplier *m, struct rlwe_ciphertext *dst,
	const struct rlwe_ciphertext *a, const struct rlwe_ciphertext *b, struct arena *scratch);
/** dst = the sum over i < count of a[i] b[i], count >= 1, likewise: the tensor products are summed up modulo
 * q and P, and one division, and one relinearisation, serves all. The noise is that of the products, summed.
 */
void bfv_inner(const struct bfv_multiplier *m, struct rlwe_ciphertext *dst,
	const struct rlwe_ciphertext *const *a, const struct rlwe_ciphertext *const *b, size_t count,
	struct arena *scratch);
/** Of three polynomials two, in the format that ct has, by the key for s^2. */
void bfv_relinearize(struct rlwe_ciphertext *ct, const struct rlwe_evalkey *keys, struct arena *scratch);

#endif
