/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BFV_EVAL_H
#define BFV_EVAL_H

#include "bfv/context.h"
#include "rlwe/ciphertext.h"
#include "rlwe/modswitch.h"

/* Arithmetic on ciphertexts, exact modulo q: what decrypts is the sum, difference or product of the messages,
 * as long as the noise stays below its bound (docs/protocol.md says how much each operation adds). Operands
 * of other rings, levels or formats are bugs and abort. dst has room for the result and may be an operand
 * unless a line says otherwise; results are not seeded. Nothing here is secret, and no branch depends on a
 * value. rlwe/modswitch.h drops primes; rlwe_ciphertext_is_transparent is to be asked before a result leaves.
 */

/** Ciphertexts of one level and format; of two and three polynomials, in any mixture. */
void bfv_add(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a, const struct rlwe_ciphertext *b);
void bfv_sub(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a, const struct rlwe_ciphertext *b);
void bfv_neg(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a);

/** Arena room of the next two. */
size_t bfv_plain_scratch(const struct bfv_context *ctx);
/** ct += or -= a plaintext (bfv/encode.h), in either format; coefficient format is faster. */
void bfv_add_plain(const struct bfv_context *ctx, struct rlwe_ciphertext *ct, const void *plaintext,
	struct arena *scratch);
void bfv_sub_plain(const struct bfv_context *ctx, struct rlwe_ciphertext *ct, const void *plaintext,
	struct arena *scratch);

/** dst = a times a plaintext that bfv_lift made for a's level or a higher one; in evaluation format. The
 * product by a plaintext of zeros is transparent. */
void bfv_mul_plain(
	struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a, const struct ring_poly *factor);
/** dst = the sum over i < count of a[i] times factor[i]: one reduction for up to 64 products. Ciphertexts of
 * two polynomials and one level, which dst has too, all in evaluation format; factors of bfv_lift, of that
 * level or higher. dst is none of a. `scratch` has ring_row_room. */
void bfv_inner_plain(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *const *a,
	const struct ring_poly *const *factor, size_t count, struct arena *scratch);

/** dst = X^k a, in coefficient format, k in (-2N, 2N). dst is not a. */
void bfv_shift(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a, int k);

/** rows[i] += round(q m / t) mod q_i, for the primes i of a polynomial in coefficient format; q is the
 * product of its primes and the rounding that of apple/swift-homomorphic-encryption: floor((q m + (t+1)/2) /
 * t). Constant time: encryption uses it. `scratch` has bfv_plain_scratch. */
void bfv_add_scaled(
	const struct bfv_context *ctx, struct ring_poly *poly, const void *plaintext, struct arena *scratch);

#endif
