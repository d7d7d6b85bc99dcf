/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/kernels.h"

#include "base/require.h"
#include "base/u128.h"
#include "kernels/forms.h"

static unsigned bit_length(uint64_t x)
{
	return 64 - (unsigned)__builtin_clzll(x);
}

void kernels_prime_init(struct kernels_prime *p, uint64_t q)
{
	uint64_t inverse = q; /* right to 3 bits for odd q; each step doubles them */
	uint128 r;

	REQUIRE(q > 2 && q % 2 == 1 && q < (uint64_t)1 << 62);
	for (int step = 0; step < 5; step++)
		inverse *= 2 - q * inverse;
	p->q = q;
	p->bits = bit_length(q);
	p->width = p->bits <= 31 ? 4 : 8;
	p->neg_inv = 0 - inverse;
	if (p->width == 4)
		p->neg_inv &= UINT32_MAX;
	r = (uint128)1 << (8 * p->width);
	p->mont_one = (uint64_t)(r % q);
	p->mont_two = (uint64_t)((uint128)p->mont_one * p->mont_one % q);
}

uint64_t kernels_mac_limit(const struct kernels_prime *p)
{
	uint128 square = (uint128)(p->q - 1) * (p->q - 1);
	uint128 limit = (((uint128)1 << (p->width == 4 ? 64 : 126)) - 1) / square;

	return limit > UINT64_MAX ? UINT64_MAX : (uint64_t)limit;
}

uint64_t kernels_ntt_scale(const struct kernels_prime *p, unsigned log_n, enum kernels_scale scale)
{
	uint128 factor = scale == KERNELS_MONTGOMERY ? p->mont_one : 1;

	for (unsigned i = 0; i < log_n; i++)
		factor = factor * ((p->q + 1) / 2) % p->q;
	return (uint64_t)factor;
}

void kernels_select(struct kernels *k, unsigned features, unsigned q_bits, unsigned log_n)
{
	if (q_bits > 31) {
		kernels_generic_w8(k);
		if (features & CPU_AVX2) {
			kernels_avx2_w64_ntt(k, q_bits, log_n);
			kernels_avx2_w64_arrays(k);
			kernels_avx2_w64_rows(k);
			kernels_avx2_w64_constants(k);
			kernels_avx2_w64_bytes(k);
		}
		if (features & CPU_AVX2 && features & CPU_FMA) {
			kernels_avx2_w64_fma(k, q_bits, log_n);
			kernels_avx2_w64_fma_arrays(k, q_bits);
			kernels_avx2_w64_fma_constants(k, q_bits);
		}
		if (features & CPU_AVX512)
			kernels_avx512_w64(k, q_bits, log_n);
		if (features & CPU_AVX512 && features & CPU_IFMA && q_bits <= 50)
			kernels_avx512_w52(k, q_bits, log_n);
		return;
	}
	kernels_generic_w4(k);
	if (features & CPU_AVX2) {
		kernels_avx2_ntt(k, q_bits, log_n);
		kernels_avx2_mac(k);
		kernels_avx2_pointwise(k, q_bits);
		kernels_avx2_constants(k);
		kernels_avx2_bytes(k);
		kernels_avx2_rows(k);
	}
	if (features & CPU_AVX512)
		kernels_avx512_w32(k, q_bits, log_n);
}
