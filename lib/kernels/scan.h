/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_SCAN_H
#define KERNELS_SCAN_H

#include <stddef.h>
#include <stdint.h>

/* Stored integers times the words of a query, modulo a power of two: no prime, no reduction. A table is read
 * once for up to four queries. Every form gives the same bits; generic.c's place is scan.c. No branch and no
 * address depends on a word. Arrays are 64-byte aligned and do not overlap. */

#define KERNELS_SCAN_QUERIES 4 /* the most queries of a pass */
#define KERNELS_SCAN_TILE 1024 /* rows of a tile: the words of a tile stay in the first cache */
#define KERNELS_SCAN_ROWS 64 /* rows are a multiple of this */
#define KERNELS_SCAN_OUTPUTS 4 /* columns too */

#define KERNELS_APPLY_LANES 16 /* outputs of one block of a matrix */
#define KERNELS_APPLY_BITS 40 /* of a word of apply */
#define KERNELS_APPLY_LIMIT (1 << 20) /* entries of a matrix are in (-LIMIT, LIMIT) */

struct kernels_scan {
	/* --- the scan: sums_v[k] = sum over i < rows of table(i, k) * words_v[i]   mod 2^32
	 *
	 * The table is a sequence of tiles of KERNELS_SCAN_TILE rows (the last may have fewer), each laid out
	 *    table[outputs/4][rows/64][4][64]
	 * so that it is read front to back. */

	/** Writes what scan reads: queries * rows * 4 bytes. `queries` is 1, 2 or 4. */
	void (*scan_prepare)(void *prepared, const uint32_t *const *words, unsigned queries, size_t rows);
	void (*scan)(uint32_t *const *sums, const int8_t *table, size_t outputs, size_t rows,
		const void *prepared, unsigned queries);

	/* --- a matrix of small integers: sums_v[o] = sum over t < terms of matrix(o, t) * words_v[t]   mod
	 * 2^40
	 *
	 * The matrix is laid out [outputs/16][terms][16]; terms is a multiple of 16, at most 2^16. */

	/** Writes what apply reads, terms * 8 bytes; words are below 2^40. */
	void (*apply_prepare)(void *prepared, const uint64_t *words, size_t terms);
	/** `queries` is 1, 2 or 4. */
	void (*apply)(uint64_t *const *sums, const int32_t *matrix, size_t outputs, size_t terms,
		const void *const *prepared, unsigned queries);

	const char *name; /* of the form of the scan: "generic", "avx2", "avx512vnni" */
};

/** Where row i, column k of a table of `rows` rows and `outputs` columns lies. */
static inline size_t kernels_scan_offset(size_t rows, size_t outputs, size_t i, size_t k)
{
	size_t tile = i / KERNELS_SCAN_TILE, left = rows - tile * KERNELS_SCAN_TILE;
	size_t height = left < KERNELS_SCAN_TILE ? left : KERNELS_SCAN_TILE, in = i % KERNELS_SCAN_TILE;

	return tile * KERNELS_SCAN_TILE * outputs + k / 4 * 4 * height + in / 64 * 256 + k % 4 * 64 + in % 64;
}

/** Where entry (output, term) of a matrix lies, in entries. */
static inline size_t kernels_apply_offset(size_t terms, size_t output, size_t term)
{
	return (output / KERNELS_APPLY_LANES * terms + term) * KERNELS_APPLY_LANES +
	       output % KERNELS_APPLY_LANES;
}

/** Fills the table from generic upward; `features` is a mask of cpu_feature. */
void kernels_scan_select(struct kernels_scan *k, unsigned features);

#endif
