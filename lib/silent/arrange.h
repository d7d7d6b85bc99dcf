/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SILENT_ARRANGE_H
#define SILENT_ARRANGE_H

#include "silent/collection.h"

/* A collection out of entries: shapes of its tables, and their bytes. Offline; no secrets. */

struct silent_size {
	uint32_t value_bytes; /* of the longest value of the class */
	uint32_t chunks; /* that it is cut into */
};

struct silent_plan {
	const struct rlwe_params *params;
	enum silent_access access;
	uint32_t keys;
	unsigned classes;
	struct silent_size size[SILENT_MAX_CLASSES]; /* by value_bytes, rising */
	bool deltas;
};

/** The class of a value: the first that has room for it, or `classes` if none has. */
unsigned silent_arrange_class(const struct silent_plan *plan, size_t value_bytes);

/** Sets all but name, epochs, attempts and hashes: for each table the rows that make a retrieval, with the
 * static half, the fewest bytes. Entries are those of all classes; by number, entry i is record i.
 * VEIL_E_INVALID: no table of silent PIR holds so much, or an entry has no class. */
enum veil_status silent_arrange(struct silent_collection *c, const struct silent_plan *plan,
	const struct silent_entry *entries, size_t count, struct veil_error *err) VEIL_MUST_CHECK;

/** The bytes of base table t, packs one after the other, out of entries of all classes; *attempt is for
 * store_kv_writer_table. Keys are distinct. VEIL_E_NOMEM, VEIL_E_INVALID. */
enum veil_status silent_arrange_fill(const struct silent_collection *c, unsigned t,
	const struct silent_context *ctx, int8_t *table, uint32_t *attempt,
	const struct silent_entry *entries, size_t count, struct veil_error *err) VEIL_MUST_CHECK;

#endif
