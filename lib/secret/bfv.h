/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_BFV_H
#define SECRET_BFV_H

#include "bfv/context.h"
#include "rlwe/ciphertext.h"
#include "secret/key.h"

struct drbg;

/* BFV on the side of the secret. A key is secret_key_generate's for the ring of the context. Constant time.
 */

/** Room that each function here takes of a secret arena, and gives back wiped. */
size_t secret_bfv_scratch(const struct bfv_context *ctx);

/** A symmetric encryption of a plaintext (bfv/encode.h), with the level and the format that `ct` has: c1 = a,
 * expanded from a fresh seed out of `rng`, and c0 = -(a s + e) + round(q m / t) with e from CBD(21). Travels
 * as c0 and the seed. */
void secret_bfv_encrypt(const struct bfv_context *ctx, const struct secret_key *key,
	struct rlwe_ciphertext *ct, const void *plaintext, const struct rng *rng, struct drbg *drbg,
	struct secret_stream *stream, struct arena *scratch);

/** plaintext = round(t phase / q) mod t, exactly; right where the noise is within its bound. Any number of
 * polynomials, level and format. The plaintext is marked secret. */
void secret_bfv_decrypt(const struct bfv_context *ctx, const struct secret_key *key, void *plaintext,
	const struct rlwe_ciphertext *ct, struct arena *scratch);

/** How far t phase / q is from the integers that it rounds to. */
struct secret_bfv_noise {
	double budget; /* bits that it may still grow by: -log2 (2 max); decryption is right while that is > 0
			*/
	double rms; /* log2 of the root mean square */
};

/** From exact integers but for the logarithms. Time depends on the values: for tests, tools and checks of
 * parameters. */
struct secret_bfv_noise secret_bfv_noise_vartime(const struct bfv_context *ctx, const struct secret_key *key,
	const struct rlwe_ciphertext *ct, struct arena *scratch);

#endif
