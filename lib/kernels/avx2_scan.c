/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kernels/avx2.h"
#include "kernels/forms.h"

/* The scan: a word is low + 2^16 high, both signed, and vpmaddwd multiplies sixteen bytes, widened, with
 * either: two products and two sums for sixteen bytes, modulo 2^32 throughout. A pass keeps four sums of
 * either kind, for one query and four columns, two and two, or four and one: eight registers. */

#define PIECE 16 /* rows of a vector */

/* Bytes of the table that are asked for before they are needed: the processor's own guesses end with a page.
 */
#define AHEAD 8192

/* A sum is made here and now: gcc 12 would put a loop's products together first, and spill them. */
#define NOW(x) __asm__("" : "+x"(x))

static void scan_prepare(void *prepared, const uint32_t *const *words, unsigned queries, size_t rows)
{
	int16_t *out = prepared;

	for (size_t i = 0; i < rows; i += PIECE)
		for (unsigned v = 0; v < queries; v++, out += 2 * PIECE)
			for (size_t j = 0; j < PIECE; j++) {
				uint32_t word = words[v][i + j];

				out[j] = (int16_t)word;
				out[PIECE + j] = (int16_t)((word + 0x8000) >> 16);
			}
}

/* low + 2^16 high of four vectors: the sum of the lanes of each. */
static inline __m128i sum_lanes(const __m256i low[4], const __m256i high[4])
{
	__m256i x[4];

	UNROLL
	for (int i = 0; i < 4; i++)
		x[i] = _mm256_add_epi32(low[i], _mm256_slli_epi32(high[i], 16));
	x[0] = _mm256_hadd_epi32(_mm256_hadd_epi32(x[0], x[1]), _mm256_hadd_epi32(x[2], x[3]));
	return _mm_add_epi32(_mm256_castsi256_si128(x[0]), _mm256_extracti128_si256(x[0], 1));
}

/* Adds `columns` columns of a group of four times `queries` queries, columns * queries = 4, over a tile. */
INLINE void scan_columns(uint32_t *const *sums, size_t k, const int8_t *table, const int16_t *words,
	size_t height, const unsigned columns, const unsigned queries)
{
	__m256i low[4], high[4];
	_Alignas(16) uint32_t sum[4];

	UNROLL
	for (int i = 0; i < 4; i++)
		low[i] = high[i] = _mm256_setzero_si256();
	for (size_t i = 0; i < height; i += 64, table += 256) {
		UNROLL
		for (unsigned x = 0; x < columns; x++)
			_mm_prefetch((const char *)table + x * 64 + AHEAD, _MM_HINT_T0);
		for (size_t j = 0; j < 64; j += PIECE, words += (size_t)queries * 2 * PIECE) {
			UNROLL
			for (unsigned x = 0; x < columns; x++) {
				const __m256i d = _mm256_cvtepi8_epi16(
					_mm_load_si128((const __m128i *)(table + x * 64 + j)));

				UNROLL
				for (unsigned v = 0; v < queries; v++) {
					const unsigned a = x * queries + v;
					const int16_t *w = words + (size_t)v * 2 * PIECE;

					low[a] = _mm256_add_epi32(low[a], _mm256_madd_epi16(d, load(w)));
					NOW(low[a]);
					high[a] = _mm256_add_epi32(
						high[a], _mm256_madd_epi16(d, load(w + PIECE)));
					NOW(high[a]);
				}
			}
		}
	}
	_mm_store_si128((__m128i *)sum, sum_lanes(low, high));
	UNROLL
	for (unsigned a = 0; a < 4; a++)
		sums[a % queries][k + a / queries] += sum[a];
}

#include "kernels/scan_body.h"

/* apply: a word is low + 2^8 high, low in [-128, 127]. Of the products with `high` the low 32 bits matter
 * alone; those with `low` are below 2^27 and sixteen of them fit 32 bits. So both take vpmulld, eight lanes
 * of it, and the second sum is widened every sixteen terms. */

struct split {
	uint32_t high;
	int32_t low;
};

#define CHUNK 16

static void apply_prepare(void *prepared, const uint64_t *words, size_t terms)
{
	struct split *out = prepared;

	for (size_t t = 0; t < terms; t++) {
		out[t].high = (uint32_t)((words[t] + 128) >> 8);
		out[t].low = (int8_t)words[t];
	}
}

/* One vector of eight outputs of a block, one query: 16 terms from t on. */
INLINE void apply_terms(
	__m256i *high, __m256i *low, const int32_t *matrix, const struct split *words, size_t at)
{
	UNROLL
	for (unsigned t = 0; t < CHUNK; t++) {
		const __m256i m = load(matrix + (at + t) * KERNELS_APPLY_LANES);

		*high = _mm256_add_epi32(
			*high, _mm256_mullo_epi32(m, _mm256_set1_epi32((int)words[at + t].high)));
		*low = _mm256_add_epi32(*low, _mm256_mullo_epi32(m, _mm256_set1_epi32(words[at + t].low)));
	}
}

struct sums {
	__m256i high, low, wide[2]; /* of eight outputs */
};

INLINE void widen(struct sums *s)
{
	s->wide[0] = _mm256_add_epi64(s->wide[0], _mm256_cvtepi32_epi64(_mm256_castsi256_si128(s->low)));
	s->wide[1] = _mm256_add_epi64(s->wide[1], _mm256_cvtepi32_epi64(_mm256_extracti128_si256(s->low, 1)));
	s->low = _mm256_setzero_si256();
}

INLINE void finish(uint64_t *out, const struct sums *s)
{
	const __m256i mask = _mm256_set1_epi64x(((int64_t)1 << KERNELS_APPLY_BITS) - 1);
	const __m256i high[2] = {_mm256_cvtepu32_epi64(_mm256_castsi256_si128(s->high)),
		_mm256_cvtepu32_epi64(_mm256_extracti128_si256(s->high, 1))};

	UNROLL
	for (unsigned i = 0; i < 2; i++)
		store(out + 4 * i,
			_mm256_and_si256(mask, _mm256_add_epi64(s->wide[i], _mm256_slli_epi64(high[i], 8))));
}

INLINE void apply_block(uint64_t *const *out, size_t o, const int32_t *matrix, size_t terms,
	const void *const *prepared, const unsigned queries)
{
	struct sums s[KERNELS_SCAN_QUERIES][2];

	memset(s, 0, sizeof s);
	for (size_t t = 0; t < terms; t += CHUNK) {
		UNROLL
		for (unsigned v = 0; v < queries; v++)
			UNROLL
		for (unsigned h = 0; h < 2; h++) {
			apply_terms(&s[v][h].high, &s[v][h].low, matrix + 8 * h, prepared[v], t);
			widen(&s[v][h]);
		}
	}
	UNROLL
	for (unsigned v = 0; v < queries; v++)
		UNROLL
	for (unsigned h = 0; h < 2; h++)
		finish(out[v] + o + 8 * h, &s[v][h]);
}

#include "kernels/apply_body.h"

void kernels_avx2_scan(struct kernels_scan *k)
{
	*k = (struct kernels_scan){.scan_prepare = scan_prepare,
		.scan = scan,
		.apply_prepare = apply_prepare,
		.apply = apply,
		.name = "avx2"};
}
