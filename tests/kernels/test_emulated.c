/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "kernels/forms.h"
#include "parity.h"
#include "primes.h"
#include "support/test.h"

/* TAP: the AVX-512 kernels, compiled against a portable emulation of their intrinsics, against the generic
 * ones: what they compute is checked on every machine, and by every sanitizer. */

static const uint64_t moduli[] = {3, 5, 257, 65535, 268435455, 268435457, 536870911, 536870913, 1073741823,
	1073741825, 2147483645, 2147483647};

static unsigned cases, failures;

static void report(unsigned differences, const char *what, uint64_t q, unsigned log_n)
{
	failures += differences != 0;
	printf("%s %u - emulated avx512 %s q=%llu", differences ? "not ok" : "ok", ++cases, what,
		(unsigned long long)q);
	if (log_n)
		printf(" n=%u", 1u << log_n);
	putchar('\n');
}

static void select_both(struct kernels *reference, struct kernels *candidate, unsigned q_bits, unsigned log_n)
{
	kernels_select(reference, 0, q_bits, log_n);
	*candidate = *reference;
	kernels_avx512_w32(candidate, q_bits, log_n);
}

static void check_arrays(uint64_t q, const struct rng *rng)
{
	struct kernels_prime p;
	struct kernels reference, candidate;

	kernels_prime_init(&p, q);
	select_both(&reference, &candidate, p.bits, 11);
	report(parity_check_arrays(&reference, &candidate, &p, rng), "arrays", q, 0);
}

static void check_transforms(uint64_t q, const struct rng *rng)
{
	struct kernels_prime p;
	struct kernels reference, candidate;

	kernels_prime_init(&p, q);
	for (unsigned log_n = 1; log_n <= 15; log_n++) {
		if ((q - 1) % ((uint64_t)2 << log_n))
			continue;
		select_both(&reference, &candidate, p.bits, log_n);
		report(parity_check_transform(&reference, &candidate, &p, log_n, rng), "transform", q, log_n);
	}
}

int main(void)
{
	struct rng rng = test_rng();

	for (size_t i = 0; i < PRIMES; i++) {
		if (primes[i] >> 31) /* words of 8 bytes: no forms of AVX-512 yet */
			break;
		check_arrays(primes[i], &rng);
		check_transforms(primes[i], &rng);
	}
	for (size_t i = 0; i < sizeof moduli / sizeof moduli[0]; i++)
		check_arrays(moduli[i], &rng);
	printf("1..%u\n", cases);
	return failures ? 1 : 0;
}
