/* SPDX-License-Identifier: Apache-2.0 */

/* The blocks of a matrix for a vector form of apply, which has apply_block and has included base/require.h.
 */

static void apply(uint64_t *const *sums, const int32_t *matrix, size_t outputs, size_t terms,
	const void *const *prepared, unsigned queries)
{
	REQUIRE(queries == 1 || queries == 2 || queries == 4);
	for (size_t o = 0; o < outputs; o += KERNELS_APPLY_LANES, matrix += terms * KERNELS_APPLY_LANES) {
		if (queries == 1)
			apply_block(sums, o, matrix, terms, prepared, 1);
		else if (queries == 2)
			apply_block(sums, o, matrix, terms, prepared, 2);
		else
			apply_block(sums, o, matrix, terms, prepared, 4);
	}
}
