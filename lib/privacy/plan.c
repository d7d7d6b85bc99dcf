/* SPDX-License-Identifier: Apache-2.0 */
#include "privacy/plan.h"

#include <float.h>
#include <math.h>

#include "base/error.h"

#define P_UNIT 0x1p-32
#define R_UNIT 0x1p-6
#define TAIL 1e-6 /* of delta: mass that a table may leave out */
#define STEPS_OF_EPS 64
#define LARGEST_R 256
#define EXCEED 0.1 /* of delta: that a client sends more than the constant */

static enum veil_status check_goal(const struct privacy_goal *goal, struct veil_error *err)
{
	if (!(goal->eps >= 0.05 && goal->eps <= 4))
		return error_set(err, VEIL_E_INVALID, "eps %.6g: not from 0.05 to 4", goal->eps);
	if (!(goal->delta >= 1e-12 && goal->delta <= 1e-2))
		return error_set(err, VEIL_E_INVALID, "delta %.6g: not from 1e-12 to 1e-2", goal->delta);
	if (goal->questions < 1 || goal->questions > PRIVACY_MAX_MOVED)
		return error_set(err, VEIL_E_INVALID, "%u questions an epoch: not from 1 to %d",
			goal->questions, PRIVACY_MAX_MOVED);
	if (!goal->shards != !goal->users)
		return error_set(err, VEIL_E_INVALID, "shards and users go together: one of them is missing");
	if (goal->shards > PRIVACY_MAX_SHARDS)
		return error_set(
			err, VEIL_E_INVALID, "%u shards: more than %u", goal->shards, PRIVACY_MAX_SHARDS);
	return VEIL_OK;
}

/* All together is the worst way to move (privacy_plan_check confirms it for what is chosen). A law that is
 * too long for a table has more noise than any goal needs: *delta is 0. */
static enum veil_status delta_together(
	double *delta, const struct privacy_law *law, const struct privacy_goal *goal, struct veil_error *err)
{
	struct privacy_table table;
	enum veil_status st = privacy_table_init(&table, law, goal->delta * TAIL, err);

	*delta = 0;
	if (st == VEIL_OK)
		*delta = privacy_table_delta(&table, goal->eps, goal->questions);
	privacy_table_clear(&table);
	return st == VEIL_E_INVALID ? VEIL_OK : st;
}

enum veil_status privacy_plan_check(
	double *delta, const struct privacy_law *law, const struct privacy_goal *goal, struct veil_error *err)
{
	struct privacy_table table;
	enum veil_status st = privacy_table_init(&table, law, goal->delta * TAIL, err);

	*delta = 1;
	if (st != VEIL_OK)
		return st;
	st = privacy_moves_delta(delta, &table, goal->eps, goal->questions);
	privacy_table_clear(&table);
	return st == VEIL_OK ? st : error_set(err, st, "no memory for the privacy loss");
}

/* The smallest p (a multiple of `unit`) of the law with r. The mean is 3 Q ln(1/delta) / eps within a
 * quarter: it is doubled until it is enough, so that no table is much longer than it has to be. */
static enum veil_status solve_p(
	double *p, double r, double unit, const struct privacy_goal *goal, struct veil_error *err)
{
	double mean = 3 * goal->questions * log(1 / goal->delta) / goal->eps, delta = 1;
	uint64_t low = 0, high = 0;
	enum veil_status st = VEIL_OK;

	for (; st == VEIL_OK && delta > goal->delta; mean *= 2) {
		low = high;
		high = (uint64_t)ceil(mean / (mean + r) / unit);
		st = delta_together(&delta, &(struct privacy_law){r, (double)high * unit}, goal, err);
	}
	while (st == VEIL_OK && high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		st = delta_together(&delta, &(struct privacy_law){r, (double)middle * unit}, goal, err);
		if (delta > goal->delta)
			low = middle;
		else
			high = middle;
	}
	*p = (double)high * unit;
	return st;
}

static enum veil_status mean_of(
	double *mean, double log_r, const struct privacy_goal *goal, struct veil_error *err)
{
	struct privacy_law law = {.r = exp(log_r)};
	enum veil_status st = solve_p(&law.p, law.r, 0x1p-20, goal, err);

	*mean = privacy_law_mean(&law);
	return st;
}

/* The mean has one flat minimum in r: golden section over ln r. */
static enum veil_status solve_r(double *r, const struct privacy_goal *goal, struct veil_error *err)
{
	const double golden = 0.6180339887498949;
	double a = 0, b = log(LARGEST_R), x = b - golden * (b - a), y = a + golden * (b - a), at_x = 0,
	       at_y = 0;
	enum veil_status st = mean_of(&at_x, x, goal, err);

