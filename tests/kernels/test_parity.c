/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "parity.h"
#include "primes.h"
#include "schoolbook.h"
#include "support/test.h"

/* TAP: the generic kernels against the schoolbook, then every ISA of this machine against the generic ones.
 */

/* For arrays q need not be prime; products of terms of 3 never end, those of 2^31-1 end at once. */
static const uint64_t moduli[] = {3, 5, 257, 65535, 268435455, 268435457, 536870911, 536870913, 1073741823,
	1073741825, 2147483645, 2147483647, 2147483649, 4294967297, ((uint64_t)1 << 61) + 1,
	((uint64_t)1 << 62) - 1};
#define MODULI (sizeof moduli / sizeof moduli[0])

static unsigned cases, failures;

static void report(
	unsigned differences, const struct kernels *k, const char *what, uint64_t q, unsigned log_n)
{
	failures += differences != 0;
	printf("%s %u - %s %s q=%llu", differences ? "not ok" : "ok", ++cases, k->name, what,
		(unsigned long long)q);
	if (log_n)
		printf(" n=%u", 1u << log_n);
	putchar('\n');
}

static void check_modulus(uint64_t q, bool against_schoolbook, unsigned features, const struct rng *rng)
{
	struct kernels_prime p;
	struct kernels reference, candidate;

	kernels_prime_init(&p, q);
	if (against_schoolbook)
		schoolbook_kernels(&reference, p.bits);
	else
		kernels_select(&reference, 0, p.bits, 11);
	kernels_select(&candidate, features, p.bits, 11);
	report(parity_check_arrays(&reference, &candidate, &p, rng), &candidate, "arrays", q, 0);
}

static void check_transforms(uint64_t q, bool against_schoolbook, unsigned features, const struct rng *rng)
{
	struct kernels_prime p;
	struct kernels reference, candidate;

	kernels_prime_init(&p, q);
	for (unsigned log_n = 1; log_n <= (against_schoolbook ? 8 : 15); log_n++) {
		if ((q - 1) % ((uint64_t)2 << log_n))
			continue;
		if (against_schoolbook)
			schoolbook_kernels(&reference, p.bits);
		else
			kernels_select(&reference, 0, p.bits, log_n);
		kernels_select(&candidate, features, p.bits, log_n);
		report(parity_check_transform(&reference, &candidate, &p, log_n, rng), &candidate,
			"transform", q, log_n);
	}
}

static void check_scan(unsigned features, const struct rng *rng)
{
	struct kernels_scan candidate;
	unsigned differences;

	kernels_scan_select(&candidate, features);
	differences = parity_check_scan(&candidate, rng);
	failures += differences != 0;
	printf("%s %u - %s scan\n", differences ? "not ok" : "ok", ++cases, candidate.name);
}

static void check_all(bool against_schoolbook, unsigned features, const struct rng *rng)
{
	for (size_t i = 0; i < PRIMES; i++) {
		check_modulus(primes[i], against_schoolbook, features, rng);
		check_transforms(primes[i], against_schoolbook, features, rng);
	}
	for (size_t i = 0; i < MODULI; i++)
		check_modulus(moduli[i], against_schoolbook, features, rng);
	check_scan(features, rng);
}

int main(void)
{
	static const char *const classes[] = {"avx2", "avx512", "full"};
	struct rng rng = test_rng();
	unsigned before = 0;

	check_all(true, 0, &rng);
	/* the forms of integers that those of doubles stand before */
	if (cpu_features() & CPU_AVX2)
		for (size_t i = 0; i < PRIMES; i++) {
			if (primes[i] >> 31) {
				check_modulus(primes[i], false, CPU_AVX2, &rng);
				check_transforms(primes[i], false, CPU_AVX2, &rng);
			}
		}
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
		unsigned mask = 0;

		if (!cpu_features_from_name(classes[i], &mask))
			return 1;
		mask &= cpu_features();
		if (mask != before)
			check_all(false, mask, &rng);
		before = mask;
	}
	printf("1..%u\n", cases);
	return failures ? 1 : 0;
}
