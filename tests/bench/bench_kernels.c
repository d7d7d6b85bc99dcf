/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/require.h"
#include "bench.h"
#include "kernels/kernels.h"

/* Kernels on arrays, each beside its generic form: a vector form that does not win has no place. The limit:
 * reading what they read from where it lies. */

#define N ((size_t)4096)
#define TERMS ((size_t)16) /* of mac, and as many outputs: a shard of 2 MiB words */
#define WORDS (N * TERMS * TERMS / 2)

static const uint64_t moduli[] = {268369921, 1099510054913, 1125899904679937, 1152921504606584833};

struct arrays {
	struct kernels k;
	struct kernels_prime p;
	void *a, *b, *out; /* WORDS of 8 bytes */
};

static void run_add(void *arg)
{
	struct arrays *s = arg;

	s->k.add(s->out, s->a, s->b, N, &s->p);
}

static void run_mul(void *arg)
{
	struct arrays *s = arg;

	s->k.mul(s->out, s->a, s->b, N, &s->p);
}

static void run_mac(void *arg)
{
	struct arrays *s = arg;

	s->k.mac(&s->out, s->a, (const void *const *)&s->b, 1, N / 2, TERMS, TERMS, &s->p);
}

static void run_uniform(void *arg)
{
	struct arrays *s = arg;
	size_t filled = 0;

	s->k.uniform(s->out, N, &filled, s->a, N, &s->p);
}

static const struct {
	const char *name;
	void (*run)(void *arg);
	size_t words; /* read */
} kernels[] = {
	{"add", run_add, 2 * N},
	{"mul", run_mul, 2 * N},
	{"mac", run_mac, WORDS},
	{"uniform", run_uniform, N},
};

static void fill(void *a, const struct kernels_prime *p)
{
	for (size_t i = 0; i < WORDS; i++) {
		uint64_t value = (i + 1) * 0x9e3779b97f4a7c15u % p->q;

		if (p->width == 4)
			((uint32_t *)a)[i] = (uint32_t)value;
		else
			((uint64_t *)a)[i] = value;
	}
}

static void measure(struct bench *b, uint64_t q, struct arrays *s)
{
	struct arrays generic;

	kernels_prime_init(&s->p, q);
	kernels_select(&s->k, bench_features(b), s->p.bits, 12);
	generic = *s;
	kernels_select(&generic.k, 0, s->p.bits, 12);
	fill(s->a, &s->p);
	fill(s->b, &s->p);
	for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
		const size_t bytes = kernels[i].words * s->p.width;
		char name[48];

		snprintf(name, sizeof name, "kernels/%s/n%zu/q%u", kernels[i].name,
			kernels[i].run == run_mac ? N / 2 : N, s->p.bits);
		if (bench_wanted(b, name))
			bench_run_form(b, name, kernels[i].run, s, bench_features(b) ? &generic : NULL,
				bench_limit_read_us(b, bytes, bytes), s->k.name);
	}
}

void bench_kernels(struct bench *b)
{
	struct arrays s = {
		.a = aligned_alloc(64, WORDS * 8),
		.b = aligned_alloc(64, WORDS * 8),
		.out = aligned_alloc(64, WORDS * 8),
	};

	REQUIRE(s.a && s.b && s.out);
	for (size_t i = 0; i < sizeof moduli / sizeof moduli[0]; i++)
		measure(b, moduli[i], &s);
	free(s.a);
	free(s.b);
	free(s.out);
}
