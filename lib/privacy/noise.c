/* SPDX-License-Identifier: Apache-2.0 */
#include "privacy/noise.h"

#include <string.h>

#include "base/require.h"

uint64_t privacy_noise_draw(const struct privacy_plan *plan, uint32_t *fakes, struct privacy_random *random)
{
	uint64_t clumps, sum = 0;

	REQUIRE(plan->rate > 0);
	memset(fakes, 0, plan->goal.shards * sizeof *fakes);
	clumps = privacy_random_poisson(random, plan->rate, PRIVACY_RATE_BITS);
	for (uint64_t i = 0; i < clumps; i++) {
		uint32_t size = privacy_random_logarithmic(random, plan->p32);

		fakes[privacy_random_below(random, plan->goal.shards)] += size;
		sum += size;
	}
	return sum;
}
