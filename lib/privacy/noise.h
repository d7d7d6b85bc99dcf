/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PRIVACY_NOISE_H
#define PRIVACY_NOISE_H

#include "privacy/plan.h"
#include "privacy/random.h"

/** The fakes of one client and epoch: fakes[i], i < goal.shards, how many go to shard i. Independent, each
 * NB(r / U, p): the sum over U clients is NB(r, p) for each shard. Drawn as a compound Poisson process:
 * clumps of Poisson number, each of logarithmic size, each in a uniform shard, so that it costs what is sent
 * and not what there are of shards. The rate is rounded up: more independent noise hides no less. Returns
 * their sum. plan->rate > 0. */
uint64_t privacy_noise_draw(const struct privacy_plan *plan, uint32_t *fakes, struct privacy_random *random);

#endif
