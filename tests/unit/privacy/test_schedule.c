/* SPDX-License-Identifier: Apache-2.0 */
#include "privacy/schedule.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "chi.h"
#include "support/test.h"

enum { EPOCH = 60000, SHARDS = 20, SLICES = 30 };

static struct privacy_random start(void)
{
	struct privacy_random random;

	privacy_random_init(&random, test_rng());
	return random;
}

static void draw(struct privacy_schedule *s, const struct privacy_plan *plan, const uint32_t *shard,
	uint32_t questions, bool constant, struct privacy_random *random)
{
	cr_assert_eq(privacy_schedule_draw(s, plan, shard, questions, constant, EPOCH, random), VEIL_OK);
}

Test(schedule, each_question_is_there_once_the_rest_is_noise_and_the_count_is_constant)
{
	struct privacy_goal goal = {0.8, 1e-6, 3, SHARDS, 400};
	struct privacy_random random = start();
	struct privacy_plan plan;
	uint64_t fakes = 0;

	cr_assert_eq(privacy_plan_solve(&plan, &goal, NULL), VEIL_OK);
	for (uint32_t round = 0; round < 2000; round++) {
		uint32_t shard[3] = {round % SHARDS, 7, 7}, questions = round % 4, seen[3] = {0}, last = 0;
		struct privacy_schedule s;

		draw(&s, &plan, shard, questions, round % 2, &random);
		if (round % 2)
			cr_assert_eq(s.count, plan.constant);
		for (uint32_t i = 0; i < s.count; i++) {
			const struct privacy_item *item = privacy_schedule_next(&s);

			cr_assert(item->at_ms >= last && item->at_ms < EPOCH);
			cr_assert_lt(item->shard, SHARDS);
			last = item->at_ms;
			fakes += item->question == PRIVACY_FAKE;
			if (item->question == PRIVACY_FILL)
				cr_assert(round % 2, "filled up without being asked to");
			else if (item->question != PRIVACY_FAKE)
				cr_assert(item->question < questions &&
					  item->shard == shard[item->question] &&
					  ++seen[item->question] == 1);
			privacy_schedule_sent(&s);
		}
		cr_assert_null(privacy_schedule_next(&s));
		for (uint32_t i = 0; i < questions; i++)
			cr_assert_eq(seen[i], 1);
		privacy_schedule_clear(&s);
	}
	cr_assert_float_eq((double)fakes / 2000 / plan.fakes_per_client, 1, 0.1, "%lu fakes", fakes);
	privacy_random_clear(&random);
}

