/* SPDX-License-Identifier: Apache-2.0 */
#include "ring/galois.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "ring/prime.h"
#include "support/test.h"

Test(galois, elements_are_the_published_ones)
{
	/* apple/swift-homomorphic-encryption: the keys of its nearest neighbours at N = 4096, d = 128 */
	static const struct {
		int step;
		uint32_t element;
	} known[] = {{-1, 3}, {-12, 7153}, {1, 2731}, {16, 6337}, {256, 3073}, {0, 1}, {-2, 9}};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		cr_assert_eq(
			ring_galois_element_rotate(12, known[i].step), known[i].element, "%d", known[i].step);
	cr_assert_eq(ring_galois_element_swap(12), 8191);
	cr_assert_eq(ring_galois_element_swap(3), 15);
	for (unsigned log_n = 2; log_n <= 10; log_n++) {
		const uint32_t mask = (2u << log_n) - 1;
		const int row = 1 << log_n >> 1;

		for (int step = 1; step < row; step++) {
			uint32_t right = ring_galois_element_rotate(log_n, step),
				 left = ring_galois_element_rotate(log_n, -step);

			cr_assert_eq((right * left & mask), 1);
			cr_assert_eq(left, ring_galois_element_rotate(log_n, row - step));
		}
	}
}

static struct ring *make(unsigned log_n, const uint64_t *q, unsigned count)
{
	struct ring *ring;
	struct veil_error err;

	cr_assert_eq(ring_create(&ring, log_n, q, count, cpu_features(), &err), VEIL_OK, "%s", err.text);
	return ring;
}

static struct ring_poly poly(struct arena *arena, const struct ring *ring)
{
	struct ring_poly a;
	size_t size = ring_poly_bytes(ring, ring->count);

	ring_poly_init(&a, ring, ring->count, RING_COEFFICIENT, memset(arena_take(arena, size), 0, size));
	return a;
}

static void expect(const struct ring_poly *a, const uint64_t *want, const char *what)
{
	for (unsigned i = 0; i < a->level; i++)
		for (size_t j = 0; j < a->ring->n; j++)
			cr_assert_eq(ring_get(&a->ring->primes[i], ring_poly_row(a, i), j),
				want[i * a->ring->n + j], "%s: [%u][%zu]", what, i, j);
}

Test(galois, images_are_the_published_ones_in_both_formats)
{
	/* GaloisTests of apple/swift-homomorphic-encryption, element 3 */
	static const struct {
		unsigned log_n, count;
		uint64_t q[2], from[16], to[16];
	} known[] = {
		{2, 1, {17}, {0, 1, 2, 3}, {0, 3, 15, 1}},
		{3, 1, {17}, {0, 1, 2, 3, 4, 5, 6, 7}, {0, 14, 6, 1, 13, 7, 2, 12}},
		{3, 2, {17, 97}, {0, 1, 2, 3, 4, 5, 6, 7, 7, 6, 5, 4, 3, 2, 1, 0},
			{0, 14, 6, 1, 13, 7, 2, 12, 7, 93, 1, 6, 94, 0, 5, 95}},
	};
	struct arena arena;

	cr_assert_eq(arena_init(&arena, 65536), VEIL_OK);
	for (size_t t = 0; t < sizeof known / sizeof *known; t++) {
		struct ring *ring = make(known[t].log_n, known[t].q, known[t].count);
		struct ring_poly a = poly(&arena, ring), image = poly(&arena, ring);
		uint32_t map[8];

		for (unsigned i = 0; i < a.level; i++)
			for (size_t j = 0; j < ring->n; j++)
				ring_set(&ring->primes[i], ring_poly_row(&a, i), j,
					known[t].from[i * ring->n + j]);
		ring_galois_map(map, known[t].log_n, 3, RING_COEFFICIENT);
		ring_galois_apply(&image, &a, map);
		expect(&image, known[t].to, "coefficients");
		ring_poly_transform(&a, RING_EVALUATION);
		ring_galois_map(map, known[t].log_n, 3, RING_EVALUATION);
		ring_galois_apply(&image, &a, map);
		cr_assert_eq(image.format, RING_EVALUATION);
		ring_poly_transform(&image, RING_COEFFICIENT);
		expect(&image, known[t].to, "values");
		ring_destroy(ring);
	}
	arena_clear(&arena);
}

Test(galois, the_maps_of_element_3_for_8_coefficients)
{
	/* X^i -> X^3i: 0, 3, 6, 9 = -1, 12 = -4, 15 = -7, 18 = 2, 21 = 5. Values are at the powers 1 9 5 13 3
	 * 11 7 15 of the root; three times these are 3 11 15 7 9 1 5 13. */
	static const uint32_t coefficients[] = {
		0, 2 * 3 + 1, 2 * 6, 2 * 1, 2 * 4 + 1, 2 * 7, 2 * 2, 2 * 5 + 1};
	static const uint32_t values[] = {2 * 4, 2 * 5, 2 * 7, 2 * 6, 2 * 1, 2 * 0, 2 * 2, 2 * 3};
	uint32_t map[8];

	ring_galois_map(map, 3, 3, RING_COEFFICIENT);
	cr_assert_arr_eq(map, coefficients, sizeof map);
	ring_galois_map(map, 3, 3, RING_EVALUATION);
	cr_assert_arr_eq(map, values, sizeof map);
}

