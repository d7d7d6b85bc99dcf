/* SPDX-License-Identifier: Apache-2.0 */
#include "silent/arrange.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/require.h"

#define DELTA_SLOTS 2 /* of a row at the least: a full row asks for a new base */

static uint32_t piece_of(const struct silent_size *size)
{
	const uint32_t piece = (size->value_bytes + size->chunks - 1) / size->chunks;

	return piece ? piece : 1;
}

unsigned silent_arrange_class(const struct silent_plan *plan, size_t value_bytes)
{
	unsigned i = 0;

	while (i < plan->classes && value_bytes > (uint64_t)piece_of(&plan->size[i]) * plan->size[i].chunks)
		i++;
	return i;
}

static uint64_t packs_for(const struct silent_plan *plan, uint64_t slots, uint32_t record_bytes)
{
	const uint64_t n = 1u << plan->params->log_n;

	return (slots * record_bytes + n - 1) / n;
}

/* Rows more make a query longer, packs more make a reply longer. A pack has a matrix to be read, too, for
 * which 64 KiB count as a byte of traffic. */
static bool choose_shape(const struct silent_plan *plan, struct silent_table *t, uint64_t items)
{
	const struct rlwe_params *p = plan->params;
	const uint32_t n = 1u << p->log_n;
	uint64_t best = UINT64_MAX;

	for (uint32_t rows = n; rows <= SILENT_MAX_ROWS; rows += n) {
		const uint64_t slots = plan->access == SILENT_BY_NUMBER ? (items + rows - 1) / rows
									: silent_keyword_slots(rows, items);
		const uint64_t packs = packs_for(plan, slots, t->record_bytes);
		const uint64_t cost = (uint64_t)rows * p->upload_bits / 8 +
				      packs * (p->reply_c0_bits + p->reply_c1_bits) * n / 8 +
				      packs * (silent_material_bytes(p) >> 16);

		if (slots < 1 || packs > SILENT_MAX_PACKS || cost >= best)
			continue;
		best = cost;
		t->rows = rows;
		t->slots = (uint32_t)slots;
		t->packs = (uint32_t)packs;
	}
	return best < UINT64_MAX;
}

static enum veil_status shape_class(struct silent_collection *c, const struct silent_plan *plan, unsigned i,
	uint64_t items, struct veil_error *err)
{
	const uint32_t piece = piece_of(&plan->size[i]), n = 1u << plan->params->log_n;
	struct silent_class *class = &c->class[i];
	struct silent_table *delta = &class->delta;

	class->chunks = plan->size[i].chunks;
	class->base.record_bytes =
		piece + (plan->access == SILENT_BY_NUMBER ? SILENT_NUMBER_HEAD : SILENT_KEYWORD_HEAD);
	if (!choose_shape(plan, &class->base, items ? items : 1))
		return error_set(err, VEIL_E_INVALID,
			"%llu records of %u bytes are more than a table holds: divide them into collections",
			(unsigned long long)items, class->base.record_bytes);
	if (!plan->deltas)
		return VEIL_OK;
	delta->rows = n;
	delta->record_bytes = piece + SILENT_KEYWORD_HEAD;
	delta->packs = (uint32_t)packs_for(plan, DELTA_SLOTS, delta->record_bytes);
	delta->slots = delta->packs * n / delta->record_bytes;
	return VEIL_OK;
}

/* Records that the values of each class make; by number every record has its place in every class. */
static enum veil_status count_items(uint64_t items[SILENT_MAX_CLASSES], const struct silent_plan *plan,
	const struct silent_entry *entries, size_t count, struct veil_error *err)
{
	memset(items, 0, SILENT_MAX_CLASSES * sizeof *items);
	for (size_t e = 0; e < count; e++) {
		const unsigned i = silent_arrange_class(plan, entries[e].value_bytes);
		uint64_t piece;

		if (i == plan->classes)
			return error_set(err, VEIL_E_INVALID,
				"entry %zu: its value has %zu bytes, more than any size class holds", e,
				entries[e].value_bytes);
		piece = piece_of(&plan->size[i]);
		items[i] +=
			entries[e].value_bytes <= piece ? 1 : (entries[e].value_bytes + piece - 1) / piece;
	}
	for (unsigned i = 0; plan->access == SILENT_BY_NUMBER && i < plan->classes; i++)
		items[i] = (uint64_t)count * plan->size[i].chunks;
	return VEIL_OK;
}

