/* SPDX-License-Identifier: Apache-2.0 */
#define WIDE false /* q < 2^61 */
#define FORM(x) avx512_w64_lazy_##x
#include "kernels/avx512_w64_ntt_body.h"
