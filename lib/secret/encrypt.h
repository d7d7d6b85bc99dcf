/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_ENCRYPT_H
#define SECRET_ENCRYPT_H

#include "ring/poly.h"
#include "secret/key.h"

/** Arena room of secret_encrypt_zero. */
size_t secret_encrypt_scratch(const struct ring *ring);

/** A symmetric encryption of zero: b = -(a s) + e, of a's level, in coefficient format. `a` is public,
 * uniform and in evaluation format, as ring_uniform and ring_uniform_drbg make it; b may have a's memory. e
 * is CBD(21), fresh from the stream, one for all primes. To encrypt a message, add it to b.
 *
 * One `a` must not be used twice under one secret. b is marked secret: whoever has added the message and
 * publishes it says so with ct_unpoison. `scratch` is a secret arena, given back on return. */
void secret_encrypt_zero(const struct secret_key *key, struct ring_poly *b, const struct ring_poly *a,
	struct secret_stream *stream, struct arena *scratch);

#endif