enum veil_status silent_arrange(struct silent_collection *c, const struct silent_plan *plan,
	const struct silent_entry *entries, size_t count, struct veil_error *err)
{
	uint64_t items[SILENT_MAX_CLASSES];
	enum veil_status st = count_items(items, plan, entries, count, err);

	c->params = plan->params;
	c->access = plan->access;
	c->keys = plan->keys;
	c->records = count;
	c->classes = plan->classes;
	memset(c->class, 0, sizeof c->class);
	for (unsigned i = 0; st == VEIL_OK && i < plan->classes; i++)
		st = shape_class(c, plan, i, items[i], err);
	return st;
}

/* The class that a value goes to, by what is published. */
static unsigned class_of(const struct silent_collection *c, size_t value_bytes)
{
	unsigned i = 0;

	while (i + 1 < c->classes && value_bytes > silent_collection_room(c, i))
		i++;
	return i;
}

#define STRIP 64u /* columns that are written at once: as many cache lines */

/* Columns `from` on, `size` of them, of every record. */
static void put_strip(const struct silent_context *ctx, const struct silent_table_view *view,
	const struct silent_collection *c, int8_t *table, const struct silent_entry *entries, uint32_t from,
	uint32_t size)
{
	for (uint64_t r = 0; r < c->records * view->chunks; r++) {
		const struct silent_entry *e = &entries[r / view->chunks];
		const size_t start = r % view->chunks * view->piece;
		uint8_t head[SILENT_NUMBER_HEAD], bytes[STRIP] = {0};
		uint32_t i = 0;
		size_t at;

		if (class_of(c, e->value_bytes) != view->class)
			continue;
		store_le32(head, (uint32_t)e->value_bytes + 1);
		for (; i < size && from + i < sizeof head; i++)
			bytes[i] = head[from + i];
		at = start + from + i - sizeof head;
		if (i < size && at < e->value_bytes)
			memcpy(bytes + i, (const uint8_t *)e->value + at,
				e->value_bytes - at < size - i ? e->value_bytes - at : size - i);
		silent_put(ctx, table, silent_record_row(ctx, r),
			silent_record_slot(ctx, r) * view->table->record_bytes + from, bytes, size);
	}
}

static void fill_numbers(const struct silent_context *ctx, const struct silent_table_view *view,
	const struct silent_collection *c, int8_t *table, const struct silent_entry *entries)
{
	const uint32_t all = view->table->record_bytes;

	memset(table, 0, ctx->spec.packs * ctx->table_bytes);
	for (uint32_t from = 0; from < all; from += STRIP)
		put_strip(ctx, view, c, table, entries, from, all - from < STRIP ? all - from : STRIP);
}

enum veil_status silent_arrange_fill(const struct silent_collection *c, unsigned t,
	const struct silent_context *ctx, int8_t *table, uint32_t *attempt,
	const struct silent_entry *entries, size_t count, struct veil_error *err)
{
	const struct silent_table_view view = silent_collection_table(c, t);
	struct silent_entry *mine;
	struct silent_keyword k;
	enum veil_status st;
	size_t used = 0;

	REQUIRE(!view.delta && count == c->records);
	*attempt = 0;
	if (c->access == SILENT_BY_NUMBER) {
		fill_numbers(ctx, &view, c, table, entries);
		return VEIL_OK;
	}
	mine = calloc(count + 1, sizeof *mine);
	if (!mine)
		return error_set(err, VEIL_E_NOMEM, "no memory for %zu entries", count);
	for (size_t e = 0; e < count; e++)
		if (class_of(c, entries[e].value_bytes) == view.class)
			mine[used++] = entries[e];
	silent_collection_keyword(&k, c, t);
	st = silent_keyword_build(ctx, &k, table, mine, used, err);
	*attempt = k.attempt;
	free(mine);
	return st;
}
