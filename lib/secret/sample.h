/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_SAMPLE_H
#define SECRET_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/rng.h"

/* Small secret polynomials. Everything here runs in constant time but for the public rejections of the
 * ternary sampler. What is sampled is marked secret at birth (base/ct.h): whoever publishes something made
 * from it says so with ct_unpoison. */

/** Secret bytes: ChaCha20 under a fresh 256-bit key. */
struct secret_stream;

/** Room of a stream in a secret arena. */
size_t secret_stream_room(void);
/** Draws one 32-byte key from `rng`; lives in `arena` (which must be a secret one) and is wiped with it. */
struct secret_stream *secret_stream_create(struct arena *arena, const struct rng *rng);

/** The arena room that a sampler of n coefficients needs for a while; given back (and wiped) on return. */
size_t secret_sample_scratch(size_t n);

/** out[n] uniform in {-1, 0, 1}: bytes below 255, mod 3. A byte of 255 is skipped, which tells nothing about
 * the bytes that are kept: it is independent of them, so the exact distribution costs a public branch only.
 */
void secret_sample_ternary(int8_t *out, size_t n, struct secret_stream *stream, struct arena *scratch);

/** out[n] centred binomial of 2 x 21 bits: in [-21, 21], mean 0, variance 10.5. n is a multiple of 32.
 * Uses 5.25 bytes of the stream a coefficient. */
void secret_sample_cbd21(int8_t *out, size_t n, struct secret_stream *stream, struct arena *scratch);

#endif
