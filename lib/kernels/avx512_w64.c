/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx512_w64.h"
#include "kernels/avx512_w8_ntt.h"
#include "kernels/forms.h"

void kernels_avx512_w64(struct kernels *k, unsigned q_bits, unsigned log_n)
{
	const bool wide = q_bits > AVX512_W64_LAZY_BITS;

	avx512_w8_arrays_select(k);
	avx512_w8_bits_select(k);
	avx512_w64_select_products(k);
	avx512_w64_select_constants(k);
	if (log_n < AVX512_W8_MIN_LOG_N || log_n > AVX512_W8_MAX_LOG_N)
		return;
	k->ntt_table_bytes = avx512_w8_table_bytes;
	k->ntt_init = avx512_w64_table_init;
	k->ntt_forward = wide ? avx512_w64_wide_forward : avx512_w64_lazy_forward;
	k->ntt_inverse = wide ? avx512_w64_wide_inverse : avx512_w64_lazy_inverse;
	k->name = "avx512";
}
