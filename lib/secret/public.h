/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_PUBLIC_H
#define SECRET_PUBLIC_H

#include "bfv/context.h"
#include "rlwe/ciphertext.h"
#include "secret/key.h"

struct drbg;

/* BFV for whoever has a public key alone. What it draws is a secret of its own: constant time, and `scratch`
 * is a secret arena. */

/** Room that each function here takes of a secret arena, and gives back wiped. */
size_t secret_public_scratch(const struct bfv_context *ctx);

/** A public key: an encryption of zero, two polynomials of the context's level in evaluation format. Seeded.
 */
void secret_public_key_generate(const struct bfv_context *ctx, const struct secret_key *key,
	struct rlwe_ciphertext *pk, const struct rng *rng, struct drbg *drbg, struct secret_stream *stream,
	struct arena *scratch);

/** ct = (pk0 u + e0 + round(q m / t), pk1 u + e1), u ternary and e CBD(21), fresh from the stream, of ct's
 * level (the context's or lower) and format. Noise: docs/protocol.md. Without plaintext (NULL), of zero. */
void secret_public_encrypt(const struct bfv_context *ctx, const struct rlwe_ciphertext *pk,
	struct rlwe_ciphertext *ct, const void *plaintext, struct secret_stream *stream,
	struct arena *scratch);

/** Circuit privacy against the holder of the secret: adds a fresh encryption of zero and, to the phase, noise
 * that is uniform in [-2^bits, 2^bits), bits <= 126. If no coefficient of ct's noise and of that encryption's
 * is V or more, the result is within N V / 2^(bits + 1) in statistical distance of one that has the uniform
 * noise alone (a shift by v of 2^(bits+1) equally likely values changes |v| / 2^(bits+1) of them, N
 * coefficients), and its second polynomial is that of a fresh encryption. 40 bits of privacy thus take log2(N
 * V) + 39 bits. ct has two polynomials, any format. */
void secret_public_flood(const struct bfv_context *ctx, const struct rlwe_ciphertext *pk,
	struct rlwe_ciphertext *ct, unsigned bits, struct secret_stream *stream, struct arena *scratch);

#endif
