/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_AVX512_H
#define KERNELS_AVX512_H

#include <immintrin.h>

/* What the AVX-512 files say to the compiler; their emulated build says it otherwise.
 *
 * UNROLL goes before loops of constant length over arrays of vectors: unrolled, the arrays live in registers.
 */

#ifndef INLINE
#define INLINE static inline __attribute__((always_inline))
#endif
#define NOINLINE __attribute__((noinline))

#ifndef UNROLL
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#define UNROLL_BY_4 _Pragma("clang loop unroll_count(4)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#define UNROLL_BY_4 _Pragma("GCC unroll 4")
#endif
#endif

/* What is read through p from here on is read each time, not kept in registers that there are not. */
#define KEEP_IN_MEMORY(p) __asm__("" : "+r"(p))

#endif
