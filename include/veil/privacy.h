/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VEIL_PRIVACY_H
#define VEIL_PRIVACY_H

#include <stdint.h>

#include "veil/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How well a crowd hides which shards one of its users asks: docs/privacy.md says in plain words what eps
 * and delta promise, and to whom. The structs below are only read through pointers that the library hands
 * out; they grow at their end. */
struct veil_privacy_plan;
struct veil_privacy_budget;

/** The noise that reaches a goal. */
struct veil_privacy_figures {
	double eps; /* the goal, of one epoch */
	double delta;
	uint32_t questions; /* of one user and epoch, at most */
	uint32_t shards; /* 0 where not given */
	uint32_t users;
	double r; /* fakes of a shard over all clients: negative binomial with r and p */
	double p;
	double delta_bound; /* proven upper bound of delta at eps, over every way to move the questions */
	double fakes_per_shard; /* expected, over all clients */
	double fakes_per_client; /* expected, over all shards; 0 without shards and users */
	uint32_t constant; /* requests of a client in every epoch; 0 without shards and users */
};

/** The cheapest noise for eps in [0.05, 4], delta in [1e-12, 1e-2], 1 to 8 questions; shards and users both,
 * or both 0. VEIL_E_INVALID names what is out of range. */
VEIL_EXPORT enum veil_status veil_privacy_plan_create(struct veil_privacy_plan **out, double eps,
	double delta, uint32_t questions, uint32_t shards, uint32_t users,
	struct veil_error *err) VEIL_MUST_CHECK;
VEIL_EXPORT const struct veil_privacy_figures *veil_privacy_plan_figures(
	const struct veil_privacy_plan *plan);
/** What `epochs` epochs together promise: *eps at `delta` (an upper bound); INFINITY where there is none. */
VEIL_EXPORT enum veil_status veil_privacy_plan_epochs(const struct veil_privacy_plan *plan, double *eps,
	uint64_t epochs, double delta, struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts NULL. */
VEIL_EXPORT void veil_privacy_plan_destroy(struct veil_privacy_plan *plan);

/** What a budget file says. Each eps is for the delta of the goal. */
struct veil_privacy_spending {
	double eps; /* of one epoch with a question */
	double delta;
	uint32_t questions; /* allowed in an epoch */
	uint32_t epochs_a_day; /* allowed: epochs with a question */
	uint64_t epochs_ever;
	uint32_t today; /* spent */
	uint64_t ever;
	double eps_today;
	double eps_ever;
	double eps_a_day; /* when all that is allowed is spent */
	double eps_limit;
};

/** A new budget file for that plan, nothing spent, with its count of boots beside it (PATH.boots).
 * VEIL_E_INVALID if there is one: what it has counted is not to be lost. */
VEIL_EXPORT enum veil_status veil_privacy_budget_create(const char *path,
	const struct veil_privacy_plan *plan, uint32_t epochs_a_day, uint64_t epochs_ever,
	struct veil_error *err) VEIL_MUST_CHECK;
/** Reads one, whoever writes it. VEIL_E_IO: there is none. VEIL_E_CORRUPT: damaged, or a copy. */
VEIL_EXPORT enum veil_status veil_privacy_budget_read(
	struct veil_privacy_budget **out, const char *path, struct veil_error *err) VEIL_MUST_CHECK;
VEIL_EXPORT const struct veil_privacy_spending *veil_privacy_budget_spending(
	const struct veil_privacy_budget *budget);
/** Accepts NULL. */
VEIL_EXPORT void veil_privacy_budget_destroy(struct veil_privacy_budget *budget);

#ifdef __cplusplus
}
#endif
#endif
