/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/require.h"
#include "kernels/avx512.h"
#include "kernels/forms.h"

/* The scan on VNNI: the words' four planes of bytes, unsigned, times 64 signed bytes of the table, four
 * products a lane, modulo 2^32; planes are put together at the end of a tile. A pass keeps sixteen sums: four
 * planes for one query and four columns, two and two, or four and one. */

#define PIECE 64 /* rows of a vector */
#define PLANES 4

static void scan_prepare(void *prepared, const uint32_t *const *words, unsigned queries, size_t rows)
{
	uint8_t *out = prepared;

	for (size_t i = 0; i < rows; i += PIECE)
		for (unsigned v = 0; v < queries; v++)
			for (unsigned p = 0; p < PLANES; p++, out += PIECE)
				for (size_t j = 0; j < PIECE; j++)
					out[j] = (uint8_t)(words[v][i + j] >> (8 * p));
}

INLINE uint32_t join(const __m512i planes[PLANES])
{
	__m512i x = planes[0];

	x = _mm512_add_epi32(x, _mm512_slli_epi32(planes[1], 8));
	x = _mm512_add_epi32(x, _mm512_slli_epi32(planes[2], 16));
	x = _mm512_add_epi32(x, _mm512_slli_epi32(planes[3], 24));
	return (uint32_t)_mm512_reduce_add_epi32(x);
}

/* Adds `columns` columns of a group of four times `queries` queries, columns * queries = 4, over a tile. */
INLINE void scan_columns(uint32_t *const *sums, size_t k, const int8_t *table, const uint8_t *words,
	size_t height, const unsigned columns, const unsigned queries)
{
	__m512i s[4][PLANES];

	UNROLL
	for (unsigned a = 0; a < 4; a++) {
		UNROLL
		for (unsigned p = 0; p < PLANES; p++)
			s[a][p] = _mm512_setzero_si512();
	}
	for (size_t i = 0; i < height; i += PIECE, table += 256, words += (size_t)queries * PLANES * PIECE) {
		UNROLL
		for (unsigned x = 0; x < columns; x++) {
			const __m512i d = _mm512_load_si512(table + x * 64);

			UNROLL
			for (unsigned v = 0; v < queries; v++) {
				UNROLL
				for (unsigned p = 0; p < PLANES; p++) {
					const __m512i w = _mm512_load_si512(words + (v * PLANES + p) * PIECE);

					s[x * queries + v][p] =
						_mm512_dpbusd_epi32(s[x * queries + v][p], w, d);
				}
			}
		}
	}
	UNROLL
	for (unsigned a = 0; a < 4; a++)
		sums[a % queries][k + a / queries] += join(s[a]);
}

#include "kernels/scan_body.h"

void kernels_avx512_scan(struct kernels_scan *k)
{
	k->scan_prepare = scan_prepare;
	k->scan = scan;
	k->name = "avx512vnni";
}
