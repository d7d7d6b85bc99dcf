/* SPDX-License-Identifier: Apache-2.0 */
#include "privacy/plan.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "support/test.h"

/* Against which the solver is held: the pmf by lgamma, the sum over all pairs of counts, no staircase, no
 * bound. */
static double term(const struct privacy_law *law, int k)
{
	if (k < 0)
		return 0;
	return exp(lgamma(k + law->r) - lgamma(law->r) - lgamma(k + 1.0) + law->r * log1p(-law->p) +
		   k * log(law->p));
}

static double brute_force(const struct privacy_law *law, double eps, int moved)
{
	int end = (int)(privacy_law_mean(law) + 14 * privacy_law_deviation(law)) + 40;
	double sum = 0, e = exp(eps), *f = calloc((size_t)end, sizeof *f);

	for (int k = 0; k < end; k++)
		f[k] = term(law, k);
	for (int x1 = moved; x1 < end; x1++)
		for (int x2 = 0; x2 < end; x2++)
			sum += fmax(0, f[x1 - moved] * f[x2] - e * f[x1] * (x2 < moved ? 0 : f[x2 - moved]));
	free(f);
	return sum;
}

static void make_table(struct privacy_table *table, const struct privacy_law *law)
{
	cr_assert_eq(privacy_table_init(table, law, 1e-16, NULL), VEIL_OK);
}

/* eps, delta, Q, mean fakes of a shard over all clients: computed by another program before this one was
 * written. */
static const struct {
	double eps, delta;
	uint32_t questions;
	double fakes;
} published[] = {{0.8, 1e-6, 1, 46.2}, {0.8, 1e-6, 2, 99.7}, {0.8, 1e-6, 3, 153.5}, {0.8, 1e-6, 4, 207.5},
	{0.8, 1e-6, 8, 424.1}, {0.8, 1e-8, 1, 67.3}, {0.8, 1e-8, 2, 145.1}, {0.8, 1e-10, 1, 89.1},
	{0.4, 1e-6, 1, 91.1}, {0.4, 1e-8, 1, 136.0}, {0.2, 1e-8, 1, 266.8}, {1.0, 1e-6, 1, 36.8}};

Test(plan, every_row_is_reached_with_the_expected_fakes_and_confirmed_by_a_brute_force_sum)
{
	for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
		struct privacy_goal goal = {
			published[i].eps, published[i].delta, published[i].questions, 0, 0};
		struct privacy_plan plan;
		double sum;

		cr_assert_eq(privacy_plan_solve(&plan, &goal, NULL), VEIL_OK);
		cr_assert_leq(fabs(plan.fakes_per_shard / published[i].fakes - 1), 0.02, "row %zu: %f", i,
			plan.fakes_per_shard);
		cr_assert_float_eq(plan.fakes_per_shard, privacy_law_mean(&plan.law), 1e-9);
		cr_assert_eq((double)plan.p32 * 0x1p-32, plan.law.p);
		cr_assert_eq(fmod(plan.law.r, 0x1p-6), 0);
		sum = brute_force(&plan.law, goal.eps, (int)goal.questions);
		cr_assert_leq(sum, plan.delta * (1 + 1e-9), "row %zu: %.9g > %.9g", i, sum, plan.delta);
		cr_assert_leq(plan.delta, goal.delta);
		cr_assert_geq(sum, goal.delta * 0.9999, "row %zu: noise is wasted, %.9g", i, sum);
	}
}

Test(plan, the_first_row_needs_at_most_46_6_fakes_a_shard)
{
	struct privacy_goal goal = {0.8, 1e-6, 1, 1000, 100000};
	struct privacy_plan plan;
	struct privacy_pld epoch;

	cr_assert_eq(privacy_plan_solve(&plan, &goal, NULL), VEIL_OK);
	cr_assert_leq(plan.fakes_per_shard, 46.6);
	cr_assert_float_eq(plan.fakes_per_client, plan.fakes_per_shard / 100, 1e-9);
	cr_assert_eq(privacy_plan_epoch(&epoch, &plan), VEIL_OK);
	cr_assert_leq(privacy_pld_delta(&epoch, 0.8), 1.005e-6);
	cr_assert_geq(privacy_pld_delta(&epoch, 0.8), plan.delta * (1 - 1e-9));
	privacy_pld_clear(&epoch);
}

