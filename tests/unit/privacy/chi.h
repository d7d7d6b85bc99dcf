/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PRIVACY_CHI_H
#define PRIVACY_CHI_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "privacy/plan.h"

/** Pearson's statistic of `bins` counts over what is expected of them; bins that expect less than 10 are
 * taken together with their neighbours. *freedom: bins that are left, less one. */
static inline double chi_square(size_t *freedom, const uint64_t *seen, const double *expected, size_t bins)
{
	double sum = 0, want = 0, have = 0;
	size_t used = 0;

	for (size_t i = 0; i < bins; i++) {
		want += expected[i];
		have += (double)seen[i];
		if (want < 10 && i + 1 < bins)
			continue;
		sum += want > 0 ? (have - want) * (have - want) / want : have * 1e9;
		used++;
		want = have = 0;
	}
	*freedom = used - 1;
	return sum;
}

/** What a true law exceeds once in two million tests (Wilson and Hilferty, z = 4.9). */
static inline double chi_limit(size_t freedom)
{
	double k = (double)freedom, root = 1 - 2 / (9 * k) + 4.9 * sqrt(2 / (9 * k));

	return k * root * root * root;
}

/** P[k] of the negative binomial; any r > 0. */
static inline double chi_term(double r, double p, double k)
{
	return exp(lgamma(k + r) - lgamma(r) - lgamma(k + 1) + r * log1p(-p) + k * log(p));
}

/** A plan of any law and crowd, not one that reaches a goal. */
static inline struct privacy_plan chi_plan(double r, double p, uint32_t shards, uint32_t users)
{
	struct privacy_plan plan = {
		.goal = {.questions = PRIVACY_MAX_MOVED, .shards = shards, .users = users}};

	plan.p32 = (uint32_t)(p * 0x1p32);
	plan.law = (struct privacy_law){r, plan.p32 * 0x1p-32};
	plan.rate = (uint64_t)ceil(-log1p(-plan.law.p) * r * shards / users * 0x1p40);
	plan.fakes_per_shard = privacy_law_mean(&plan.law);
	return plan;
}

#endif
