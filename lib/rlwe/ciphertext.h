/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RLWE_CIPHERTEXT_H
#define RLWE_CIPHERTEXT_H

#include "ring/poly.h"
#include "ring/uniform.h"

#define RLWE_MAX_POLYS 3

/** A ciphertext under a secret s: its phase is poly[0] + poly[1] s + poly[2] s^2. All polynomials have one
 * ring, level and format; whoever changes one changes all. In memory of the caller; no operation takes more.
 */
struct rlwe_ciphertext {
	unsigned count; /* of polynomials: 2, or 3 after a product */
	struct ring_poly poly[RLWE_MAX_POLYS];
	bool seeded; /* poly[1] is what rlwe_ciphertext_expand makes of the seed; no operation's result is */
	uint8_t seed[RING_SEED_BYTES];
};

/** Bytes of `count` polynomials of that level; a multiple of 64. */
size_t rlwe_ciphertext_bytes(const struct ring *ring, unsigned count, unsigned level);
/** A ciphertext on that many bytes of memory, 64-byte aligned (of an arena, say). `count` and `level` are the
 * most that it will hold; its values are those that are there, and it is not seeded. */
void rlwe_ciphertext_init(struct rlwe_ciphertext *ct, const struct ring *ring, unsigned count, unsigned level,
	enum ring_format format, void *data);

static inline unsigned rlwe_ciphertext_level(const struct rlwe_ciphertext *ct)
{
	return ct->poly[0].level;
}
static inline enum ring_format rlwe_ciphertext_format(const struct rlwe_ciphertext *ct)
{
	return ct->poly[0].format;
}

/** poly[1] from the seed, in the format of the ciphertext, which has two polynomials. The residues of
 * ring_uniform_drbg are values of the transform in either case, as apple/swift-homomorphic-encryption has
 * them. Sets `seeded`. */
void rlwe_ciphertext_expand(
	struct rlwe_ciphertext *ct, const uint8_t seed[RING_SEED_BYTES], struct drbg *drbg);

/** dst = a, of a's count, level and format, for which dst has room. */
void rlwe_ciphertext_copy(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a);
/** In place; nothing to do where the ciphertext has that format. A seed stays true. */
void rlwe_ciphertext_transform(struct rlwe_ciphertext *ct, enum ring_format format);

/** Does everybody read the message, because every polynomial but the first is zero? No such ciphertext may
 * leave. */
bool rlwe_ciphertext_is_transparent(const struct rlwe_ciphertext *ct);

#endif