Test(plan, the_bound_is_above_the_sum_for_any_law_and_falls_with_eps_r_and_p)
{
	struct rng rng = test_rng();

	for (int round = 0; round < 60; round++) {
		struct privacy_law law = {
			1 + (double)test_below(&rng, 4000) / 64, 0.02 + (double)test_below(&rng, 900) / 1000};
		double eps = (double)test_below(&rng, 200) / 100, sum, bound, other;
		uint32_t moved = 1 + (uint32_t)test_below(&rng, 8);
		struct privacy_table table;

		make_table(&table, &law);
		sum = brute_force(&law, eps, (int)moved);
		bound = privacy_table_delta(&table, eps, moved);
		cr_assert_geq(bound, sum * (1 - 1e-9), "r %f p %f eps %f moved %u: %.12g < %.12g", law.r,
			law.p, eps, moved, bound, sum);
		cr_assert_leq(bound, sum * (1 + 1e-8) + 1e-13);
		cr_assert_leq(privacy_table_delta(&table, eps + 0.1, moved), bound);
		privacy_table_clear(&table);
		make_table(&table, &(struct privacy_law){law.r + 2, law.p});
		other = privacy_table_delta(&table, eps, moved);
		cr_assert_leq(other, bound * (1 + 1e-8) + 1e-13);
		privacy_table_clear(&table);
		make_table(&table, &(struct privacy_law){law.r, law.p + 0.02});
		other = privacy_table_delta(&table, eps, moved);
		cr_assert_leq(other, bound * (1 + 1e-8) + 1e-13);
		privacy_table_clear(&table);
	}
}

Test(plan, the_terms_and_the_tail_are_those_of_the_law)
{
	struct privacy_law law = {32.92, 0.58382};
	struct privacy_table table;
	double sum = 0;

	cr_assert_eq(privacy_table_init(&table, &law, 1e-4, NULL), VEIL_OK);
	for (uint32_t k = 0; k < table.count; k++) {
		double have = (double)(table.first * table.weight[k]);

		cr_assert_float_eq(have / term(&law, (int)k), 1, 1e-11);
		sum += have;
	}
	cr_assert_leq(1 - sum, (double)table.tail);
	cr_assert_geq(1 - sum, (double)table.tail / 2, "the bound of the tail is a tight one");
	privacy_table_clear(&table);
}

/* delta of an arbitrary pair of partitions, by enumerating the counts of up to four shards with a short law.
 */
static double enumerate_pair(
	const struct privacy_law *law, double eps, const uint8_t *leave, const uint8_t *come)
{
	enum { END = 40 };
	int shift[4] = {0}, sign[4] = {0}, shards = 0, x[4] = {0};
	double sum = 0;

	for (int i = 0; leave[i]; i++)
		sign[shards] = 1, shift[shards++] = leave[i];
	for (int i = 0; come[i]; i++)
		sign[shards] = -1, shift[shards++] = come[i];
	for (;;) {
		double first = 1, second = 1;
		int i;

		for (i = 0; i < shards; i++) {
			first *= term(law, sign[i] > 0 ? x[i] - shift[i] : x[i]);
			second *= term(law, sign[i] > 0 ? x[i] : x[i] - shift[i]);
		}
		sum += fmax(0, first - exp(eps) * second);
		for (i = 0; i < shards && ++x[i] == END; i++)
			x[i] = 0;
		if (i == shards)
			return sum;
	}
}

Test(plan, every_pair_of_partitions_is_counted_and_bounded_by_its_distribution)
{
	static const uint32_t partitions[] = {0, 1, 2, 3, 5, 7, 11, 15, 22}; /* OEIS A000041 */
	struct privacy_law law = {4, 0.3};
	struct privacy_table table;
	struct privacy_moves moves;

	make_table(&table, &law);
	for (uint32_t moved = 1; moved <= PRIVACY_MAX_MOVED; moved++) {
		cr_assert_eq(privacy_moves_init(&moves, &table, moved, 0.02), VEIL_OK);
		cr_assert_eq(moves.ways, partitions[moved]);
		for (uint32_t i = 0; i < moves.ways; i++) {
			uint32_t sum = 0;

			for (int k = 0; k < PRIVACY_MAX_MOVED; k++)
				sum += moves.parts[i][k];
			cr_assert_eq(sum, moved);
			for (uint32_t j = 0; j < i; j++)
				cr_assert(memcmp(moves.parts[i], moves.parts[j], PRIVACY_MAX_MOVED));
		}
		for (uint32_t i = 0; moved == 2 && i < moves.ways; i++) {
			for (uint32_t j = 0; j < moves.ways; j++) {
				double exact = enumerate_pair(&law, 0.6, moves.parts[i], moves.parts[j]);
				double bound = privacy_pld_delta_of_two(&moves.leave[i], &moves.come[j], 0.6);

				cr_assert_geq(bound, exact * (1 - 1e-9), "%u %u", i, j);
				cr_assert_leq(
					bound, exact * 1.002 + 1e-9, "%u %u: %g %g", i, j, bound, exact);
			}
		}
		privacy_moves_clear(&moves);
	}
	privacy_table_clear(&table);
}

