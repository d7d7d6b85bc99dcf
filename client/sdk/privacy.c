/* SPDX-License-Identifier: Apache-2.0 */
#include "veil/privacy.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "privacy/accountant.h"

struct veil_privacy_plan {
	struct privacy_plan plan;
	struct veil_privacy_figures figures;
	struct privacy_pld epoch;
};

struct veil_privacy_budget {
	struct veil_privacy_spending spending;
};

static void take_figures(struct veil_privacy_figures *f, const struct privacy_plan *plan)
{
	f->eps = plan->goal.eps;
	f->delta = plan->goal.delta;
	f->questions = plan->goal.questions;
	f->shards = plan->goal.shards;
	f->users = plan->goal.users;
	f->r = plan->law.r;
	f->p = plan->law.p;
	f->delta_bound = plan->delta;
	f->fakes_per_shard = plan->fakes_per_shard;
	f->fakes_per_client = plan->fakes_per_client;
	f->constant = plan->constant;
}

enum veil_status veil_privacy_plan_create(struct veil_privacy_plan **out, double eps, double delta,
	uint32_t questions, uint32_t shards, uint32_t users, struct veil_error *err)
{
	struct privacy_goal goal = {eps, delta, questions, shards, users};
	struct veil_privacy_plan *plan = calloc(1, sizeof *plan);
	enum veil_status st;

	*out = NULL;
	if (!plan)
		return error_set(err, VEIL_E_NOMEM, "no memory for a plan");
	st = privacy_plan_solve(&plan->plan, &goal, err);
	if (st == VEIL_OK)
		st = privacy_plan_epoch(&plan->epoch, &plan->plan);
	if (st != VEIL_OK) {
		veil_privacy_plan_destroy(plan);
		return st;
	}
	take_figures(&plan->figures, &plan->plan);
	*out = plan;
	return VEIL_OK;
}

const struct veil_privacy_figures *veil_privacy_plan_figures(const struct veil_privacy_plan *plan)
{
	return &plan->figures;
}

void veil_privacy_plan_destroy(struct veil_privacy_plan *plan)
{
	if (!plan)
		return;
	privacy_pld_clear(&plan->epoch);
	free(plan);
}

/* The grid of the distribution rounds up, so one epoch is better known by what it was solved for. */
static enum veil_status compose(double *eps, const struct privacy_pld *epoch, const struct privacy_goal *goal,
	uint64_t epochs, double delta, struct veil_error *err)
{
	struct privacy_pld all;
	enum veil_status st = privacy_pld_repeat(&all, epoch, epochs);

	*eps = INFINITY;
	if (st != VEIL_OK)
		return error_set(
			err, st, "no memory for the loss of %llu epochs", (unsigned long long)epochs);
	*eps = privacy_pld_eps(&all, delta);
	if (epochs == 1 && delta >= goal->delta && *eps > goal->eps)
		*eps = goal->eps;
	privacy_pld_clear(&all);
	return VEIL_OK;
}

enum veil_status veil_privacy_plan_epochs(const struct veil_privacy_plan *plan, double *eps, uint64_t epochs,
	double delta, struct veil_error *err)
{
	return compose(eps, &plan->epoch, &plan->plan.goal, epochs, delta, err);
}

enum veil_status veil_privacy_budget_create(const char *path, const struct veil_privacy_plan *plan,
	uint32_t epochs_a_day, uint64_t epochs_ever, struct veil_error *err)
{
	struct privacy_caps caps = {epochs_a_day, epochs_ever};
	char boot[PRIVACY_BOOT_SIZE];
	enum veil_status st = privacy_boot_read(boot, err);

	return st == VEIL_OK ? privacy_account_create(path, &plan->plan, &caps, boot, err) : st;
}

static enum veil_status take_spending(
	struct veil_privacy_spending *s, const struct privacy_account *a, struct veil_error *err)
{
	struct privacy_plan plan = {.goal = a->goal, .law = {a->r64 / 64.0, a->p32 * 0x1p-32}};
	const uint64_t epochs[] = {a->caps.epochs_a_day, a->caps.epochs_ever, a->ever, 0};
	double *const eps[] = {&s->eps_a_day, &s->eps_limit, &s->eps_ever, &s->eps_today};
	struct privacy_pld epoch;
	enum veil_status st = privacy_plan_epoch(&epoch, &plan);

	s->eps = a->goal.eps;
	s->delta = a->goal.delta;
	s->questions = a->goal.questions;
	s->epochs_a_day = a->caps.epochs_a_day;
	s->epochs_ever = a->caps.epochs_ever;
	s->today = (uint64_t)time(NULL) / 86400 > a->day ? 0 : a->today;
	s->ever = a->ever;
	for (int i = 0; st == VEIL_OK && i < 4; i++)
		st = compose(eps[i], &epoch, &a->goal, i < 3 ? epochs[i] : s->today, a->goal.delta, err);
	privacy_pld_clear(&epoch);
	return st;
}

enum veil_status veil_privacy_budget_read(
	struct veil_privacy_budget **out, const char *path, struct veil_error *err)
{
	struct veil_privacy_budget *budget = calloc(1, sizeof *budget);
	struct privacy_account account;
	enum veil_status st = VEIL_E_NOMEM;

	*out = NULL;
	if (budget)
		st = privacy_account_read(&account, path, err);
	if (st == VEIL_E_NOT_FOUND) /* for the SDK that is a server's word */
		st = VEIL_E_IO;
	if (st == VEIL_OK)
		st = take_spending(&budget->spending, &account, err);
	if (st != VEIL_OK) {
		free(budget);
		return st;
	}
	*out = budget;
	return VEIL_OK;
}

const struct veil_privacy_spending *veil_privacy_budget_spending(const struct veil_privacy_budget *budget)
{
	return &budget->spending;
}

void veil_privacy_budget_destroy(struct veil_privacy_budget *budget)
{
	free(budget);
}
