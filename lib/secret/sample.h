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

/** Secret bytes: AES-256-CTR under a fresh key, three times as fast as ChaCha20 where the processor has AES
 * instructions. */
struct secret_stream {
	struct keystream *ks;
};

/** Draws one 32-byte key from `rng`. */
enum veil_status secret_stream_init(struct secret_stream *stream, const struct rng *rng) VEIL_MUST_CHECK;
/** Wipes the key. Accepts NULL and zeroed objects. */
void secret_stream_clear(struct secret_stream *stream);

/** The arena room that a sampler needs for a while, whatever n; given back (and wiped) on return. */
size_t secret_sample_scratch(void);

/** out[n] uniform in {-1, 0, 1}: bytes below 255, mod 3. A byte of 255 is skipped, which tells nothing about
 * the bytes that are kept: it is independent of them, so the exact distribution costs a public branch only.
 */
void secret_sample_ternary(int8_t *out, size_t n, struct secret_stream *stream, struct arena *scratch);

/** out[n] centred binomial of 2 x 21 bits: in [-21, 21], mean 0, variance 10.5. n is a multiple of 32.
 * Uses 5.25 bytes of the stream a coefficient. */
void secret_sample_cbd21(int8_t *out, size_t n, struct secret_stream *stream, struct arena *scratch);

#endif