Test(plan, of_all_pairs_of_partitions_all_together_is_the_worst_and_the_next_is_near)
{
	struct privacy_goal goal = {0.8, 1e-6, 8, 0, 0};
	struct privacy_plan plan;
	struct privacy_table table;
	struct privacy_moves moves;
	struct privacy_pld pld;
	double delta;

	cr_assert_eq(privacy_plan_solve(&plan, &goal, NULL), VEIL_OK);
	make_table(&table, &plan.law);
	cr_assert_float_eq(plan.delta / privacy_table_delta(&table, 0.8, 8), 1, 1e-5);
	cr_assert_eq(privacy_moves_init(&moves, &table, 8, 0.8 / 64), VEIL_OK);
	delta = privacy_pld_delta_of_two(&moves.leave[1], &moves.come[0], 0.8);
	cr_assert_gt(delta, plan.delta * 0.8, "7 + 1 to 8: %g", delta);
	cr_assert_lt(privacy_pld_delta_of_two(&moves.leave[21], &moves.come[21], 0.8), plan.delta / 100);
	privacy_moves_clear(&moves);
	for (double eps = 0.4; eps < 4; eps *= 1.5) {
		cr_assert_eq(privacy_moves_delta(&delta, &table, eps, 3), VEIL_OK);
		cr_assert_eq(delta, privacy_table_delta(&table, eps, 3), "at eps %f", eps);
	}
	cr_assert_eq(privacy_pld_init_epoch(&pld, &table, 3, 0.8 / 64), VEIL_OK);
	cr_assert_eq(privacy_moves_init(&moves, &table, 4, 0.8 / 64), VEIL_OK);
	cr_assert_gt(privacy_pld_excess(&moves.leave[0], &pld), 0, "an excess is seen where there is one");
	privacy_moves_clear(&moves);
	privacy_pld_clear(&pld);
	privacy_table_clear(&table);
}

Test(pld, the_distribution_is_pessimistic_and_near_to_the_exact_sum)
{
	struct privacy_law laws[] = {{32.92, 0.58382}, {20.74, 0.95338}, {3, 0.4}};
	uint32_t moved[] = {1, 8, 2};

	for (int i = 0; i < 3; i++) {
		struct privacy_table table;
		struct privacy_pld pld;

		make_table(&table, &laws[i]);
		cr_assert_eq(privacy_pld_init_epoch(&pld, &table, moved[i], 0.8 / 256), VEIL_OK);
		for (double eps = 0.1; eps < 1.5; eps += 0.1) {
			double exact = brute_force(&laws[i], eps, (int)moved[i]);
			double bound = privacy_pld_delta(&pld, eps);

			cr_assert_geq(bound, exact * (1 - 1e-9));
			cr_assert_leq(bound, exact * 1.002 + 1e-11, "law %d eps %f: %g, exact %g", i, eps,
				bound, exact);
		}
		if (pld.infinite < 1e-3)
			cr_assert_float_eq(privacy_pld_delta(&pld, privacy_pld_eps(&pld, 1e-3)), 1e-3, 1e-9);
		cr_assert_eq(privacy_pld_eps(&pld, 1e-30), INFINITY, "some outcomes give it away");
		privacy_pld_clear(&pld);
		privacy_table_clear(&table);
	}
}

/* One count of each of two epochs, enumerated. */
Test(pld, two_epochs_together_are_what_an_enumeration_of_both_gives)
{
	struct privacy_law law = {3, 0.4};
	struct privacy_table table;
	struct privacy_pld one, two, repeated;

	make_table(&table, &law);
	cr_assert_eq(privacy_pld_init(&one, &table, PRIVACY_COME, 1, 0.01), VEIL_OK);
	cr_assert_eq(privacy_pld_compose(&two, &one, &one), VEIL_OK);
	cr_assert_eq(privacy_pld_repeat(&repeated, &one, 2), VEIL_OK);
	for (double eps = 0; eps < 3; eps += 0.25) {
		double exact = enumerate_pair(&law, eps, (uint8_t[]){0}, (uint8_t[]){1, 1, 0});

		cr_assert_geq(privacy_pld_delta(&two, eps), exact * (1 - 1e-9));
		cr_assert_leq(privacy_pld_delta(&two, eps), exact * 1.001 + 1e-9);
		cr_assert_float_eq(privacy_pld_delta(&repeated, eps), privacy_pld_delta(&two, eps), 1e-12);
	}
	privacy_pld_clear(&one);
	privacy_pld_clear(&two);
	privacy_pld_clear(&repeated);
	privacy_table_clear(&table);
}

