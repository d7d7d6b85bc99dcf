/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CPU_H
#define BASE_CPU_H

#include <stdbool.h>

/** Feature bits, independent of each other; each already includes the operating system's consent (XCR0). */
enum cpu_feature {
	CPU_AVX2 = 1 << 0,
	CPU_AVX512 = 1 << 1, /* F, BW, DQ, VL, together */
	CPU_IFMA = 1 << 2,
	CPU_VNNI = 1 << 3,
	CPU_VBMI = 1 << 4,
	CPU_VPOPCNT = 1 << 5, /* AVX512_VPOPCNTDQ */
	CPU_FMA = 1 << 6, /* FMA3, on ymm */
};

/** What this machine can run, lowered (never raised) by VEIL_ISA=generic|avx2|avx512|full. An unknown value
 * of VEIL_ISA aborts with a sentence that lists the known ones. `avx2` is CPU_AVX2|CPU_FMA,
 * `avx512` those and CPU_AVX512; `full` (the default) is all. */
unsigned cpu_features(void);

/** Parses one of the four names; false if unknown. */
bool cpu_features_from_name(const char *name, unsigned *mask);

/** The name of the widest class in a mask: "generic", "avx2", "avx512" or "full". */
const char *cpu_features_name(unsigned mask);

#endif
