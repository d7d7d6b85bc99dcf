/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx512_w32_ntt.h"
#include "kernels/forms.h"

void kernels_avx512_w32(struct kernels *k, unsigned q_bits, unsigned log_n)
{
	const bool wide = q_bits > AVX512_W32_LAZY_BITS;

	avx512_w32_select_arrays(k);
	avx512_w32_select_mac(k);
	avx512_w32_select_bits(k);
	avx512_w32_select_constants(k);
	avx512_w32_select_rows(k);
	if (log_n < AVX512_W32_MIN_LOG_N)
		return;
	k->ntt_table_bytes = avx512_w32_table_bytes;
	k->ntt_init = avx512_w32_table_init;
	k->ntt_forward = wide ? avx512_w32_forward_wide : avx512_w32_forward_lazy;
	k->ntt_inverse = wide ? avx512_w32_inverse_wide : avx512_w32_inverse_lazy;
	k->name = "avx512";
}