Test(pld, epochs_compose_as_published_and_more_epochs_never_cost_less)
{
	static const struct {
		double r, p;
		uint32_t moved;
		double eps[6]; /* of 1, 2, 4, ... 32 epochs at delta 1e-6: by another program, on a grid of
				  5e-4 */
	} rows[] = {{32.92, 0.58382, 1, {0.80, 1.01, 1.34, 1.85, 2.63, 3.81}},
		{20.74, 0.90914, 4, {0.80, 0.98, 1.27, 1.72, 2.41, 3.47}}};

	for (int row = 0; row < 2; row++) {
		struct privacy_law law = {rows[row].r, rows[row].p};
		struct privacy_table table;
		struct privacy_pld epoch, many;
		double last = 0;

		make_table(&table, &law);
		cr_assert_eq(privacy_moves_epoch(&epoch, &table, rows[row].moved, 0.8 / 64), VEIL_OK);
		for (uint64_t times = 1; times <= 4096; times = times * 3 / 2 + 1) {
			cr_assert_eq(privacy_pld_repeat(&many, &epoch, times), VEIL_OK);
			cr_assert_gt(privacy_pld_eps(&many, 1e-6), last);
			last = privacy_pld_eps(&many, 1e-6);
			privacy_pld_clear(&many);
		}
		for (int i = 0; i < 6; i++) {
			double eps;

			cr_assert_eq(privacy_pld_repeat(&many, &epoch, 1u << i), VEIL_OK);
			eps = privacy_pld_eps(&many, 1e-6);
			cr_assert_leq(fabs(eps / rows[row].eps[i] - 1), 0.025, "%u epochs: %f", 1u << i, eps);
			privacy_pld_clear(&many);
		}
		privacy_pld_clear(&epoch);
		privacy_table_clear(&table);
	}
}

Test(plan, what_is_out_of_range_is_named)
{
	static const struct {
		struct privacy_goal goal;
		const char *text;
	} bad[] = {{{0.01, 1e-6, 1, 0, 0}, "eps 0.01"}, {{NAN, 1e-6, 1, 0, 0}, "eps nan"},
		{{0.8, 0, 1, 0, 0}, "delta 0"}, {{0.8, 1e-6, 0, 0, 0}, "0 questions"},
		{{0.8, 1e-6, 9, 0, 0}, "9 questions"}, {{0.8, 1e-6, 1, 5, 0}, "go together"},
		{{0.8, 1e-6, 1, 0, 5}, "go together"}, {{0.8, 1e-6, 1, 1u << 21, 5}, "shards"},
		{{0.8, 1e-6, 1, 1u << 20, 1}, "ask all"}};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct veil_error err = {""};
		struct privacy_plan plan;

		cr_assert_eq(privacy_plan_solve(&plan, &bad[i].goal, &err), VEIL_E_INVALID);
		cr_assert(strstr(err.text, bad[i].text), "%s", err.text);
		cr_assert_eq(plan.p32, 0);
	}
}

Test(plan, a_client_exceeds_its_constant_with_a_tenth_of_delta_at_the_most)
{
	static const uint32_t users[] = {50, 1000, 100000, 4000000};

	for (int i = 0; i < 4; i++) {
		struct privacy_goal goal = {0.8, 1e-6, 2, 1000, users[i]};
		struct privacy_plan plan;
		struct privacy_law client;
		double beyond = 0;

		cr_assert_eq(privacy_plan_solve(&plan, &goal, NULL), VEIL_OK);
		client = (struct privacy_law){(double)plan.rate * 0x1p-40 / -log1p(-plan.law.p), plan.law.p};
		cr_assert_float_eq(client.r / (plan.law.r * 1000 / users[i]), 1, 1e-6);
		cr_assert_geq(client.r, plan.law.r * 1000 / users[i] * (1 - 1e-15), "rounded up");
		for (int k = (int)plan.constant + 4000; k > (int)(plan.constant - goal.questions); k--)
			beyond += term(&client, k);
		cr_assert_leq(beyond, 1e-7 * (1 + 1e-6), "%u users: %g", users[i], beyond);
		cr_assert_geq(beyond + term(&client, (int)(plan.constant - goal.questions)), 0.5e-7,
			"%u users: C = %u is larger than it has to be", users[i], plan.constant);
	}
}
