/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/key.h"

#include <criterion/criterion.h>
#include <string.h>

#include "secret/noise.h"
#include "support/test.h"

static const uint64_t moduli[] = {268369921, 274877820929};

static struct ring *make_ring(void)
{
	struct veil_error err;
	struct ring *ring;

	cr_assert_eq(ring_create(&ring, 11, moduli, 2, cpu_features(), &err), VEIL_OK, "%s", err.text);
	return ring;
}

Test(key, a_key_is_ternary_and_the_same_mod_every_prime)
{
	struct ring *ring = make_ring();
	struct rng rng = test_rng();
	struct arena arena;
	struct secret_stream stream;
	struct secret_key key;
	size_t counts[3] = {0};

	cr_assert_eq(arena_init_secret(&arena, secret_key_room(ring)), VEIL_OK);
	cr_assert_eq(secret_stream_init(&stream, &rng), VEIL_OK);
	secret_key_generate(&key, ring, &stream, &arena);
	secret_stream_clear(&stream);
	for (unsigned i = 0; i < 2; i++)
		ring->primes[i].k.ntt_inverse(key.s[i], ring->primes[i].table, KERNELS_PLAIN);
	for (size_t j = 0; j < ring->n; j++) {
		uint64_t x = ring_get(&ring->primes[0], key.s[0], j),
			 y = ring_get(&ring->primes[1], key.s[1], j);

		cr_assert(x <= 1 || x == moduli[0] - 1);
		cr_assert_eq(y, x <= 1 ? x : moduli[1] - 1);
		counts[x <= 1 ? x : 2]++;
	}
	/* 683 each, sigma 21: ten sigma */
	for (int v = 0; v < 3; v++)
		cr_assert(counts[v] > 470 && counts[v] < 900, "%d: %zu", v, counts[v]);
	arena_clear(&arena);
	ring_destroy(ring);
}

Test(key, lifting_keeps_every_small_value)
{
	struct ring *ring = make_ring();
	_Alignas(64) uint64_t lifted[2048];
	int8_t small[2048];

	for (int i = 0; i < 2048; i++)
		small[i] = (int8_t)(i % 256 - 128);
	for (unsigned p = 0; p < 2; p++) {
		const struct ring_prime *r = &ring->primes[p];

		secret_lift(r, lifted, small);
		for (size_t i = 0; i < r->n; i++)
			cr_assert_eq(ring_get(r, lifted, i),
				small[i] < 0 ? r->p.q - (uint64_t)-small[i] : (uint64_t)small[i]);
	}
	ring_destroy(ring);
}

Test(noise, is_the_centred_distance)
{
	struct ring *ring = make_ring();

	for (unsigned p = 0; p < 2; p++) {
		const struct ring_prime *r = &ring->primes[p];
		_Alignas(64) uint64_t message[2048] = {0}, phase[2048] = {0};
		struct secret_noise noise = secret_noise_measure_vartime(r, phase, message);

		cr_assert_eq(noise.max, 0);
		cr_assert_eq(noise.rms, 0);
		ring_set(r, message, 0, r->p.q - 2);
		ring_set(r, phase, 0, 1); /* 3 above, across q */
		ring_set(r, message, 7, 5);
		ring_set(r, phase, 7, 1); /* 4 below */
		noise = secret_noise_measure_vartime(r, phase, message);
		cr_assert_eq(noise.max, 4);
		cr_assert_float_eq(noise.rms * noise.rms * 2048, 25, 1e-9);
	}
	ring_destroy(ring);
}
