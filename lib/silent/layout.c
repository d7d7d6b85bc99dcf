/* SPDX-License-Identifier: Apache-2.0 */
#include "silent/layout.h"

/* A run of columns of one row inside one pack: columns of a group of four are 64 bytes apart, groups as many
 * bytes as the tile has rows, times four (kernels/scan.h). */
struct run {
	size_t at; /* of column 0 of the pack */
	size_t group;
	uint32_t first, columns; /* in the pack */
};

static struct run find_run(const struct silent_context *ctx, uint32_t row, uint32_t column, size_t size)
{
	const uint32_t first = column & (ctx->n - 1), tile = row / KERNELS_SCAN_TILE * KERNELS_SCAN_TILE;
	const uint32_t left = ctx->spec.rows - tile;
	struct run run = {.first = first,
		.columns = ctx->n - first,
		.group = (size_t)4 * (left < KERNELS_SCAN_TILE ? left : KERNELS_SCAN_TILE)};

	run.at = column / ctx->n * ctx->table_bytes + silent_offset(ctx, row, 0);
	if (run.columns > size)
		run.columns = (uint32_t)size;
	return run;
}

static size_t place(const struct run *run, uint32_t i)
{
	const uint32_t k = run->first + i;

	return run->at + k / 4 * run->group + k % 4 * 64;
}

void silent_put(const struct silent_context *ctx, int8_t *table, uint32_t row, uint32_t column,
	const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		const struct run run = find_run(ctx, row, column, size);

		for (uint32_t i = 0; i < run.columns; i++)
			table[place(&run, i)] = (int8_t)bytes[i];
		column += run.columns;
		bytes += run.columns;
		size -= run.columns;
	}
}

void silent_get(const struct silent_context *ctx, const int8_t *table, uint32_t row, uint32_t column,
	uint8_t *bytes, size_t size)
{
	while (size > 0) {
		const struct run run = find_run(ctx, row, column, size);

		for (uint32_t i = 0; i < run.columns; i++)
			bytes[i] = (uint8_t)table[place(&run, i)];
		column += run.columns;
		bytes += run.columns;
		size -= run.columns;
	}
}
