/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "kernels/forms.h"
#include "parity.h"
#include "primes.h"
#include "support/test.h"

/* TAP: the AVX-512 kernels, compiled against a portable emulation of their intrinsics, against the generic
 * ones: what they compute is checked on every machine, and by every sanitizer. */

static const uint64_t moduli[] = {3, 5, 257, 65535, 268435455, 268435457, 536870911, 536870913, 1073741823,
	1073741825, 2147483645, 2147483647, 2147483649, 4294967297, ((uint64_t)1 << 50) - 1,
	((uint64_t)1 << 50) + 1, ((uint64_t)1 << 62) - 1};

/* What kernels_select puts on top of the generic form, where q has `least` to bounds[1] bits. Each is two
 * forms of the transform, for q of up to bounds[0] and bounds[1] bits: the largest N are for such q alone,
 * which have the least room. */
struct form {
	const char *name;
	void (*select)(struct kernels *k, unsigned q_bits, unsigned log_n);
	unsigned least, bounds[2];
};

static const struct form forms[] = {
	{"w32", kernels_avx512_w32, 2, {28, 31}},
	{"w52", kernels_avx512_w52, 32, {46, 50}},
	{"w64", kernels_avx512_w64, 32, {61, 62}},
};

static unsigned cases, failures;

static void report(
	unsigned differences, const struct form *form, const char *what, uint64_t q, unsigned log_n)
{
	failures += differences != 0;
	printf("%s %u - emulated avx512 %s %s q=%llu", differences ? "not ok" : "ok", ++cases, form->name,
		what, (unsigned long long)q);
	if (log_n)
		printf(" n=%u", 1u << log_n);
	putchar('\n');
}

static void select_both(struct kernels *reference, struct kernels *candidate, const struct form *form,
	unsigned q_bits, unsigned log_n)
{
	kernels_select(reference, 0, q_bits, log_n);
	*candidate = *reference;
	form->select(candidate, q_bits, log_n);
}

static void check_arrays(const struct form *form, const struct kernels_prime *p, const struct rng *rng)
{
	struct kernels reference, candidate;

	select_both(&reference, &candidate, form, p->bits, 11);
	report(parity_check_arrays(&reference, &candidate, p, rng), form, "arrays", p->q, 0);
}

static void check_transforms(const struct form *form, const struct kernels_prime *p, const struct rng *rng)
{
	const bool at_bound = p->bits == form->bounds[0] || p->bits == form->bounds[1];
	struct kernels reference, candidate;

	for (unsigned log_n = 1; log_n <= (at_bound ? 15 : 12); log_n++) {
		if ((p->q - 1) % ((uint64_t)2 << log_n))
			continue;
		select_both(&reference, &candidate, form, p->bits, log_n);
		if (candidate.ntt_forward == reference.ntt_forward)
			continue;
		report(parity_check_transform(&reference, &candidate, p, log_n, rng), form, "transform", p->q,
			log_n);
	}
}

static void check_modulus(uint64_t q, bool is_prime, const struct rng *rng)
{
	struct kernels_prime p;

	kernels_prime_init(&p, q);
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		if (p.bits < forms[i].least || p.bits > forms[i].bounds[1])
			continue;
		check_arrays(&forms[i], &p, rng);
		if (is_prime)
			check_transforms(&forms[i], &p, rng);
	}
}

static void check_scan(const struct rng *rng)
{
	struct kernels_scan candidate;
	unsigned differences;

	kernels_scan_select(&candidate, 0);
	kernels_avx512_scan(&candidate);
	kernels_avx512_apply(&candidate);
	differences = parity_check_scan(&candidate, rng);
	failures += differences != 0;
	printf("%s %u - emulated avx512 scan\n", differences ? "not ok" : "ok", ++cases);
}

int main(void)
{
	struct rng rng = test_rng();

	check_scan(&rng);
	for (size_t i = 0; i < PRIMES; i++)
		check_modulus(primes[i], true, &rng);
	for (size_t i = 0; i < sizeof moduli / sizeof moduli[0]; i++)
		check_modulus(moduli[i], false, &rng);
	printf("1..%u\n", cases);
	return failures ? 1 : 0;
}
