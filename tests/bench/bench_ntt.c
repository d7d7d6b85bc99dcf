/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/require.h"
#include "bench.h"
#include "ring/ring.h"

/* One transform in place, data and table hot. The limit: the multiplications of its N/2 log2(N) butterflies.
 * The note says which form ran and, beside a vector form, what the generic one takes in the same run. */

static const uint64_t primes[] = {
	268369921, /* docs/protocol.md, the compact set */
	1099510054913, 1125899904679937,
	1152921504606584833, /* the largest = 1 mod 2^16 of 40, 50, 60 bits */
};

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

static void time_one(struct bench *b, const char *direction, void (*fn)(void *arg), struct transform *t,
	const struct ring_prime *generic)
{
	const struct ring_prime *r = t->r;
	const double limit = bench_limit_butterflies_us(b, r->p.bits, (double)r->n / 2 * r->log_n);
	struct transform scalar = {generic, t->a};
	char name[48];

	snprintf(name, sizeof name, "ntt/%s/n%zu/q%u", direction, r->n, r->p.bits);
	bench_run_form(b, name, fn, t, r->k.ntt_forward == generic->k.ntt_forward ? NULL : &scalar, limit,
		r->k.name);
}

static void measure(struct bench *b, unsigned log_n, uint64_t q)
{
	struct ring *ring = NULL, *generic = NULL;
	struct transform t = {0};
	struct veil_error err;

	REQUIRE(ring_create(&ring, log_n, &q, 1, bench_features(b), &err) == VEIL_OK);
	REQUIRE(ring_create(&generic, log_n, &q, 1, 0, &err) == VEIL_OK);
	t.r = &ring->primes[0];
	t.a = aligned_alloc(64, ring_prime_bytes(t.r));
	REQUIRE(t.a);
	for (size_t i = 0; i < ring->n; i++)
		ring_set(t.r, t.a, i, i * i * 0x9e3779b9u % q);
	time_one(b, "forward", forward, &t, &generic->primes[0]);
	time_one(b, "inverse", inverse, &t, &generic->primes[0]);
	free(t.a);
	ring_destroy(generic);
	ring_destroy(ring);
}

void bench_ntt(struct bench *b)
{
	static const unsigned sizes[] = {8, 10, 11, 12, 13};

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		for (size_t j = 0; j < (sizes[i] < 11 ? 1 : sizeof primes / sizeof primes[0]); j++)
			measure(b, sizes[i], primes[j]);
}
