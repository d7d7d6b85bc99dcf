/* SPDX-License-Identifier: Apache-2.0 */
#include "privacy/noise.h"

#include <criterion/criterion.h>
#include <string.h>

#include "chi.h"
#include "support/test.h"

enum { DRAWS = 1000000, BINS = 64 };

static void assert_law(const char *what, const uint64_t *seen, double r, double p)
{
	double expected[BINS] = {0}, rest = DRAWS, chi;
	size_t freedom;

	for (int k = 0; k < BINS; k++) {
		expected[k] = k + 1 < BINS ? DRAWS * chi_term(r, p, k) : rest;
		rest -= expected[k];
	}
	chi = chi_square(&freedom, seen, expected, BINS);
	cr_assert_geq(freedom, 5);
	cr_assert_leq(chi, chi_limit(freedom), "%s: chi-square %f, %zu degrees", what, chi, freedom);
}

static void count(uint64_t *seen, uint64_t value)
{
	seen[value < BINS ? value : BINS - 1]++;
}

Test(noise, one_shard_of_one_client_and_the_sum_over_all_clients_have_their_laws)
{
	enum { SHARDS = 8, USERS = 5 };
	struct privacy_plan plan = chi_plan(2.5, 0.58, SHARDS, USERS);
	struct rng rng = test_rng();
	struct privacy_random random;
	uint64_t one[BINS] = {0}, all[BINS] = {0};

	privacy_random_init(&random, rng);
	for (int epoch = 0; epoch < DRAWS / SHARDS; epoch++) {
		uint32_t sum[SHARDS] = {0}, fakes[SHARDS];

		for (int user = 0; user < USERS; user++) {
			uint64_t total = privacy_noise_draw(&plan, fakes, &random);

			for (int i = 0; i < SHARDS; i++) {
				sum[i] += fakes[i];
				total -= fakes[i];
				if (user == 0)
					count(one, fakes[i]);
			}
			cr_assert_eq(total, 0);
		}
		for (int i = 0; i < SHARDS; i++)
			count(all, sum[i]);
	}
	assert_law("one client", one, plan.law.r / USERS, plan.law.p);
	assert_law("all clients", all, plan.law.r, plan.law.p);
	privacy_random_clear(&random);
}

/* Spreading a total evenly would make the shards of a client dependent: the table of both counts shows it. */
Test(noise, the_counts_of_two_shards_are_independent)
{
	enum { SIDE = 4, SHARDS = 3 };
	struct privacy_plan plan = chi_plan(1.5, 0.6, SHARDS, 2);
	struct rng rng = test_rng();
	struct privacy_random random;
	uint64_t seen[SHARDS][SIDE * SIDE] = {{0}};
	double expected[SIDE * SIDE], part[SIDE], chi;
	size_t freedom;

	privacy_random_init(&random, rng);
	for (int i = 0; i < DRAWS; i++) {
		uint32_t fakes[SHARDS];

		privacy_noise_draw(&plan, fakes, &random);
		for (int s = 0; s < SHARDS; s++) {
			uint32_t x = fakes[s], y = fakes[(s + 1) % SHARDS];

			seen[s][(x < SIDE ? x : SIDE - 1) * SIDE + (y < SIDE ? y : SIDE - 1)]++;
		}
	}
	part[SIDE - 1] = 1;
	for (int k = 0; k + 1 < SIDE; k++)
		part[SIDE - 1] -= part[k] = chi_term(plan.law.r / 2, plan.law.p, k);
	for (int i = 0; i < SIDE * SIDE; i++)
		expected[i] = DRAWS * part[i / SIDE] * part[i % SIDE];
	for (int s = 0; s < SHARDS; s++) {
		chi = chi_square(&freedom, seen[s], expected, SIDE * SIDE);
		cr_assert_leq(
			chi, chi_limit(freedom), "shards %d and %d: chi-square %f", s, (s + 1) % SHARDS, chi);
	}
	privacy_random_clear(&random);
}

