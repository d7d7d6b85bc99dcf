/* SPDX-License-Identifier: Apache-2.0 */
#include "rlwe/ciphertext.h"

#include <string.h>

#include "base/require.h"

size_t rlwe_ciphertext_bytes(const struct ring *ring, unsigned count, unsigned level)
{
	return count * ring_poly_bytes(ring, level);
}

void rlwe_ciphertext_init(struct rlwe_ciphertext *ct, const struct ring *ring, unsigned count, unsigned level,
	enum ring_format format, void *data)
{
	REQUIRE(count >= 2 && count <= RLWE_MAX_POLYS);
	*ct = (struct rlwe_ciphertext){.count = count};
	for (unsigned i = 0; i < count; i++)
		ring_poly_init(&ct->poly[i], ring, level, format,
			(uint8_t *)data + i * ring_poly_bytes(ring, level));
}

void rlwe_ciphertext_expand(
	struct rlwe_ciphertext *ct, const uint8_t seed[RING_SEED_BYTES], struct drbg *drbg)
{
	const enum ring_format format = rlwe_ciphertext_format(ct);
	struct ring_poly *a = &ct->poly[1];
	void *rows[RING_MAX_PRIMES];

	REQUIRE(ct->count == 2);
	for (unsigned i = 0; i < a->level; i++)
		rows[i] = ring_poly_row(a, i);
	drbg_seed(drbg, seed);
	ring_uniform_drbg(a->ring, a->level, rows, drbg);
	a->format = RING_EVALUATION;
	ring_poly_transform(a, format);
	memmove(ct->seed, seed, sizeof ct->seed);
	ct->seeded = true;
}

void rlwe_ciphertext_copy(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a)
{
	REQUIRE(dst->poly[a->count - 1].data);
	dst->count = a->count;
	for (unsigned i = 0; i < a->count; i++)
		ring_poly_copy(&dst->poly[i], &a->poly[i]);
	dst->seeded = a->seeded;
	memmove(dst->seed, a->seed, sizeof dst->seed);
}

void rlwe_ciphertext_transform(struct rlwe_ciphertext *ct, enum ring_format format)
{
	for (unsigned i = 0; i < ct->count; i++)
		ring_poly_transform(&ct->poly[i], format);
}

bool rlwe_ciphertext_is_transparent(const struct rlwe_ciphertext *ct)
{
	for (unsigned i = 1; i < ct->count; i++)
		if (!ring_poly_is_zero_vartime(&ct->poly[i]))
			return false;
	return true;
}
