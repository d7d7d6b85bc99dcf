/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BFV_PACK_H
#define BFV_PACK_H

#include "bfv/rotate.h"

/* Between one ciphertext and ciphertexts of its coefficients, by automorphisms. Everything is in coefficient
 * format, of one level and two polynomials. */

/** Arena room of bfv_expand and bfv_pack at this level. */
size_t bfv_pack_scratch(const struct bfv_context *ctx, unsigned level);

/** The Galois elements of bfv_expand: N / 2^j + 1 for j < log_count. */
void bfv_expand_elements(uint32_t *elements, const struct bfv_context *ctx, unsigned log_count);
/** Oblivious expansion: message i of the ciphertexts out[2^log_count], i < 2^log_count, is 2^log_count times
 * what of ct's message is at i and at distances of multiples of 2^log_count from it; one constant, if ct's
 * message has its first 2^log_count coefficients alone. `keys` have those elements. Eprint 2017/1142
 * (SealPIR), as apple/swift-homomorphic-encryption does it: the client divides by 2^log_count mod t
 * beforehand. */
void bfv_expand(const struct bfv_context *ctx, struct rlwe_ciphertext *out, const struct rlwe_ciphertext *ct,
	unsigned log_count, const struct rlwe_evalkey *keys, struct arena *scratch);

/** dst's constant coefficient is coefficient k of `a`, and nobody can tell the others: c0 keeps one
 * coefficient, as in an LWE ciphertext, whose vector c1 is. dst is not a. */
void bfv_extract(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a, size_t k);

/** The Galois elements of bfv_pack: 2^j + 1 for 1 <= j <= log2 N. */
void bfv_pack_elements(uint32_t *elements, const struct bfv_context *ctx);
/** Ring packing: ct[0] becomes the ciphertext of the constant coefficients of ct[2^log_count], number i at
 * i N / 2^log_count, and of zeros elsewhere, whatever else the messages had; the others are spent. Exact: the
 * ciphertexts are divided by N modulo q first. Eprint 2020/015, algorithm 2. */
void bfv_pack(const struct bfv_context *ctx, struct rlwe_ciphertext *ct, unsigned log_count,
	const struct rlwe_evalkey *keys, struct arena *scratch);

#endif
