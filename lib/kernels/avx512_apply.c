/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/require.h"
#include "kernels/avx512.h"
#include "kernels/forms.h"

/* apply on IFMA: of a product the low 52 bits matter alone, and those of an entry's sign extension times a
 * word are right modulo 2^52; sums wrap at 2^64. */

static void apply_prepare(void *prepared, const uint64_t *words, size_t terms)
{
	memcpy(prepared, words, terms * sizeof *words);
}

INLINE void apply_block(uint64_t *const *out, size_t o, const int32_t *matrix, size_t terms,
	const void *const *prepared, const unsigned queries)
{
	const __m512i mask = _mm512_set1_epi64(((int64_t)1 << KERNELS_APPLY_BITS) - 1);
	__m512i s[KERNELS_SCAN_QUERIES][2];

	UNROLL
	for (unsigned v = 0; v < queries; v++)
		s[v][0] = s[v][1] = _mm512_setzero_si512();
	for (size_t t = 0; t < terms; t++, matrix += KERNELS_APPLY_LANES) {
		const __m512i m[2] = {
			_mm512_cvtepi32_epi64(_mm256_load_si256((const __m256i *)matrix)),
			_mm512_cvtepi32_epi64(_mm256_load_si256((const __m256i *)(matrix + 8))),
		};

		UNROLL
		for (unsigned v = 0; v < queries; v++) {
			const __m512i y = _mm512_set1_epi64(((const int64_t *)prepared[v])[t]);

			s[v][0] = _mm512_madd52lo_epu64(s[v][0], m[0], y);
			s[v][1] = _mm512_madd52lo_epu64(s[v][1], m[1], y);
		}
	}
	UNROLL
	for (unsigned v = 0; v < queries; v++) {
		_mm512_store_si512(out[v] + o, _mm512_and_si512(mask, s[v][0]));
		_mm512_store_si512(out[v] + o + 8, _mm512_and_si512(mask, s[v][1]));
	}
}

#include "kernels/apply_body.h"

void kernels_avx512_apply(struct kernels_scan *k)
{
	k->apply_prepare = apply_prepare;
	k->apply = apply;
}
