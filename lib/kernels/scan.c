/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/scan.h"

#include <string.h>

#include "base/cpu.h"
#include "kernels/forms.h"

/* The definition of the scan and of apply: one product at a time. */

static void scan_prepare(void *prepared, const uint32_t *const *words, unsigned queries, size_t rows)
{
	for (unsigned v = 0; v < queries; v++)
		memcpy((uint32_t *)prepared + v * rows, words[v], rows * sizeof **words);
}

/* Adds one tile: `height` rows. */
static void scan_tile(
	uint32_t *sums, const int8_t *tile, size_t outputs, size_t height, const uint32_t *words)
{
	for (size_t group = 0; group < outputs; group += 4)
		for (size_t i = 0; i < height; i += 64)
			for (size_t x = 0; x < 4; x++, tile += 64)
				for (size_t j = 0; j < 64; j++)
					sums[group + x] += (uint32_t)tile[j] * words[i + j];
}

static void scan(uint32_t *const *sums, const int8_t *table, size_t outputs, size_t rows,
	const void *prepared, unsigned queries)
{
	for (unsigned v = 0; v < queries; v++) {
		const uint32_t *words = (const uint32_t *)prepared + v * rows;

		memset(sums[v], 0, outputs * sizeof **sums);
		for (size_t i = 0; i < rows; i += KERNELS_SCAN_TILE) {
			size_t left = rows - i;

			scan_tile(sums[v], table + i * outputs, outputs,
				left < KERNELS_SCAN_TILE ? left : KERNELS_SCAN_TILE, words + i);
		}
	}
}

static void apply_prepare(void *prepared, const uint64_t *words, size_t terms)
{
	memcpy(prepared, words, terms * sizeof *words);
}

static void apply(uint64_t *const *sums, const int32_t *matrix, size_t outputs, size_t terms,
	const void *const *prepared, unsigned queries)
{
	for (unsigned v = 0; v < queries; v++) {
		const uint64_t *words = prepared[v];
		const int32_t *m = matrix;

		for (size_t o = 0; o < outputs; o += KERNELS_APPLY_LANES) {
			uint64_t sum[KERNELS_APPLY_LANES] = {0};

			for (size_t t = 0; t < terms; t++, m += KERNELS_APPLY_LANES)
				for (unsigned i = 0; i < KERNELS_APPLY_LANES; i++)
					sum[i] += (uint64_t)(int64_t)m[i] * words[t];
			for (unsigned i = 0; i < KERNELS_APPLY_LANES; i++)
				sums[v][o + i] = sum[i] & (((uint64_t)1 << KERNELS_APPLY_BITS) - 1);
		}
	}
}

void kernels_scan_select(struct kernels_scan *k, unsigned features)
{
	*k = (struct kernels_scan){.scan_prepare = scan_prepare,
		.scan = scan,
		.apply_prepare = apply_prepare,
		.apply = apply,
		.name = "generic"};
	if (features & CPU_AVX2)
		kernels_avx2_scan(k);
	if (features & CPU_AVX512 && features & CPU_VNNI)
		kernels_avx512_scan(k);
	if (features & CPU_AVX512 && features & CPU_IFMA)
		kernels_avx512_apply(k);
}
