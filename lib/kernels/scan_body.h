/* SPDX-License-Identifier: Apache-2.0 */

/* The walk over a table for a vector form of the scan, which has scan_columns, four bytes of prepared words a
 * row and query, and has included <string.h> and base/require.h. */

static void scan_tile(uint32_t *const *sums, const int8_t *tile, size_t outputs, size_t height,
	const void *words, unsigned queries)
{
	for (size_t k = 0; k < outputs; k += 4, tile += 4 * height) {
		if (queries == 1)
			scan_columns(sums, k, tile, words, height, 4, 1);
		for (unsigned x = 0; queries == 2 && x < 4; x += 2)
			scan_columns(sums, k + x, tile + x * 64, words, height, 2, 2);
		for (unsigned x = 0; queries == 4 && x < 4; x++)
			scan_columns(sums, k + x, tile + x * 64, words, height, 1, 4);
	}
}

static void scan(uint32_t *const *sums, const int8_t *table, size_t outputs, size_t rows,
	const void *prepared, unsigned queries)
{
	REQUIRE(queries == 1 || queries == 2 || queries == 4);
	for (unsigned v = 0; v < queries; v++)
		memset(sums[v], 0, outputs * sizeof **sums);
	for (size_t i = 0; i < rows; i += KERNELS_SCAN_TILE) {
		size_t left = rows - i;

		scan_tile(sums, table + i * outputs, outputs,
			left < KERNELS_SCAN_TILE ? left : KERNELS_SCAN_TILE,
			(const char *)prepared + 4 * i * queries, queries);
	}
}
