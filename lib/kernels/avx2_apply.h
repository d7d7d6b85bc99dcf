/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_AVX2_APPLY_H
#define KERNELS_AVX2_APPLY_H

#include <stddef.h>

#include "kernels/avx2.h"

/* An operation over arrays of any length and alignment, in words of 32 bits (a lane of 64 is two); the last
 * few go through a mask, so they must work for zeros too. */

typedef __m256i operation(__m256i a, __m256i b, const void *constants);

INLINE __m256i lanes_below(size_t count)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

INLINE __m256i load_some(const uint32_t *at, __m256i lanes)
{
	return _mm256_maskload_epi32((const int *)at, lanes);
}

INLINE void store_some(uint32_t *at, __m256i lanes, __m256i v)
{
	_mm256_maskstore_epi32((int *)at, lanes, v);
}

INLINE void apply(operation *f, void *dst, const void *a, const void *b, size_t words, const void *constants)
{
	const uint32_t *x = a, *y = b;
	uint32_t *z = dst;
	size_t i = 0;

	for (; i + 8 <= words; i += 8)
		store_any(z + i, f(load_any(x + i), load_any(y + i), constants));
	if (i < words) {
		const __m256i lanes = lanes_below(words - i);

		store_some(z + i, lanes, f(load_some(x + i, lanes), load_some(y + i, lanes), constants));
	}
}

/* The same of several vectors at a time, a = f(a, b), for long chains: the processor would not look far
 * enough ahead to find the next one. */

typedef void chain(__m256i *a, const __m256i *b, int count, const void *constants);

#define CHAINS 4 /* at most */

INLINE void apply_chains(chain *f, const int count, void *dst, const void *a, const void *b, size_t words,
	const void *constants)
{
	const uint32_t *x = a, *y = b;
	uint32_t *z = dst;
	__m256i u[CHAINS], v[CHAINS];
	size_t i = 0;

	for (; i + 8 * (size_t)count <= words; i += 8 * (size_t)count) {
		UNROLL
		for (int k = 0; k < count; k++) {
			u[k] = load_any(x + i + 8 * k);
			v[k] = load_any(y + i + 8 * k);
		}
		f(u, v, count, constants);
		UNROLL
		for (int k = 0; k < count; k++)
			store_any(z + i + 8 * k, u[k]);
	}
	for (; i < words; i += 8) {
		const __m256i lanes = lanes_below(words - i);

		u[0] = load_some(x + i, lanes);
		v[0] = load_some(y + i, lanes);
		f(u, v, 1, constants);
		store_some(z + i, lanes, u[0]);
	}
}

#endif
