/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_HE_H
#define WIRE_HE_H

#include "bfv/context.h"
#include "rlwe/ciphertext.h"
#include "rlwe/evalkey.h"

/* The messages of wire/he.proto, byte for byte those of apple/swift-homomorphic-encryption (docs/wire.md).
 *
 * Writers return the size of the message; they write it too, in the one canonical form, if `out` is not NULL.
 * Readers take untrusted bytes, check everything once, and refuse with VEIL_E_MALFORMED and a sentence that
 * names message and field: what is missing, unknown, twice there, of a wrong size or count, not in its
 * shortest form, or not below its modulus. What they fill is unspecified then. The format and the level of a
 * ciphertext do not travel: whoever reads says them.
 *
 * `scratch` has wire_he_room left, and has it back. No malloc. */

/** For a message of `size` bytes with that many ciphertexts and plaintexts in it; a Galois key counts for
 * one more. */
static inline size_t wire_he_room(size_t size, size_t ciphertexts)
{
	return arena_room(size) + 16384 + 1024 * ciphertexts;
}

/** A seeded ciphertext travels as its seed and poly[0], another one in full. skip[i] low bits of polynomial i
 * are left out, which only a reply, of level 1 in coefficient format, may do (rlwe_params_skip_lsbs); NULL
 * for none. Never a transparent ciphertext: that is for the caller to see to. */
size_t wire_ciphertext_write(uint8_t *out, const struct rlwe_ciphertext *ct,
	const unsigned skip[RLWE_MAX_POLYS], struct arena *scratch);
/** `ct` has ring, level and format, and room for ct->count polynomials: as many or fewer come. Its seed is
 * expanded. */
enum veil_status wire_ciphertext_read(struct rlwe_ciphertext *ct, struct drbg *drbg, const void *data,
	size_t size, struct arena *scratch, struct veil_error *err) VEIL_MUST_CHECK;

/** SerializedCiphertextVec. A reader gets exactly `count`. */
size_t wire_ciphertexts_write(uint8_t *out, const struct rlwe_ciphertext *cts, size_t count,
	const unsigned skip[RLWE_MAX_POLYS], struct arena *scratch);
enum veil_status wire_ciphertexts_read(struct rlwe_ciphertext *cts, size_t count, struct drbg *drbg,
	const void *data, size_t size, struct arena *scratch, struct veil_error *err) VEIL_MUST_CHECK;

/** SerializedPlaintext of coefficients mod t (bfv/encode.h). */
size_t wire_plaintext_write(
	uint8_t *out, const struct bfv_context *ctx, const void *plaintext, struct arena *scratch);
enum veil_status wire_plaintext_read(const struct bfv_context *ctx, void *plaintext, const void *data,
	size_t size, struct arena *scratch, struct veil_error *err) VEIL_MUST_CHECK;
/** SerializedPlaintext in evaluation form (bfv_lift): modulo the primes of `factor`, which has its ring and
 * level. */
size_t wire_factor_write(uint8_t *out, const struct ring_poly *factor, struct arena *scratch);
enum veil_status wire_factor_read(struct ring_poly *factor, const void *data, size_t size,
	struct arena *scratch, struct veil_error *err) VEIL_MUST_CHECK;

/** SerializedEvaluationKey. A reader gets exactly the keys that rlwe_evalkey_init made room for, all of them
 * seeded; it expands the seeds. */
size_t wire_evalkey_write(uint8_t *out, const struct rlwe_evalkey *key, struct arena *scratch);
enum veil_status wire_evalkey_read(struct rlwe_evalkey *key, struct drbg *drbg, const void *data, size_t size,
	struct arena *scratch, struct veil_error *err) VEIL_MUST_CHECK;

/** EncryptionParameters: a set in full. */
struct wire_params {
	struct rlwe_params params; /* its q is the array below: not for copies */
	uint64_t q[RING_MAX_PRIMES];
};
size_t wire_params_write(uint8_t *out, const struct rlwe_params *params, struct arena *scratch);
/** A set of BFV that passes rlwe_params_check, or VEIL_E_INVALID with its sentence; VEIL_E_UNSUPPORTED for
 * another scheme, error distribution or security level. */
enum veil_status wire_params_read(struct wire_params *params, bool allow_insecure, const void *data,
	size_t size, struct arena *scratch, struct veil_error *err) VEIL_MUST_CHECK;

/** EvaluationKeyConfig: the set, and the keys that a client is to make for it. */
struct wire_key_config {
	struct wire_params set;
	unsigned galois_count;
	uint32_t galois_elements[RLWE_MAX_GALOIS_KEYS]; /* in the order of the message */
	bool has_relin;
};
size_t wire_key_config_write(uint8_t *out, const struct rlwe_params *params, const uint32_t *galois_elements,
	unsigned galois_count, bool has_relin, struct arena *scratch);
/** As wire_params_read; the elements are what rlwe_evalkey_init takes. */
enum veil_status wire_key_config_read(struct wire_key_config *config, bool allow_insecure, const void *data,
	size_t size, struct arena *scratch, struct veil_error *err) VEIL_MUST_CHECK;

#endif
