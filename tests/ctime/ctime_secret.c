/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ct.h"
#include "base/require.h"
#include "ring/uniform.h"
#include "secret/decrypt.h"
#include "secret/encrypt.h"

/* For valgrind and MSan: keys, encryptions of zero and phases of rings of both word widths and of several
 * primes. What is sampled is marked as uninitialised at birth; nothing is unmarked here but the public
 * rejections of the sampler and, at the end, the bits that the program itself checks. */

static struct ring_poly take(const struct ring *ring, struct arena *arena)
{
	struct ring_poly poly;

	ring_poly_init(&poly, ring, ring->count, RING_EVALUATION,
		arena_take(arena, ring_poly_bytes(ring, ring->count)));
	return poly;
}

static void fill_uniform(struct ring_poly *a)
{
	static const uint8_t domain[HASH_BYTES], seed[RING_SEED_BYTES];
	struct keystream *ks = keystream_create();

	REQUIRE(ks);
	for (unsigned i = 0; i < a->level; i++)
		ring_uniform(&a->ring->primes[i], ring_poly_row(a, i), a->ring->n, ks, domain, seed, i);
	keystream_destroy(ks);
}

/* Are all residues within 21 of zero? */
static int is_small(const struct ring_prime *r, const void *phase)
{
	ct_unpoison(phase, ring_prime_bytes(r));
	for (size_t i = 0; i < r->n; i++)
		if (ring_get(r, phase, i) > 21 && ring_get(r, phase, i) < r->p.q - 21)
			return 0;
	return 1;
}

static void life(unsigned log_n, const uint64_t *q, unsigned count)
{
	struct rng rng = rng_system();
	struct secret_stream stream;
	struct secret_key key;
	struct arena arena;
	struct rlwe_ciphertext ct = {.count = 2};
	struct ring_poly phase;
	struct ring *ring;

	REQUIRE(ring_create(&ring, log_n, q, count, cpu_features(), NULL) == VEIL_OK);
	REQUIRE(arena_init_secret(&arena, secret_key_room(ring) + secret_encrypt_scratch(ring) +
						  secret_phase_scratch(ring) +
						  3 * ring_poly_bytes(ring, count)) == VEIL_OK);
	REQUIRE(secret_stream_init(&stream, &rng) == VEIL_OK);
	ct.poly[0] = take(ring, &arena);
	ct.poly[1] = take(ring, &arena);
	phase = take(ring, &arena);
	fill_uniform(&ct.poly[1]);
	secret_key_generate(&key, ring, &stream, &arena);
	secret_encrypt_zero(&key, &ct.poly[0], &ct.poly[1], &stream, &arena);
	ring_poly_transform(&ct.poly[1], RING_COEFFICIENT);
	secret_phase(&key, &phase, &ct, &arena);
	for (unsigned i = 0; i < count; i++)
		REQUIRE(is_small(&ring->primes[i], ring_poly_row(&phase, i)));
	secret_stream_clear(&stream);
	arena_clear(&arena);
	ring_destroy(ring);
}

int main(int argc, char **argv)
{
	/* of 28, 29, 31, 38, 48, 50, 55, 60 and 62 bits: one for each form of the transform at least */
	static const uint64_t q[] = {268369921, 536608769, 2147352577, 274876334081, 140737488486401,
		1125899904679937, 36028797017456641, 1152921504606584833, 4611686018427322369};
	const unsigned count = sizeof q / sizeof *q;

	if (argc > 1 && !strcmp(argv[1], "leak")) {
		struct rng rng = rng_system();
		struct secret_stream stream;
		struct arena arena;
		int8_t sample[32];

		/* a branch on an error, where the library has none */
		REQUIRE(arena_init_secret(&arena, secret_sample_scratch()) == VEIL_OK);
		REQUIRE(secret_stream_init(&stream, &rng) == VEIL_OK);
		secret_sample_cbd21(sample, 32, &stream, &arena);
		if (sample[0] > 0)
			puts("positive");
		else
			fputs("not positive\n", stderr);
		return 0;
	}
	life(11, q, 1);
	life(11, &q[3], 1);
	life(12, q, count);
	life(5, q, count);
	return 0;
}
