/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SILENT_LAYOUT_H
#define SILENT_LAYOUT_H

#include "silent/context.h"

/* Where records lie in a table. A slot is record_bytes of a row: columns slot * record_bytes ... All slots of
 * a row are fetched together, so a record of 256 bytes costs what eight of them do. */

/** Slots of a row: what is left of a row after the last whole one is never used. */
static inline uint32_t silent_slots(const struct silent_context *ctx, uint32_t record_bytes)
{
	return (uint32_t)((uint64_t)ctx->spec.packs * ctx->n / record_bytes);
}

/** The place of record number n, n < rows * slots: neighbours lie in neighbouring rows, so that all packs of
 * a table that is not full have as much to do. */
static inline uint32_t silent_record_row(const struct silent_context *ctx, uint64_t record)
{
	return (uint32_t)(record % ctx->spec.rows);
}
static inline uint32_t silent_record_slot(const struct silent_context *ctx, uint64_t record)
{
	return (uint32_t)(record / ctx->spec.rows);
}

/** Copies bytes into a row of a table whose packs follow each other, from a column on, or out of it. */
void silent_put(const struct silent_context *ctx, int8_t *table, uint32_t row, uint32_t column,
	const uint8_t *bytes, size_t size);
void silent_get(const struct silent_context *ctx, const int8_t *table, uint32_t row, uint32_t column,
	uint8_t *bytes, size_t size);

#endif
