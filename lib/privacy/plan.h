/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PRIVACY_PLAN_H
#define PRIVACY_PLAN_H

#include "privacy/moves.h"

/** What is wanted of an epoch: that replacing all questions of a user by others (at most `questions`, as many
 * as before) changes the probability of anything that the server sees by at most the factor e^eps, but for
 * delta. */
struct privacy_goal {
	double eps; /* 0.05 to 4 */
	double delta; /* 1e-12 to 1e-2 */
	uint32_t questions; /* Q: 1 to PRIVACY_MAX_MOVED */
	uint32_t shards; /* K, up to PRIVACY_MAX_SHARDS; with users: 0 where what one client does is not asked
			    for */
	uint32_t users; /* U: honest clients that take part, at least */
};

#define PRIVACY_MAX_SHARDS (1u << 20)
#define PRIVACY_RATE_BITS 40
#define PRIVACY_MAX_RATE (1u << 20) /* clumps of a client and epoch: it would ask all shards for less */

/** The noise that reaches a goal with the fewest fakes. */
struct privacy_plan {
	struct privacy_goal goal;
	struct privacy_law law; /* of a shard over all clients; r is a multiple of 1/64, p = p32 / 2^32 */
	uint32_t p32;
	double delta; /* at goal.eps: an upper bound over every way to move the questions, <= goal.delta */
	double fakes_per_shard; /* expected, over all clients */
	/* of one client, 0 without shards and users: */
	double fakes_per_client; /* expected, over all shards */
	uint64_t rate; /* its clumps are Poisson of rate / 2^PRIVACY_RATE_BITS (noise.h), rounded up */
	uint32_t constant; /* C: P[its questions and fakes > C] <= delta / 10 */
};

/** VEIL_E_INVALID names the number that is out of range, or says that the shards cannot be hidden like that.
 */
enum veil_status privacy_plan_solve(
	struct privacy_plan *plan, const struct privacy_goal *goal, struct veil_error *err) VEIL_MUST_CHECK;

/** The part of one client in a plan that has been solved for all: sets shards, users and what follows from
 * them. VEIL_E_INVALID as above. */
enum veil_status privacy_plan_share(
	struct privacy_plan *plan, uint32_t shards, uint32_t users, struct veil_error *err) VEIL_MUST_CHECK;

/** What an epoch of the plan shows at the most, to be composed. */
enum veil_status privacy_plan_epoch(struct privacy_pld *pld, const struct privacy_plan *plan) VEIL_MUST_CHECK;

/** An upper bound of delta(goal->eps) of a law, over every way to move goal->questions. */
enum veil_status privacy_plan_check(double *delta, const struct privacy_law *law,
	const struct privacy_goal *goal, struct veil_error *err) VEIL_MUST_CHECK;

#endif
