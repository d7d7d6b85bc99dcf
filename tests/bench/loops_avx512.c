/* SPDX-License-Identifier: Apache-2.0 */
#include "loops.h"

#define BYTES 64
#define MUL(x, y) (words) _mm512_mul_epu32((__m512i)(x), (__m512i)(y))
#define WIDE_MUL(x, y) (words) _mm512_fmadd_pd((__m512d)(x), (__m512d)(y), (__m512d)(y))
#include "loops_body.h"

const struct loops loops_avx512 = {"avx512", read_vectors, update_vectors, mul_vectors, "vpmuludq zmm",
	wide_mul_vectors, "vfmadd zmm", {4, 7}};
