/* SPDX-License-Identifier: Apache-2.0 */
#include "loops.h"

#define BYTES 64
#define MUL(x, y) (words) _mm512_mul_epu32((__m512i)(x), (__m512i)(y))
#define WIDE_MUL(x, y) (words) _mm512_madd52hi_epu64((__m512i)(x), (__m512i)(x), (__m512i)(y))
#include "loops_body.h"

const struct loops loops_ifma = {"full", read_vectors, update_vectors, mul_vectors, "vpmuludq zmm",
	wide_mul_vectors, "vpmadd52 zmm", {3, 7}};
