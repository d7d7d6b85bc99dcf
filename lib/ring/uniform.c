/* SPDX-License-Identifier: Apache-2.0 */
#include "ring/uniform.h"

#include <string.h>

#include "base/bytes.h"
#include "base/require.h"

void ring_uniform(const struct ring_prime *r, void *a, size_t n, struct keystream *ks,
	const uint8_t domain[HASH_BYTES], const uint8_t seed[RING_SEED_BYTES], uint32_t k)
{
	static const char label[] = "veil/uniform/1";
	_Alignas(64) uint8_t bytes[8192];
	uint8_t input[sizeof label - 1 + HASH_BYTES + RING_SEED_BYTES + 4], key[HASH_BYTES];
	size_t filled = 0;
	struct writer w;

	writer_init(&w, input, sizeof input);
	writer_bytes(&w, label, sizeof label - 1);
	writer_bytes(&w, domain, HASH_BYTES);
	writer_bytes(&w, seed, RING_SEED_BYTES);
	writer_u32(&w, k);
	hash_sha256(key, input, sizeof input);
	keystream_key(ks, key);
	while (filled < n) {
		size_t words = n - filled;

		if (words > sizeof bytes / r->p.width)
			words = sizeof bytes / r->p.width;
		keystream_read(ks, bytes, words * r->p.width);
		r->k.uniform(a, n, &filled, bytes, words, &r->p);
	}
}

void ring_uniform_drbg(const struct ring *ring, unsigned primes, void *const *rows, struct drbg *drbg)
{
	REQUIRE(primes <= ring->count);
	for (unsigned i = 0; i < primes; i++) {
		const struct ring_prime *r = &ring->primes[i];

		for (size_t filled = 0, size; filled < ring->n; filled += size / 16) {
			const uint8_t *bytes;

			size = 16 * (ring->n - filled);
			bytes = drbg_next(drbg, &size);
			r->k.remainder((uint8_t *)rows[i] + filled * r->p.width, bytes, size / 16, &r->p);
		}
	}
}
