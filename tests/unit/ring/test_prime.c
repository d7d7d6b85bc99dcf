/* SPDX-License-Identifier: Apache-2.0 */
#include "ring/prime.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/u128.h"
#include "kat/roots.h"
#include "support/test.h"

Test(prime, is_prime_agrees_with_a_sieve)
{
	enum { SIZE = 200000 };
	static char composite[SIZE];

	for (unsigned i = 2; i < SIZE; i++) {
		cr_assert_eq(prime_is_prime(i), !composite[i], "%u", i);
		for (uint64_t j = (uint64_t)i * i; j < SIZE; j += i)
			composite[j] = 1;
	}
	cr_assert(!prime_is_prime(0));
	cr_assert(!prime_is_prime(1));
}

Test(prime, is_prime_knows_the_strong_pseudoprimes)
{
	/* psi_1 .. psi_11: the least strong pseudoprimes to the first k prime bases, OEIS A014233; Carmichael
	 * numbers; squares of primes */
	static const uint64_t composites[] = {2047, 1373653, 25326001, 3215031751, 2152302898747,
		3474749660383, 341550071728321, 3825123056546413051, 561, 41041, 825265, 321197185,
		4294967291u * (uint64_t)4294967291u, (uint64_t)1 << 63, UINT64_MAX};
	static const uint64_t primes[] = {
		4294967291u, 4294967311, 18446744073709551557u, 1152921504606830593, 268369921, 274877820929};

	for (size_t i = 0; i < sizeof composites / sizeof *composites; i++)
		cr_assert(!prime_is_prime(composites[i]), "%lu", composites[i]);
	for (size_t i = 0; i < sizeof primes / sizeof *primes; i++)
		cr_assert(prime_is_prime(primes[i]), "%lu", primes[i]);
}

Test(prime, inverses_and_powers_agree_with_repeated_multiplication)
{
	static const uint64_t moduli[] = {3, 97, 268369921, 274877820929, 1152921504606830593};
	struct rng rng = test_rng();

	for (size_t i = 0; i < sizeof moduli / sizeof *moduli; i++) {
		uint64_t q = moduli[i];

		for (int round = 0; round < 100; round++) {
			uint64_t a = 1 + test_below(&rng, q - 1), power = 1;

			cr_assert_eq(prime_mul(a, prime_inverse(a, q), q), 1);
			for (unsigned e = 0; e < 20; e++) {
				cr_assert_eq(prime_pow(a, e, q), power);
				power = (uint64_t)((uint128)power * a % q);
			}
		}
	}
}

Test(prime, minimum_roots_are_the_published_ones)
{
	for (size_t i = 0; i < KAT_ROOTS; i++)
		cr_assert_eq(prime_min_root(kat_roots[i].q, kat_roots[i].log_n), kat_roots[i].root, "q = %lu",
			kat_roots[i].q);
}

Test(prime, the_minimum_root_is_the_first_that_a_search_finds)
{
	/* x is a primitive 2N-th root where x^N = -1 */
	for (unsigned log_n = 1; log_n <= 6; log_n++) {
		for (uint64_t q = 3; q < 3000; q += 2) {
			uint64_t first = 0;

			if (!prime_is_prime(q))
				continue;
			for (uint64_t x = 1; x < q && !first; x++)
				if (prime_pow(x, (uint64_t)1 << log_n, q) == q - 1)
					first = x;
			cr_assert_eq(prime_min_root(q, log_n), first, "q = %lu, log n = %u", q, log_n);
		}
	}
}
