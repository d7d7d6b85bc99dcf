/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BFV_ENCODE_H
#define BFV_ENCODE_H

#include "bfv/context.h"
#include "ring/poly.h"

/* Values to plaintexts and back. Constant time in the values, but for the refusal of one that does not fit.
 */

enum bfv_encoding {
	BFV_COEFFICIENT, /* value i is the coefficient of X^i */
	/** Value i is in slot i: products are slot by slot. Slots 0..N/2-1 are the first row and the others
	 * the second: the automorphism X -> X^3 rotates both to the left. Slot i of the first row is the
	 * value of the polynomial at root^(3^i), of the second at root^(-3^i), with the minimum 2N-th root of
	 * unity mod t. As apple/swift-homomorphic-encryption and SEAL have them. Only where ctx->slots. */
	BFV_SIMD,
};

/** values[count], count <= N, each below t; zeros after them. VEIL_E_INVALID names the first that is not. */
enum veil_status bfv_encode(const struct bfv_context *ctx, void *plaintext, const uint64_t *values,
	size_t count, enum bfv_encoding encoding, struct veil_error *err) VEIL_MUST_CHECK;
/** The same for values from -(t-1)/2 to (t-1)/2, as residues mod t. */
enum veil_status bfv_encode_signed(const struct bfv_context *ctx, void *plaintext, const int64_t *values,
	size_t count, enum bfv_encoding encoding, struct veil_error *err) VEIL_MUST_CHECK;

/** The first `count` values. `scratch` has arena_room(bfv_plaintext_bytes(ctx)); a secret arena where the
 * values are secret. */
void bfv_decode(const struct bfv_context *ctx, uint64_t *values, size_t count, const void *plaintext,
	enum bfv_encoding encoding, struct arena *scratch);
void bfv_decode_signed(const struct bfv_context *ctx, int64_t *values, size_t count, const void *plaintext,
	enum bfv_encoding encoding, struct arena *scratch);

/** A plaintext as a factor: its coefficients from -(t-1)/2 to (t-1)/2, modulo the primes of `out`, in
 * evaluation format. The rule of apple/swift-homomorphic-encryption. `scratch` as of bfv_decode. */
void bfv_lift(
	const struct bfv_context *ctx, struct ring_poly *out, const void *plaintext, struct arena *scratch);

#endif
