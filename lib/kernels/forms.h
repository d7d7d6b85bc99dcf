/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_FORMS_H
#define KERNELS_FORMS_H

#include "kernels/kernels.h"
#include "kernels/scan.h"

/* The forms that kernels_select puts on top of each other. The generic ones fill the whole table, a
 * vector form replaces the rows that it has. */

void kernels_generic_w4(struct kernels *k);
void kernels_generic_w8(struct kernels *k);

/* Words of 4 bytes, CPU_AVX2. */

/** From N = 64 on. */
void kernels_avx2_ntt(struct kernels *k, unsigned q_bits, unsigned log_n);
/** mac, interleave, fold. */
void kernels_avx2_mac(struct kernels *k);
/** add, sub, neg, mul. */
void kernels_avx2_pointwise(struct kernels *k, unsigned q_bits);
/** affine, mul_add, sub_mul. */
void kernels_avx2_constants(struct kernels *k);
/** dot, permute. */
void kernels_avx2_rows(struct kernels *k);
/** unpack, pack, round, uniform, remainder. */
void kernels_avx2_bytes(struct kernels *k);

/* Words of 8 bytes, CPU_AVX2. */

/** From N = 64 on. */
void kernels_avx2_w64_ntt(struct kernels *k, unsigned q_bits, unsigned log_n);
/** add, sub, neg, mul. */
void kernels_avx2_w64_arrays(struct kernels *k);
/** dot, permute. */
void kernels_avx2_w64_rows(struct kernels *k);
/** q < 2^50, on doubles; CPU_FMA too. The transform from N = 64 on. */
void kernels_avx2_w64_fma(struct kernels *k, unsigned q_bits, unsigned log_n);
/** mul, mac; likewise. */
void kernels_avx2_w64_fma_arrays(struct kernels *k, unsigned q_bits);
/** affine, mul_add, sub_mul. */
void kernels_avx2_w64_constants(struct kernels *k);
/** The same for q < 2^50, on doubles; CPU_FMA too. */
void kernels_avx2_w64_fma_constants(struct kernels *k, unsigned q_bits);
/** unpack, remainder. */
void kernels_avx2_w64_bytes(struct kernels *k);

/** Words of 4 bytes, with what CPU_AVX512 stands for: every row; the transform from N = 32 on. */
void kernels_avx512_w32(struct kernels *k, unsigned q_bits, unsigned log_n);

/* Words of 8 bytes; the transform for N = 2^8..2^15. */

/** Every row, with what CPU_AVX512 stands for. */
void kernels_avx512_w64(struct kernels *k, unsigned q_bits, unsigned log_n);
/** On top of it, what multiplies, with CPU_IFMA too, for q_bits <= 50. */
void kernels_avx512_w52(struct kernels *k, unsigned q_bits, unsigned log_n);

/* Of the scan and of apply. */

/** CPU_AVX2. */
void kernels_avx2_scan(struct kernels_scan *k);
/** The scan: CPU_AVX512 and CPU_VNNI. */
void kernels_avx512_scan(struct kernels_scan *k);
/** apply: CPU_AVX512 and CPU_IFMA. */
void kernels_avx512_apply(struct kernels_scan *k);

/* What every transform starts from, in words of the width that the name ends with. */

/** forward[i] = root^brv(i), inverse[i] = root^-brv(i), for i < 2^log_n. */
void kernels_twiddles_w4(
	void *forward, void *inverse, const struct kernels_prime *p, unsigned log_n, uint64_t root);
void kernels_twiddles_w8(
	void *forward, void *inverse, const struct kernels_prime *p, unsigned log_n, uint64_t root);
/** What an unscaled inverse transform is multiplied by: N^-1, or N^-1 R. */
uint64_t kernels_ntt_scale(const struct kernels_prime *p, unsigned log_n, enum kernels_scale scale);

#endif
