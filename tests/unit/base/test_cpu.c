/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cpu.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

static const char *const names[] = {"generic", "avx2", "avx512", "full"};

Test(cpu, names_are_masks_that_grow)
{
	unsigned mask, before = 0;

	for (int i = 0; i < 4; i++) {
		cr_assert(cpu_features_from_name(names[i], &mask));
		cr_assert_eq(mask & before, before);
		cr_assert(i == 0 || mask != before);
		cr_assert_str_eq(cpu_features_name(mask), names[i]);
		before = mask;
	}
	cr_assert(cpu_features_from_name("generic", &mask));
	cr_assert_eq(mask, 0);
	cr_assert(cpu_features_from_name("avx512", &mask));
	cr_assert_eq(mask, CPU_AVX2 | CPU_FMA | CPU_AVX512);
	cr_assert(!cpu_features_from_name("AVX2", &mask));
	cr_assert(!cpu_features_from_name("", &mask));
}

Test(cpu, veil_isa_lowers_and_never_raises)
{
	unsigned all, mask, lowered;

	unsetenv("VEIL_ISA");
	all = cpu_features();
	for (int i = 0; i < 4; i++) {
		cr_assert(cpu_features_from_name(names[i], &mask));
		setenv("VEIL_ISA", names[i], 1);
		lowered = cpu_features();
		cr_assert_eq(lowered, all & mask, "%s", names[i]);
	}
}

Test(cpu, an_unknown_isa_aborts, .signal = SIGABRT)
{
	setenv("VEIL_ISA", "sse9", 1);
	cpu_features();
}
