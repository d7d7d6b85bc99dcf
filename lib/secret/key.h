/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_KEY_H
#define SECRET_KEY_H

#include "base/arena.h"
#include "ring/ring.h"
#include "secret/sample.h"

/** A ternary secret s of a ring. The arrays live in the secret arena that it was generated in, and go with
 * it. */
struct secret_key {
	const struct ring *ring;
	void *s[RING_MAX_PRIMES]; /* s mod each prime, [n], transform order */
};

/** Room of a key in a secret arena, the scratch of its generation included. */
size_t secret_key_room(const struct ring *ring);
/** A fresh uniform ternary secret. `arena` must be a secret one and `ring` must outlive the
 * key. */
void secret_key_generate(
	struct secret_key *key, const struct ring *ring, struct secret_stream *stream, struct arena *arena);

/** dst = small mod q, coefficient order; -q < small[i] < q. Constant time. */
void secret_lift(const struct ring_prime *r, void *dst, const int8_t *small);

#endif
