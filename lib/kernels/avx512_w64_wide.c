/* SPDX-License-Identifier: Apache-2.0 */
#define WIDE true /* q < 2^62 */
#define FORM(x) avx512_w64_wide_##x
#include "kernels/avx512_w64_ntt_body.h"
