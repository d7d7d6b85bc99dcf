/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AVX2 (CPU_AVX2 | CPU_FMA)
#define AVX512 (AVX2 | CPU_AVX512)

static const struct {
	const char *name;
	unsigned mask;
} classes[] = {
	{"full", AVX512 | CPU_IFMA | CPU_VNNI | CPU_VBMI | CPU_VPOPCNT},
	{"avx512", AVX512},
	{"avx2", AVX2},
	{"generic", 0},
};

#if defined(__x86_64__)
#include <cpuid.h>

#define XCR0_YMM 0x06u /* the operating system saves XMM and YMM */
#define XCR0_ZMM 0xe6u /* and opmasks and all of ZMM */

static unsigned read_xcr0(void)
{
	unsigned low, high;

	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

static unsigned bit(unsigned word, unsigned position, unsigned feature)
{
	return word >> position & 1 ? feature : 0;
}

static unsigned detect(void)
{
	unsigned a, b, c, d, xcr0, found = 0;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return 0;
	xcr0 = read_xcr0();
	if ((xcr0 & XCR0_YMM) == XCR0_YMM)
		found |= bit(c, 12, CPU_FMA);
	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return found;
	if ((xcr0 & XCR0_YMM) == XCR0_YMM)
		found |= bit(b, 5, CPU_AVX2);
	if ((xcr0 & XCR0_ZMM) == XCR0_ZMM && bit(b, 16, 1) && bit(b, 17, 1) && bit(b, 30, 1) && bit(b, 31, 1))
		found |= CPU_AVX512 | bit(b, 21, CPU_IFMA) | bit(c, 11, CPU_VNNI) | bit(c, 1, CPU_VBMI) |
			 bit(c, 14, CPU_VPOPCNT);
	return found;
}
#else
static unsigned detect(void)
{
	return 0;
}
#endif

bool cpu_features_from_name(const char *name, unsigned *mask)
{
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
		if (strcmp(name, classes[i].name) == 0) {
			*mask = classes[i].mask;
			return true;
		}
	}
	return false;
}

const char *cpu_features_name(unsigned mask)
{
	if (mask & ~AVX512)
		return "full";
	if (mask & CPU_AVX512)
		return "avx512";
	return mask & CPU_AVX2 ? "avx2" : "generic";
}

unsigned cpu_features(void)
{
	const char *name = getenv("VEIL_ISA");
	unsigned mask;

	if (!name)
		return detect();
	if (!cpu_features_from_name(name, &mask)) {
		fprintf(stderr, "VEIL_ISA is \"%s\": it must be generic, avx2, avx512 or full\n", name);
		abort();
	}
	return detect() & mask;
}
