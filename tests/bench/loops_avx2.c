/* SPDX-License-Identifier: Apache-2.0 */
#include "loops.h"

#define BYTES 32
#define MUL(x, y) (words) _mm256_mul_epu32((__m256i)(x), (__m256i)(y))
#define WIDE_MUL(x, y) (words) _mm256_fmadd_pd((__m256d)(x), (__m256d)(y), (__m256d)(y))
#include "loops_body.h"

const struct loops loops_avx2 = {"avx2", read_vectors, update_vectors, mul_vectors, "vpmuludq ymm",
	wide_mul_vectors, "vfmadd ymm", {4, 7}};
