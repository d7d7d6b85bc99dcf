/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_KERNELS_EMULATED_IMMINTRIN_H
#define TESTS_KERNELS_EMULATED_IMMINTRIN_H

/* Found before the compiler's own <immintrin.h>, so that the AVX-512 kernels run anywhere: SIMDe's portable
 * definitions, and below what Debian 12's version (0.7.4) lacks. Masked loads and stores touch the words of
 * their mask and no others, so that a kernel that reads too far meets the guard page; aligned ones abort
 * where the processor would fault. */

#define SIMDE_NO_NATIVE
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#include <stdint.h>
#include <string.h>

#include "base/require.h"
#include "base/u128.h"

#define _MM_PERM_DDBB 0xf5
#define __mmask8 simde__mmask8
#define __mmask16 simde__mmask16
#define __mmask64 simde__mmask64

#define EMULATED static inline __attribute__((always_inline, unused))

EMULATED __m512i emulated_mask_shuffle_epi32(__m512i from, __mmask16 mask, __m512i x, unsigned order)
{
	uint32_t word[16], out[16];

	memcpy(word, &x, sizeof x);
	memcpy(out, &from, sizeof from);
	for (unsigned i = 0; i < 16; i++)
		if (mask >> i & 1)
			out[i] = word[(i & ~3u) | (order >> (2 * (i & 3)) & 3)];
	memcpy(&x, out, sizeof x);
	return x;
}
#define _mm512_mask_shuffle_epi32(from, mask, x, order) emulated_mask_shuffle_epi32(from, mask, x, order)
#define _mm512_shuffle_epi32(x, order) emulated_mask_shuffle_epi32(x, 0xffff, x, order)

EMULATED __m512i _mm512_maskz_loadu_epi32(__mmask16 mask, const void *from)
{
	uint32_t word[16] = {0};
	__m512i x;

	for (unsigned i = 0; i < 16; i++)
		if (mask >> i & 1)
			memcpy(&word[i], (const char *)from + 4 * i, 4);
	memcpy(&x, word, sizeof x);
	return x;
}

EMULATED __m256i _mm256_maskz_loadu_epi32(__mmask8 mask, const void *from)
{
	uint32_t word[8] = {0};
	__m256i x;

	for (unsigned i = 0; i < 8; i++)
		if (mask >> i & 1)
			memcpy(&word[i], (const char *)from + 4 * i, 4);
	memcpy(&x, word, sizeof x);
	return x;
}

EMULATED __m512i _mm512_maskz_loadu_epi64(__mmask8 mask, const void *from)
{
	uint64_t word[8] = {0};
	__m512i x;

	for (unsigned i = 0; i < 8; i++)
		if (mask >> i & 1)
			memcpy(&word[i], (const char *)from + 8 * i, 8);
	memcpy(&x, word, sizeof x);
	return x;
}

EMULATED __m512i _mm512_maskz_loadu_epi8(__mmask64 mask, const void *from)
{
	uint8_t byte[64] = {0};
	__m512i x;

	for (unsigned i = 0; i < 64; i++)
		if (mask >> i & 1)
			byte[i] = ((const uint8_t *)from)[i];
	memcpy(&x, byte, sizeof x);
	return x;
}

EMULATED void _mm512_mask_storeu_epi32(void *to, __mmask16 mask, __m512i x)
{
	uint32_t word[16];

	memcpy(word, &x, sizeof x);
	for (unsigned i = 0; i < 16; i++)
		if (mask >> i & 1)
			memcpy((char *)to + 4 * i, &word[i], 4);
}

EMULATED void _mm512_mask_storeu_epi64(void *to, __mmask8 mask, __m512i x)
{
	uint64_t word[8];

	memcpy(word, &x, sizeof x);
	for (unsigned i = 0; i < 8; i++)
		if (mask >> i & 1)
			memcpy((char *)to + 8 * i, &word[i], 8);
}

EMULATED void _mm512_mask_storeu_epi8(void *to, __mmask64 mask, __m512i x)
{
	uint8_t byte[64];

	memcpy(byte, &x, sizeof x);
	for (unsigned i = 0; i < 64; i++)
		if (mask >> i & 1)
			((uint8_t *)to)[i] = byte[i];
}

EMULATED __m512i emulated_madd52(__m512i sum, __m512i a, __m512i b, unsigned shift)
{
	const uint64_t low = ((uint64_t)1 << 52) - 1;
	uint64_t s[8], x[8], y[8];

	memcpy(s, &sum, sizeof s);
	memcpy(x, &a, sizeof x);
	memcpy(y, &b, sizeof y);
	for (unsigned i = 0; i < 8; i++)
		s[i] += (uint64_t)((uint128)(x[i] & low) * (y[i] & low) >> shift) & low;
	memcpy(&sum, s, sizeof s);
	return sum;
}
#define _mm512_madd52lo_epu64(sum, a, b) emulated_madd52(sum, a, b, 0)
#define _mm512_madd52hi_epu64(sum, a, b) emulated_madd52(sum, a, b, 52)

EMULATED __m512i emulated_load(const void *from)
{
	__m512i x;

	REQUIRE((uintptr_t)from % 64 == 0);
	memcpy(&x, from, sizeof x);
	return x;
}
#undef _mm512_load_si512
#define _mm512_load_si512(from) emulated_load(from)

EMULATED void emulated_store(void *to, __m512i x)
{
	REQUIRE((uintptr_t)to % 64 == 0);
	memcpy(to, &x, sizeof x);
}
#undef _mm512_store_si512
#define _mm512_store_si512(to, x) emulated_store(to, x)

#define _mm512_cmpgt_epu32_mask(a, b) ((__mmask16)~_mm512_cmpge_epu32_mask(b, a))
#define _mm512_cmpgt_epu64_mask(a, b) ((__mmask8)~_mm512_cmpge_epu64_mask(b, a))

EMULATED int _mm512_reduce_add_epi32(__m512i x)
{
	uint32_t word[16], sum = 0;

	memcpy(word, &x, sizeof x);
	for (unsigned i = 0; i < 16; i++)
		sum += word[i];
	return (int)sum;
}

EMULATED __m512i _mm512_cvtepu32_epi64(__m256i x)
{
	uint32_t word[8];
	uint64_t out[8];
	__m512i wide;

	memcpy(word, &x, sizeof x);
	for (unsigned i = 0; i < 8; i++)
		out[i] = word[i];
	memcpy(&wide, out, sizeof wide);
	return wide;
}

EMULATED __m512i _mm512_cvtepi32_epi64(__m256i x)
{
	int32_t word[8];
	int64_t out[8];
	__m512i wide;

	memcpy(word, &x, sizeof x);
	for (unsigned i = 0; i < 8; i++)
		out[i] = word[i];
	memcpy(&wide, out, sizeof wide);
	return wide;
}

#endif
