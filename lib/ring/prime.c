/* SPDX-License-Identifier: Apache-2.0 */
#include "ring/prime.h"

#include <stddef.h>

#include "base/u128.h"

uint64_t prime_mul(uint64_t a, uint64_t b, uint64_t q)
{
	return (uint64_t)((uint128)a * b % q);
}

uint64_t prime_pow(uint64_t a, uint64_t e, uint64_t q)
{
	uint64_t result = 1 % q;

	for (a %= q; e; e >>= 1) {
		if (e & 1)
			result = prime_mul(result, a, q);
		a = prime_mul(a, a, q);
	}
	return result;
}

uint64_t prime_inverse(uint64_t a, uint64_t q)
{
	return prime_pow(a, q - 2, q);
}

/* Does base a prove that q - 1 = odd * 2^twos belongs to a composite q? */
static bool is_witness(uint64_t a, uint64_t q, uint64_t odd, unsigned twos)
{
	uint64_t x = prime_pow(a, odd, q);

	if (x == 1 || x == q - 1)
		return false;
	while (--twos) {
		x = prime_mul(x, x, q);
		if (x == q - 1)
			return false;
	}
	return true;
}

bool prime_is_prime(uint64_t q)
{
	/* These bases leave no pseudoprime below 3.3e24: Sorenson and Webster, "Strong pseudoprimes to twelve
	 * prime bases", Math. Comp. 86 (2017). */
	static const uint64_t bases[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
	const size_t count = sizeof bases / sizeof *bases;
	unsigned twos;

	for (size_t i = 0; i < count; i++)
		if (q % bases[i] == 0)
			return q == bases[i];
	if (q < 2)
		return false;
	twos = (unsigned)__builtin_ctzll(q - 1);
	for (size_t i = 0; i < count; i++)
		if (is_witness(bases[i], q, (q - 1) >> twos, twos))
			return false;
	return true;
}

uint64_t prime_min_root(uint64_t q, unsigned log_n)
{
	uint64_t order = (uint64_t)2 << log_n, n = order / 2, root = 0, square, least;

	if (q < 3 || (q - 1) % order)
		return 0;
	/* x^((q-1)/2N) has order 2N exactly where its N-th power is -1: half of all x. */
	for (uint64_t x = 2; x < q; x++) {
		root = prime_pow(x, (q - 1) / order, q);
		if (prime_pow(root, n, q) == q - 1)
			break;
		root = 0;
	}
	if (!root)
		return 0;
	/* The others are its odd powers. */
	square = prime_mul(root, root, q);
	least = root;
	for (uint64_t i = 1; i < n; i++) {
		root = prime_mul(root, square, q);
		if (root < least)
			least = root;
	}
	return least;
}
