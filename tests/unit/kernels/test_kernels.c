/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/kernels.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "base/cpu.h"
#include "base/u128.h"
#include "support/test.h"

/* What is not arithmetic on arrays; that is in tests/kernels. */

static uint64_t random_odd(const struct rng *rng)
{
	unsigned bits = 2 + (unsigned)test_below(rng, 61);

	return (uint64_t)1 << (bits - 1) | test_below(rng, (uint64_t)1 << (bits - 1)) | 1;
}

Test(kernels, a_prime_knows_its_width_and_its_montgomery_constants)
{
	struct rng rng = test_rng();

	for (int round = 0; round < 1000; round++) {
		uint64_t q = random_odd(&rng);
		struct kernels_prime p;
		uint128 r;

		kernels_prime_init(&p, q);
		r = (uint128)1 << 8 * p.width;
		cr_assert_eq(p.q, q);
		cr_assert_eq(p.width, q < (uint64_t)1 << 31 ? 4 : 8);
		cr_assert(q >> (p.bits - 1) == 1);
		cr_assert(((uint128)p.neg_inv * q + 1) % r == 0 && p.neg_inv < r);
		cr_assert(p.mont_one == r % q);
		cr_assert(p.mont_two == (uint128)p.mont_one * p.mont_one % q);
	}
}

Test(kernels, words_change_at_two_to_the_31)
{
	struct kernels_prime p;

	kernels_prime_init(&p, 2147483647);
	cr_assert(p.width == 4 && p.bits == 31);
	kernels_prime_init(&p, 2147483649);
	cr_assert(p.width == 8 && p.bits == 32);
	kernels_prime_init(&p, ((uint64_t)1 << 62) - 1);
	cr_assert(p.width == 8 && p.bits == 62);
}

Test(kernels, an_even_modulus_aborts, .signal = SIGABRT)
{
	struct kernels_prime p;

	kernels_prime_init(&p, 268369922);
}

Test(kernels, a_modulus_of_63_bits_aborts, .signal = SIGABRT)
{
	struct kernels_prime p;

	kernels_prime_init(&p, ((uint64_t)1 << 62) + 1);
}

Test(kernels, the_limit_of_mac_is_the_last_sum_that_fits)
{
	struct rng rng = test_rng();

	for (int round = 0; round < 1000; round++) {
		struct kernels_prime p;
		uint64_t limit;
		uint128 square, most;

		kernels_prime_init(&p, random_odd(&rng));
		square = (uint128)(p.q - 1) * (p.q - 1);
		most = ((uint128)1 << (p.width == 4 ? 64 : 126)) - 1;
		limit = kernels_mac_limit(&p);
		cr_assert_geq(limit, 1);
		cr_assert(limit <= most / square);
		cr_assert(limit == UINT64_MAX || limit + 1 > most / square);
	}
}

Test(kernels, the_limit_of_mac_of_the_search_prime_is_256_terms)
{
	struct kernels_prime p;

	kernels_prime_init(&p, 268369921);
	cr_assert_eq(kernels_mac_limit(&p), 256);
}

Test(kernels, without_features_every_kernel_is_generic)
{
	struct kernels k;

	for (unsigned log_n = 1; log_n <= 15; log_n++) {
		for (unsigned bits = 2; bits <= 62; bits++) {
			kernels_select(&k, 0, bits, log_n);
			cr_assert_str_eq(k.name, "generic");
		}
	}
}

/* The files that fill the table are compiled for their instruction set: gcc 14 stores pointers by vectors. */
static bool runs_here(unsigned features)
{
	return (features & (CPU_AVX2 | CPU_AVX512) & ~cpu_features()) == 0;
}

Test(kernels, a_transform_is_chosen_by_the_features_the_width_of_q_and_n)
{
	static const struct {
		unsigned features, bits, least_log_n;
		const char *name;
	} cases[] = {
		{CPU_AVX2, 28, 6, "avx2"},
		{CPU_AVX512, 28, 5, "avx512"},
		{CPU_AVX2 | CPU_FMA, 50, 6, "avx2"},
		{CPU_AVX512, 46, 8, "avx512"},
		{CPU_AVX512 | CPU_IFMA, 46, 8, "avx512"},
		{CPU_AVX512 | CPU_IFMA, 62, 8, "avx512"},
		{CPU_IFMA | CPU_VBMI, 46, 16, "avx512"},
	};
	struct kernels k;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (!runs_here(cases[i].features))
			continue;
		for (unsigned log_n = 1; log_n <= 15; log_n++) {
			kernels_select(&k, cases[i].features, cases[i].bits, log_n);
			cr_assert_str_eq(k.name, log_n < cases[i].least_log_n ? "generic" : cases[i].name,
				"case %zu", i);
		}
	}
}

Test(kernels, ifma_changes_the_transform_of_words_of_64_bits_up_to_50_bits)
{
	if (!runs_here(CPU_AVX512))
		cr_skip_test("no AVX-512 here");
	for (unsigned bits = 2; bits <= 62; bits++) {
		struct kernels without, with;

		kernels_select(&without, CPU_AVX512, bits, 12);
		kernels_select(&with, CPU_AVX512 | CPU_IFMA, bits, 12);
		cr_assert_eq(
			without.ntt_forward != with.ntt_forward, bits > 31 && bits <= 50, "%u bits", bits);
	}
}
