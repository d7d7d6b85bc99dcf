/* SPDX-License-Identifier: Apache-2.0 */
#include "silent/layout.h"

static size_t offset(const struct silent_context *ctx, uint32_t row, uint32_t column)
{
	return column / ctx->n * ctx->table_bytes + silent_offset(ctx, row, column);
}

void silent_put(const struct silent_context *ctx, int8_t *table, uint32_t row, uint32_t column,
	const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		table[offset(ctx, row, column + (uint32_t)i)] = (int8_t)bytes[i];
}

void silent_get(const struct silent_context *ctx, const int8_t *table, uint32_t row, uint32_t column,
	uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)table[offset(ctx, row, column + (uint32_t)i)];
}
