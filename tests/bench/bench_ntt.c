/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/require.h"
#include "bench.h"
#include "ring/ring.h"

/* One transform in place, data and table hot. The limit: its N/2 log2(N) butterflies multiply four times
 * where a lane fits 32 bits (two 64-bit products, two low halves), which takes the multiplier as long as two
 * 64-bit products. */

#define Q28 268369921 /* docs/protocol.md, the compact set */

struct transform {
	const struct ring_prime *r;
	void *a;
};

static void forward(void *arg)
{
	const struct transform *t = arg;

	t->r->k.ntt_forward(t->a, t->r->table);
}

static void inverse(void *arg)
{
	const struct transform *t = arg;

	t->r->k.ntt_inverse(t->a, t->r->table, KERNELS_PLAIN);
}

static void measure(struct bench *b, unsigned log_n)
{
	const uint64_t q = Q28;
	const size_t n = (size_t)1 << log_n;
	struct transform t = {0};
	struct ring *ring = NULL;
	struct veil_error err;
	char name[2][48];

	snprintf(name[0], sizeof name[0], "ntt/forward/n%zu/q28", n);
	snprintf(name[1], sizeof name[1], "ntt/inverse/n%zu/q28", n);
	if (!bench_wanted(b, name[0]) && !bench_wanted(b, name[1]))
		return;
	REQUIRE(ring_create(&ring, log_n, &q, 1, bench_features(b), &err) == VEIL_OK);
	t.r = &ring->primes[0];
	t.a = aligned_alloc(64, ring_prime_bytes(t.r));
	REQUIRE(t.a);
	for (size_t i = 0; i < n; i++)
		ring_set(t.r, t.a, i, i * i * 0x9e3779b9u % q);
	bench_run(b, name[0], forward, &t, bench_limit_mul_us(b, (double)n * log_n), 0, t.r->k.name);
	bench_run(b, name[1], inverse, &t, bench_limit_mul_us(b, (double)n * log_n), 0, t.r->k.name);
	free(t.a);
	ring_destroy(ring);
}

void bench_ntt(struct bench *b)
{
	static const unsigned sizes[] = {8, 10, 11, 12, 13};

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		measure(b, sizes[i]);
}
