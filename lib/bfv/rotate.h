/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BFV_ROTATE_H
#define BFV_ROTATE_H

#include "bfv/context.h"
#include "ring/galois.h"
#include "rlwe/keyswitch.h"

/* Automorphisms of ciphertexts: with slots (bfv/encode.h), rotations of both rows and their exchange.
 * Elements are those of ring/galois.h; a key is of rlwe_evalkey_find. Ciphertexts have two polynomials, any
 * level and format, which results have too; dst may be `a`. */

/** Arena room that each function here needs at this level. */
size_t bfv_rotate_scratch(const struct bfv_context *ctx, unsigned level);

/** dst = the image of `a` under the key's automorphism. Evaluation format is faster. */
void bfv_apply_galois(const struct bfv_context *ctx, struct rlwe_ciphertext *dst,
	const struct rlwe_ciphertext *a, const struct rlwe_galois_key *key, struct arena *scratch);
/** The same from the digits of a's second polynomial (rlwe_decompose): many automorphisms of one ciphertext
 * share them. The same bits. `a` is in evaluation format. */
void bfv_apply_galois_hoisted(const struct bfv_context *ctx, struct rlwe_ciphertext *dst,
	const struct rlwe_ciphertext *a, const struct rlwe_digits *digits, const struct rlwe_galois_key *key,
	struct arena *scratch);
/** The same before the division by the special prime: w is set, or added to where `more`; rlwe_wide_divide
 * divides the sum. */
void bfv_apply_galois_wide(const struct bfv_context *ctx, struct rlwe_wide *w, bool more,
	const struct rlwe_ciphertext *a, const struct rlwe_digits *digits, const struct rlwe_galois_key *key,
	struct arena *scratch);

#define BFV_PLAN_STEPS 64 /* key switches of one rotation at most */

/** A rotation as a sequence of automorphisms that there are keys for. */
struct bfv_plan {
	unsigned count;
	const struct rlwe_galois_key *key[BFV_PLAN_STEPS];
};

/** The rotation of both rows by `step` (ring/galois.h: step < 0 to the left), |step| < N/2, with the fewest
 * key switches. VEIL_E_INVALID if the keys cannot make it, or not in BFV_PLAN_STEPS. For setting up: it
 * searches all rotations, in arena room of bfv_plan_scratch. The plan refers to the keys. */
enum veil_status bfv_plan_rotation(struct bfv_plan *plan, const struct bfv_context *ctx,
	const struct rlwe_evalkey *keys, int step, struct arena *scratch,
	struct veil_error *err) VEIL_MUST_CHECK;
size_t bfv_plan_scratch(const struct bfv_context *ctx);
/** dst = `a` by each automorphism of the plan. */
void bfv_apply_plan(const struct bfv_context *ctx, struct rlwe_ciphertext *dst,
	const struct rlwe_ciphertext *a, const struct bfv_plan *plan, struct arena *scratch);

#endif
