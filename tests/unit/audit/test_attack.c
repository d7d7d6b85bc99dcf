/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/attack.h"

#include <criterion/criterion.h>
#include <math.h>

#include "audit/interval.h"
#include "support/test.h"

static double choose(double n, double k)
{
	return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1));
}

Test(interval, the_tail_of_a_binomial_is_the_sum_of_its_terms)
{
	static const double p[] = {0.001, 0.1, 0.5, 0.93};

	for (unsigned n = 1; n < 60; n += 7) {
		for (int i = 0; i < 4; i++) {
			double sum = 0;

			for (unsigned k = n; k >= 1; k--) {
				sum += choose(n, k) * pow(p[i], k) * pow(1 - p[i], n - k);
				cr_assert_float_eq(interval_binomial_tail(k, n, p[i]), sum, 1e-11);
			}
		}
	}
}

/* Clopper and Pearson, Biometrika 26 (1934): 5 of 10 at 95% are 0.1871 to 0.8129; 0 of n by hand. */
Test(interval, the_bounds_are_those_of_the_table_and_of_the_closed_forms)
{
	double low, high;

	interval_clopper_pearson(&low, &high, 5, 10, 0.025);
	cr_assert_float_eq(low, 0.18709, 1e-5);
	cr_assert_float_eq(high, 0.81291, 1e-5);
	interval_clopper_pearson(&low, &high, 0, 1000000, 0.005);
	cr_assert_eq(low, 0);
	cr_assert_float_eq(high, 1 - pow(0.005, 1e-6), 1e-12);
	interval_clopper_pearson(&low, &high, 20, 20, 0.005);
	cr_assert_float_eq(low, pow(0.005, 1 / 20.0), 1e-9);
	cr_assert_eq(high, 1);
	interval_clopper_pearson(&low, &high, 10000, 10000000, 0.005);
	cr_assert(low > 0.000973 && low < 0.000975 && high > 0.001025 && high < 0.001027, "%g %g", low, high);
}

/* The true probability is outside an interval of 80% about as often as it says, and not more. */
Test(interval, it_covers_the_truth_as_often_as_it_says)
{
	enum { ROUNDS = 4000, TRIALS = 200 };
	struct rng rng = test_rng();
	int below = 0, above = 0;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t hits = 0;
		double low, high;

		for (int i = 0; i < TRIALS; i++)
			hits += test_below(&rng, 1000) < 70;
		interval_clopper_pearson(&low, &high, hits, TRIALS, 0.1);
		below += 0.07 < low;
		above += 0.07 > high;
	}
	cr_assert(below < ROUNDS / 10 + 100 && above < ROUNDS / 10 + 100, "%d %d", below, above);
	cr_assert(below > ROUNDS / 40 && above > ROUNDS / 40, "%d %d: far too wide", below, above);
}

Test(attack, the_loss_is_the_logarithm_of_the_likelihood_ratio)
{
	struct attack attack = {.law = {20, 0.6}, .moved = 2};
	struct privacy_table t;

	cr_assert_eq(privacy_table_init(&t, &attack.law, 1e-9, NULL), VEIL_OK);
	for (uint32_t x = 2; x < 60; x += 5) {
		for (uint32_t y = 2; y < 60; y += 5) {
			double ratio =
				(double)(t.weight[x - 2] * t.weight[y] / (t.weight[x] * t.weight[y - 2]));

			cr_assert_float_eq(attack_loss(&attack, x, y), log(ratio), 1e-9);
		}
	}
	cr_assert_eq(attack_loss(&attack, 30, 1), INFINITY);
	cr_assert_eq(attack_loss(&attack, 1, 30), -INFINITY);
	privacy_table_clear(&t);
}

Test(attack, the_threshold_is_chosen_before_anything_is_seen_and_the_judgement_is_that_of_the_intervals)
{
	struct privacy_law law = {32.390625, 0.587727623};
	struct attack attack;
	struct attack_hits hits = {{100000, 50000}, {1000, 100}};
	struct attack_result result;
	double low, high, other;

	cr_assert_eq(attack_init(&attack, &law, 1, 0.8, 1e-6, 10000000, 0.99, NULL), VEIL_OK);
	cr_assert(attack.test > 0.3 && attack.test < 0.8, "%g", attack.test);
	attack_judge(&result, &attack, &hits);
	interval_clopper_pearson(&low, &other, 100000, 20000000, 0.005); /* each epoch counts twice */
	interval_clopper_pearson(&other, &high, 50000, 20000000, 0.005);
	cr_assert_float_eq(result.eps, log((low - 1e-6) / high), 1e-9);
	cr_assert(result.eps < result.eps_point && result.eps_point < result.eps_high);
	cr_assert_float_eq(result.delta_point, (1000 - exp(0.8) * 100) / 2e7, 1e-12);
	cr_assert(result.delta < result.delta_point && result.delta > 0);
	hits = (struct attack_hits){{0, 0}, {0, 0}};
	attack_look(&attack, &hits, 0, 120, 12); /* right */
	attack_look(&attack, &hits, 0, 12, 120); /* wrong */
	attack_look(&attack, &hits, 1, 12, 120); /* right */
	attack_look(&attack, &hits, 1, 46, 46); /* says nothing */
	cr_assert(hits.test[0] == 2 && hits.test[1] == 1);
	hits = (struct attack_hits){{0, 0}, {0, 0}};
	attack_judge(&result, &attack, &hits);
	cr_assert(result.eps == 0 && result.delta == 0);
}
