/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_AVX512_W64_H
#define KERNELS_AVX512_W64_H

#include "kernels/avx512_w8.h"

#define AVX512_W64_LAZY_BITS 61 /* of q, for the faster transform */

/** mul, mac, dot and remainder. */
void avx512_w64_select_products(struct kernels *k);
/** affine, mul_add, sub_mul. */
void avx512_w64_select_constants(struct kernels *k);

#endif