Test(noise, poisson_logarithmic_and_uniform_numbers_have_their_laws)
{
	static const struct {
		uint64_t rate;
		uint32_t bits;
	} poissons[] = {{1, 0}, {7, 3}, {5, 1}, {(uint64_t)1 << 39, 40}, {9, 0}};
	struct rng rng = test_rng();
	struct privacy_random random;
	double expected[BINS], rest, chi;
	size_t freedom;

	privacy_random_init(&random, rng);
	for (size_t i = 0; i < sizeof poissons / sizeof *poissons; i++) {
		double mean = ldexp((double)poissons[i].rate, -(int)poissons[i].bits);
		uint64_t seen[BINS] = {0};

		for (int k = 0; k < DRAWS / 4; k++)
			count(seen, privacy_random_poisson(&random, poissons[i].rate, poissons[i].bits));
		for (int k = 0; k < BINS; k++)
			expected[k] = DRAWS / 4 * exp(k * log(mean) - mean - lgamma(k + 1.0));
		chi = chi_square(&freedom, seen, expected, BINS);
		cr_assert_leq(chi, chi_limit(freedom), "Poisson %f: %f", mean, chi);
	}
	for (uint32_t p32 = 1u << 30; p32; p32 *= 2) {
		double p = p32 * 0x1p-32;
		uint64_t seen[BINS] = {0};

		rest = DRAWS / 4;
		for (int k = 0; k < DRAWS / 4; k++)
			count(seen, privacy_random_logarithmic(&random, p32));
		for (int k = 0; k < BINS; k++) {
			expected[k] = k + 1 == BINS ? rest : k ? DRAWS / 4 * pow(p, k) / (-k * log1p(-p)) : 0;
			rest -= expected[k];
		}
		cr_assert_eq(seen[0], 0);
		chi = chi_square(&freedom, seen + 1, expected + 1, BINS - 1);
		cr_assert_leq(chi, chi_limit(freedom), "logarithmic %f: %f", p, chi);
	}
	for (uint64_t bound = 1; bound < 50; bound += 6) {
		uint64_t seen[BINS] = {0};

		for (int k = 0; k < 100000; k++)
			seen[privacy_random_below(&random, bound)]++;
		for (uint64_t k = 0; k < bound; k++)
			expected[k] = 100000 / (double)bound;
		chi = chi_square(&freedom, seen, expected, bound);
		cr_assert(bound == 1 || chi <= chi_limit(freedom), "below %lu: %f", bound, chi);
	}
	for (int k = 0; k < 1000; k++)
		cr_assert_lt(privacy_random_below(&random, ((uint64_t)1 << 40) + 1), ((uint64_t)1 << 40) + 1);
	privacy_random_clear(&random);
}

/* So that no change of the draws goes unseen. */
Test(noise, a_fixed_seed_gives_the_known_draws)
{
	static const uint32_t poisson[12] = {1, 1, 3, 2, 4, 2, 1, 2, 3, 5, 4, 2};
	static const uint32_t logarithmic[12] = {4, 1, 1, 2, 1, 4, 2, 4, 2, 2, 3, 1};
	static const uint32_t below[12] = {341, 329, 299, 696, 219, 573, 604, 850, 712, 77, 708, 79};
	static const uint32_t fakes[12] = {2, 1, 1, 3, 3, 0, 2, 0, 0, 5, 3, 8};
	struct privacy_plan plan = chi_plan(32, 0.5, 12, 20);
	uint32_t have[12];
	struct rng_seeded state;
	struct privacy_random random;

	privacy_random_init(&random, rng_seeded_init_u64(&state, 2022));
	for (int i = 0; i < 12; i++)
		cr_expect_eq(privacy_random_poisson(&random, 11, 2), poisson[i], "poisson %d", i);
	for (int i = 0; i < 12; i++)
		cr_expect_eq(
			privacy_random_logarithmic(&random, 3u << 30), logarithmic[i], "logarithmic %d", i);
	for (int i = 0; i < 12; i++)
		cr_expect_eq(privacy_random_below(&random, 1000), below[i], "below %d", i);
	privacy_noise_draw(&plan, have, &random);
	cr_assert_arr_eq(have, fakes, sizeof have);
	privacy_random_clear(&random);
}
