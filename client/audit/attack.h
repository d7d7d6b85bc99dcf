/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_ATTACK_H
#define AUDIT_ATTACK_H

#include "privacy/plan.h"

/** The best attack on the counts: an epoch is said to be of the first world (the questions in shard 0) and
 * not of the second (in shard 1) where the likelihood ratio of the two counts is above a threshold. By the
 * lemma of Neyman and Pearson no other test is better. `law` is what noise there truly is, `moved` the
 * questions. */
struct attack {
	struct privacy_law law;
	uint32_t moved;
	uint64_t epochs; /* of each world */
	double alpha; /* of each interval */
	double test; /* ln of the likelihood ratio: the threshold whose bound of eps is expected to be best */
	double claim; /* eps of the claim: a second threshold, for delta */
	double delta; /* of the claim */
};

/** Chooses the threshold from the law alone, before anything is seen, so that the intervals hold. */
enum veil_status attack_init(struct attack *attack, const struct privacy_law *law, uint32_t moved, double eps,
	double delta, uint64_t epochs, double confidence, struct veil_error *err) VEIL_MUST_CHECK;

/** ln of the likelihood ratio of counts; infinite where the second world cannot have them. */
double attack_loss(const struct attack *attack, uint32_t first, uint32_t second);

/** How often a threshold named a world, over the epochs of both: rightly, and wrongly. What eps and delta
 * allow for a test and for its mirror image they allow for the mean of both, so that each epoch counts twice.
 */
struct attack_hits {
	uint64_t test[2]; /* right, wrong */
	uint64_t claim[2];
};
void attack_look(
	const struct attack *attack, struct attack_hits *hits, int world, uint32_t first, uint32_t second);

/** What was shown, at the confidence: eps and delta are at least that. */
struct attack_result {
	double eps; /* lower bound; what was likeliest, upper bound of what this test shows */
	double eps_point;
	double eps_high;
	double delta; /* of the claimed eps: lower bound, point */
	double delta_point;
};
void attack_judge(struct attack_result *result, const struct attack *attack, const struct attack_hits *hits);

#endif