	if (st == VEIL_OK)
		st = mean_of(&at_y, y, goal, err);
	while (st == VEIL_OK && b - a > 0.05) {
		if (at_x < at_y) {
			b = y;
			y = x;
			at_y = at_x;
			x = b - golden * (b - a);
			st = mean_of(&at_x, x, goal, err);
		} else {
			a = x;
			x = y;
			at_x = at_y;
			y = a + golden * (b - a);
			st = mean_of(&at_y, y, goal, err);
		}
	}
	*r = ceil(exp((a + b) / 2) / R_UNIT) * R_UNIT;
	return st;
}

/* The constant: fakes of a client are negative binomial too, with all its shards' r / U together. Beyond n
 * their ratios are below `q`. */
static uint32_t find_constant(const struct privacy_plan *plan)
{
	long double rate = (long double)plan->rate * powl(2, -PRIVACY_RATE_BITS), p = plan->law.p;
	long double r = rate / -log1pl(-p) * (1 + 0x1p-40L), term = expl(-rate), below = term;
	long double limit = (long double)plan->goal.delta * EXCEED, q = p;
	uint32_t n = 0;

	/* From the middle on, what is left is bounded by a geometric series, and not by 1 - below. */
	while (n < r * p / (1 - p) || 1 - below > 0.1L || term * q / (1 - q) * (1 + 0x1p-30L) > limit) {
		n++;
		term *= (r + (n - 1)) / n * p;
		below += term;
		q = r > 1 ? (r + n) / (n + 1) * p : p;
		if (q >= 1)
			q = 1 - LDBL_EPSILON;
	}
	return n + plan->goal.questions;
}

static enum veil_status add_client(struct privacy_plan *plan, struct veil_error *err)
{
	const struct privacy_goal *goal = &plan->goal;
	long double rate = -log1pl(-(long double)plan->law.p) * plan->law.r * goal->shards / goal->users;

	if (!goal->users)
		return VEIL_OK;
	if (rate > PRIVACY_MAX_RATE)
		return error_set(err, VEIL_E_INVALID,
			"%u users for %u shards: a client would send more fakes than there are shards; ask "
			"all shards",
			goal->users, goal->shards);
	plan->rate = (uint64_t)ceill(rate * (1 + 0x1p-50L) * powl(2, PRIVACY_RATE_BITS));
	plan->fakes_per_client = plan->fakes_per_shard * goal->shards / goal->users;
	plan->constant = find_constant(plan);
	return VEIL_OK;
}

enum veil_status privacy_plan_share(
	struct privacy_plan *plan, uint32_t shards, uint32_t users, struct veil_error *err)
{
	struct privacy_plan p = *plan;
	enum veil_status st;

	p.goal.shards = shards;
	p.goal.users = users;
	p.fakes_per_shard = privacy_law_mean(&p.law);
	st = check_goal(&p.goal, err);
	if (st == VEIL_OK)
		st = add_client(&p, err);
	if (st == VEIL_OK)
		*plan = p;
	return st;
}

enum veil_status privacy_plan_solve(
	struct privacy_plan *plan, const struct privacy_goal *goal, struct veil_error *err)
{
	struct privacy_plan p = {.goal = *goal};
	enum veil_status st = check_goal(goal, err);

	*plan = (struct privacy_plan){0};
	if (st == VEIL_OK)
		st = solve_r(&p.law.r, goal, err);
	if (st == VEIL_OK)
		st = solve_p(&p.law.p, p.law.r, P_UNIT, goal, err);
	if (st == VEIL_OK)
		st = privacy_plan_check(&p.delta, &p.law, goal, err);
	if (st == VEIL_OK && p.delta > goal->delta)
		st = error_set(err, VEIL_E_UNSUPPORTED,
			"eps %.6g, delta %.6g, %u questions: questions that are spread are worse hidden "
			"(delta %.6g)",
			goal->eps, goal->delta, goal->questions, p.delta);
	if (st != VEIL_OK)
		return st;
	p.p32 = (uint32_t)(p.law.p / P_UNIT);
	p.fakes_per_shard = privacy_law_mean(&p.law);
	st = add_client(&p, err);
	if (st == VEIL_OK)
		*plan = p;
	return st;
}

enum veil_status privacy_plan_epoch(struct privacy_pld *pld, const struct privacy_plan *plan)
{
	struct privacy_table table;
	enum veil_status st = privacy_table_init(&table, &plan->law, plan->goal.delta * TAIL, NULL);

	*pld = (struct privacy_pld){0};
	if (st == VEIL_OK)
		st = privacy_moves_epoch(pld, &table, plan->goal.questions, plan->goal.eps / STEPS_OF_EPS);
	privacy_table_clear(&table);
	return st;
}