static const uint64_t moduli[] = {40961, 268369921, 1152921504606830593};

/* of 8 bits */
static uint64_t reverse(uint64_t x)
{
	uint64_t r = 0;

	for (int b = 0; b < 8; b++)
		r |= (x >> b & 1) << (7 - b);
	return r;
}

Test(galois, images_commute_with_the_transform_and_with_each_other)
{
	static uint32_t map[2][256];
	struct rng rng = test_rng();
	struct ring *ring = make(8, moduli, 3);
	struct arena arena;

	cr_assert_eq(arena_init(&arena, 1 << 20), VEIL_OK);
	for (int round = 0; round < 30; round++) {
		struct ring_poly a = poly(&arena, ring), b = poly(&arena, ring), c = poly(&arena, ring);
		uint32_t e = 1 + 2 * (uint32_t)test_below(&rng, 256), inverse = 1;

		while ((e * inverse & 511) != 1)
			inverse += 2;
		for (unsigned i = 0; i < 3; i++)
			for (size_t j = 0; j < 256; j++)
				ring_set(&ring->primes[i], ring_poly_row(&a, i), j,
					test_residue(&rng, moduli[i]));
		ring_galois_map(map[0], 8, e, RING_COEFFICIENT);
		ring_galois_apply(&b, &a, map[0]);
		/* the definition: b(x) = a(x^e) at the roots, by the transform */
		ring_poly_copy(&c, &a);
		ring_poly_transform(&c, RING_EVALUATION);
		ring_poly_transform(&b, RING_EVALUATION);
		for (size_t j = 0; j < 256; j++) {
			const struct ring_prime *r = &ring->primes[0];
			uint64_t x = prime_pow(r->root, e * (2 * reverse(j) + 1), r->p.q), y = 0;

			for (size_t k = 256; k--;)
				y = (prime_mul(y, x, r->p.q) + ring_get(r, ring_poly_row(&a, 0), k)) % r->p.q;
			cr_assert_eq(ring_get(r, ring_poly_row(&b, 0), j), y);
		}
		ring_galois_map(map[1], 8, e, RING_EVALUATION);
		ring_galois_apply(&a, &c, map[1]);
		for (unsigned i = 0; i < 3; i++)
			cr_assert_arr_eq(ring_poly_row(&a, i), ring_poly_row(&b, i),
				ring_prime_bytes(&ring->primes[i]));
		/* and back */
		ring_galois_map(map[1], 8, inverse, RING_EVALUATION);
		ring_galois_apply(&b, &a, map[1]);
		for (unsigned i = 0; i < 3; i++)
			cr_assert_arr_eq(ring_poly_row(&b, i), ring_poly_row(&c, i),
				ring_prime_bytes(&ring->primes[i]));
		arena_reset(&arena);
	}
	ring_destroy(ring);
	arena_clear(&arena);
}

Test(galois, plans_make_the_rotation_with_the_fewest_steps)
{
	static const int steps[] = {1, 16, 256};
	struct rng rng = test_rng();
	uint32_t *scratch = malloc(ring_galois_plan_words(12) * sizeof *scratch);
	unsigned times[3];

	cr_assert(ring_galois_plan(times, 12, steps, 3, 273, scratch));
	cr_assert(times[0] == 1 && times[1] == 1 && times[2] == 1);
	cr_assert(ring_galois_plan(times, 12, steps, 3, 100, scratch));
	cr_assert(times[0] == 4 && times[1] == 6 && times[2] == 0);
	cr_assert(ring_galois_plan(times, 12, steps, 3, 0, scratch));
	cr_assert(times[0] == 0 && times[1] == 0 && times[2] == 0);
	for (int round = 0; round < 100; round++) {
		int step = (int)test_below(&rng, 4095) - 2047, sum = 0, left = (step + 2048) % 2048;

		cr_assert(ring_galois_plan(times, 12, steps, 3, step, scratch));
		for (unsigned i = 0; i < 3; i++)
			sum += steps[i] * (int)times[i];
		cr_assert_eq((sum - step) % 2048, 0);
		/* digits to base 16 are the fewest coins of 1, 16, 256 */
		cr_assert_eq(
			times[0] + times[1] + times[2], (unsigned)(left % 16 + left / 16 % 16 + left / 256));
	}
	cr_assert(!ring_galois_plan(times, 12, (const int[]){2, -4}, 2, 3, scratch));
	cr_assert(times[0] == 0 && times[1] == 0);
	cr_assert(!ring_galois_plan(times, 12, NULL, 0, 3, scratch));
	cr_assert(ring_galois_plan(times, 12, (const int[]){-1}, 1, 2047, scratch));
	cr_assert_eq(times[0], 1);
	free(scratch);
}