Test(schedule, what_exceeds_the_constant_is_sent_all_the_same)
{
	struct privacy_plan plan = chi_plan(20, 0.6, SHARDS, 10);
	struct privacy_random random = start();
	uint32_t more = 0;

	plan.constant = 60; /* about the mean */
	for (int round = 0; round < 1000; round++) {
		struct privacy_schedule s;
		uint32_t fill = 0;

		draw(&s, &plan, (uint32_t[]){3}, 1, true, &random);
		for (uint32_t i = 0; i < s.count; i++)
			fill += s.items[i].question == PRIVACY_FILL;
		cr_assert_geq(s.count, plan.constant);
		cr_assert(s.count == plan.constant || fill == 0);
		more += s.count > plan.constant;
		privacy_schedule_clear(&s);
	}
	cr_assert(more > 200 && more < 800, "%u", more);
	privacy_random_clear(&random);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The two-sample distance of Kolmogorov and Smirnov, times sqrt(n m / (n + m)): above 2.0 once in 1,500 at p
 * = 0.00067; 2.6 is once in 370,000. */
static double kolmogorov(double *x, size_t n, double *y, size_t m)
{
	double distance = 0;
	size_t i = 0, j = 0;

	qsort(x, n, sizeof *x, compare);
	qsort(y, m, sizeof *y, compare);
	while (i < n && j < m) {
		double at = x[i] < y[j] ? x[i] : y[j];

		while (i < n && x[i] <= at)
			i++;
		while (j < m && y[j] <= at)
			j++;
		distance = fmax(distance, fabs((double)i / (double)n - (double)j / (double)m));
	}
	return distance * sqrt((double)n * (double)m / (double)(n + m));
}

Test(schedule, instants_are_uniform_and_the_same_for_questions_fakes_and_fill_whatever_the_shard_or_the_count)
{
	enum { ROUNDS = 20000 };
	static double times[3][ROUNDS * 40];
	static uint64_t slices[SLICES], by_shard[2 * SLICES];
	struct privacy_plan plan = chi_plan(20, 0.5, SHARDS, 40);
	struct privacy_random random = start();
	double expected[2 * SLICES], first = 0, chi;
	size_t n[3] = {0}, total = 0, freedom;

	plan.constant = 20;
	for (int round = 0; round < ROUNDS; round++) {
		struct privacy_schedule s;

		draw(&s, &plan, (uint32_t[]){3}, 1, true, &random);
		for (uint32_t i = 0; i < s.count; i++) {
			const struct privacy_item *item = &s.items[i];
			int kind = item->question == PRIVACY_FAKE   ? 1
				   : item->question == PRIVACY_FILL ? 2
								    : 0;

			if (n[kind] < ROUNDS * 40)
				times[kind][n[kind]++] = item->at_ms;
			slices[item->at_ms * SLICES / EPOCH]++;
			by_shard[(item->shard < SHARDS / 2) * SLICES + item->at_ms * SLICES / EPOCH]++;
			total++;
			first += kind == 0 ? (i + 0.5) / s.count : 0;
		}
		privacy_schedule_clear(&s);
	}
	for (int i = 0; i < SLICES; i++)
		expected[i] = (double)total / SLICES;
	chi = chi_square(&freedom, slices, expected, SLICES);
	cr_assert_leq(chi, chi_limit(freedom), "instants: %f", chi);
	for (int half = 0; half < 2; half++) {
		double sum = 0;

		for (int i = 0; i < SLICES; i++)
			sum += (double)by_shard[half * SLICES + i];
		for (int i = 0; i < SLICES; i++)
			expected[i] = sum / SLICES;
		chi = chi_square(&freedom, by_shard + half * SLICES, expected, SLICES);
		cr_assert_leq(chi, chi_limit(freedom), "instants of half the shards: %f", chi);
	}
	cr_assert_leq(fabs(first / ROUNDS - 0.5), 5 * sqrt(1 / 12.0 / ROUNDS), "place of the question: %f",
		first / ROUNDS);
	cr_assert_leq(kolmogorov(times[0], n[0], times[1], n[1]), 2.6, "questions and fakes");
	cr_assert_leq(kolmogorov(times[0], n[0], times[2], n[2]), 2.6, "questions and fill");
	privacy_random_clear(&random);
}

Test(schedule, missed_instants_are_drawn_again_over_what_is_left_and_never_bunched)
{
	enum { WAKE = 40000 };
	struct privacy_plan plan = chi_plan(20, 0.5, SHARDS, 40);
	struct privacy_random random = start();
	uint64_t slices[SLICES] = {0};
	double expected[SLICES], chi;
	size_t missed = 0, freedom;

	plan.constant = 20;
	for (int round = 0; round < 10000; round++) {
		struct privacy_schedule s;
		struct privacy_item before[512];
		uint32_t due = 0;

		draw(&s, &plan, (uint32_t[]){3}, 1, true, &random);
		cr_assert_leq(s.count, 512);
		memcpy(before, s.items, s.count * sizeof *before);
		privacy_schedule_sent(&s);
		privacy_schedule_sent(&s);
		while (due < s.count && before[due].at_ms < WAKE)
			due++;
		privacy_schedule_redraw(&s, WAKE, &random);
		cr_assert_eq(s.sent, 2);
		cr_assert_arr_eq(s.items, before, 2 * sizeof *before, "what was sent stays");
		for (uint32_t i = 2; i < s.count; i++) {
			uint32_t known = 0;

			cr_assert(s.items[i].at_ms >= WAKE && s.items[i].at_ms < EPOCH);
			cr_assert_geq(s.items[i].at_ms, s.items[i < 3 ? 2 : i - 1].at_ms);
			for (uint32_t j = due; j < s.count; j++)
				known += memcmp(&s.items[i], &before[j], sizeof *before) == 0;
			if (known)
				continue;
			missed++;
			slices[(uint64_t)(s.items[i].at_ms - WAKE) * SLICES / (EPOCH - WAKE)]++;
		}
		privacy_schedule_clear(&s);
	}
	cr_assert_gt(missed, 50000);
	for (int i = 0; i < SLICES; i++)
		expected[i] = (double)missed / SLICES;
	chi = chi_square(&freedom, slices, expected, SLICES);
	cr_assert_leq(chi, chi_limit(freedom), "%f", chi);
	privacy_random_clear(&random);
}

Test(schedule, without_noise_there_are_the_questions_and_fill_in_uniform_shards)
{
	struct privacy_random random = start();
	const uint32_t shard[2] = {3, 0};
	uint64_t seen[SHARDS] = {0}, first = 0;
	double expected[SHARDS];
	size_t freedom;

	for (uint32_t round = 0; round < 4000; round++) {
		struct privacy_schedule s;
		uint32_t questions = 0;

		cr_assert_eq(privacy_schedule_draw_plain(&s, shard, round % 3, 6, SHARDS, EPOCH, &random),
			VEIL_OK);
		cr_assert_eq(s.count, 6);
		first += s.items[0].question < 2;
		for (uint32_t i = 0; i < 6; i++) {
			const struct privacy_item *item = &s.items[i];

			cr_assert(item->at_ms < EPOCH && (i == 0 || item->at_ms >= item[-1].at_ms));
			if (item->question == PRIVACY_FILL)
				seen[item->shard]++;
			else
				cr_assert(item->shard == shard[item->question] && ++questions <= round % 3);
		}
		cr_assert_eq(questions, round % 3);
		privacy_schedule_clear(&s);
	}
	for (int i = 0; i < SHARDS; i++)
		expected[i] = (4000 * 6 - 3999) / (double)SHARDS; /* 0, 1, 2 questions in turns */
	cr_assert_lt(chi_square(&freedom, seen, expected, SHARDS), chi_limit(freedom));
	cr_assert(first > 400 && first < 950, "a question is as often the first as any: %lu of 4000",
		(unsigned long)first);
}

Test(schedule, a_question_at_once_takes_the_place_of_a_uniform_fill_and_of_nothing_else)
{
	struct privacy_random random = start();
	const uint32_t shard[1] = {3};
	uint64_t gone[5] = {0};

	for (uint32_t round = 0; round < 4000; round++) {
		struct privacy_schedule s, before;
		uint32_t i = 0;

		cr_assert_eq(privacy_schedule_draw_plain(&s, shard, 1, 6, SHARDS, EPOCH, &random), VEIL_OK);
		before = s;
		before.items = malloc(6 * sizeof *s.items);
		cr_assert(before.items);
		memcpy(before.items, s.items, 6 * sizeof *s.items);
		cr_assert(privacy_schedule_spare(&s, &random));
		cr_assert_eq(s.count, 5);
		while (i < 5 && memcmp(&s.items[i], &before.items[i], sizeof *s.items) == 0)
			i++;
		cr_assert_eq(before.items[i].question, PRIVACY_FILL);
		cr_assert_eq(memcmp(&s.items[i], &before.items[i + 1], (5 - i) * sizeof *s.items), 0);
		gone[i < 4 ? i : 4]++;
		for (uint32_t left = 4; left > 0; left--)
			cr_assert(privacy_schedule_spare(&s, &random));
		cr_assert(!privacy_schedule_spare(&s, &random) && s.count == 1 && s.items[0].question == 0);
		privacy_schedule_clear(&s);
		free(before.items);
	}
	/* one of six places, the last two together: 4000/6 and twice that, six standard deviations */
	for (int i = 0; i < 4; i++)
		cr_assert(gone[i] > 525 && gone[i] < 810, "place %d: %lu", i, (unsigned long)gone[i]);
}
