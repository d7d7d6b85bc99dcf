/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_ENCRYPT_H
#define SECRET_ENCRYPT_H

#include "secret/key.h"

/** Arena room of secret_encrypt_zero. */
size_t secret_encrypt_scratch(const struct ring *ring);

/** A symmetric encryption of zero: b[i] = -(a[i] * s) + e mod the prime i, in coefficient order. a[i] is
 * public, uniform and in transform order, as ring_uniform makes it. ring->count arrays of n residues each,
 * 64-byte aligned; b[i] may be a[i]. e is CBD(21), fresh from the stream, the same for all primes. To encrypt
 * a message, add it to b.
 *
 * One `a` must not be used twice under one secret. b is marked secret: whoever has added the message and
 * publishes it says so with ct_unpoison. `scratch` is a secret arena, given back on return. */
void secret_encrypt_zero(const struct secret_key *key, void *const *b, const void *const *a,
	struct secret_stream *stream, struct arena *scratch);

#endif
