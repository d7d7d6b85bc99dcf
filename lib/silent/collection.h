/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SILENT_COLLECTION_H
#define SILENT_COLLECTION_H

#include "base/hash.h"
#include "silent/keyword.h"

/* A collection: tables that are asked together, so that a request tells neither which of them holds a value
 * nor whether any does. What is here is public: a server publishes it, a client works everything else out of
 * it.
 *
 * Values have size classes. A class has a base table, built at once, and may have a delta, hashed rows that
 * take changes within seconds. Each table is asked in every request, as often as silent_collection_lookups
 * says.
 *
 * A value is cut into the chunks of its class, each a record of its own (silent/keyword.h). A collection that
 * is asked by number has no tag in its base records, but le32 (length of the whole value + 1) before the
 * piece, 0 where the class does not have the value; chunk c of number n is record n * chunks + c, at
 * silent_record_row and silent_record_slot. In a delta its key is the number as 8 bytes, little-endian.
 *
 * What a delta has goes before what the base has, in each class by itself; a value is in one class at most.
 */

#define SILENT_MAX_CLASSES 4
#define SILENT_MAX_TABLES (2 * SILENT_MAX_CLASSES)
#define SILENT_MAX_NAME 127
#define SILENT_MAX_KEY 1024 /* bytes */
#define SILENT_MAX_KEYS 64 /* of a request */
#define SILENT_MAX_LOOKUPS 256 /* of one table in a request: chunks * keys */
#define SILENT_NUMBER_HEAD 4 /* of a base record that is asked by number */

enum silent_access {
	SILENT_BY_KEY, /* bases are binary fuse filters: a lookup selects three rows */
	SILENT_BY_NUMBER, /* bases are records in order: one row */
};

struct silent_table {
	uint32_t rows; /* 0: there is no such table (a class without a delta) */
	uint32_t packs;
	uint32_t slots; /* records of a row */
	uint32_t record_bytes;
	uint32_t attempt; /* struct silent_keyword: of a filter, else 0 */
	uint8_t static_hash[HASH_BYTES]; /* SHA-256 of the static halves of all packs, packs * static_bytes */
};

struct silent_class {
	uint32_t chunks;
	struct silent_table base, delta;
};

struct silent_collection {
	char name[SILENT_MAX_NAME + 1]; /* UTF-8 without control characters, not empty */
	const struct rlwe_params *params; /* of use RLWE_USE_RETRIEVAL */
	enum silent_access access;
	uint32_t keys; /* lookups of keys (numbers) in every request, 1..SILENT_MAX_KEYS */
	uint64_t records; /* of the base; numbers are below it */
	uint64_t base_epoch; /* when the bases were built */
	uint64_t epoch; /* of the deltas: base_epoch, and one more for each update */
	unsigned classes; /* 1..SILENT_MAX_CLASSES; the first holds the shortest values */
	struct silent_class class[SILENT_MAX_CLASSES];
};

/** VEIL_E_INVALID names the first field out of range or out of step with the others. */
enum veil_status silent_collection_check(
	const struct silent_collection *c, struct veil_error *err) VEIL_MUST_CHECK;

/** Tables in the order of requests and files: class 0 base, class 0 delta, class 1 base, ... without those
 * that are not there. */
unsigned silent_collection_tables(const struct silent_collection *c);

struct silent_table_view {
	const struct silent_table *table;
	unsigned class;
	bool delta;
	uint32_t chunks; /* of the class */
	uint32_t lookups; /* queries of the table in every request: chunks * keys, chunk c of key k the
			     k * chunks + c th */
	uint32_t piece; /* bytes of a value in one record */
};
/** t below silent_collection_tables. */
struct silent_table_view silent_collection_table(const struct silent_collection *c, unsigned t);

/** Public polynomials and sizes of table t. Its seed is SHA-256 of name, parameter set, table and epoch:
 * nobody chooses it. `allow_insecure` for tests. */
enum veil_status silent_collection_context(struct silent_context **out, const struct silent_collection *c,
	unsigned t, unsigned features, bool allow_insecure, struct veil_error *err) VEIL_MUST_CHECK;

/** How table t is asked by key. For a base of SILENT_BY_NUMBER: not meant. */
void silent_collection_keyword(struct silent_keyword *keyword, const struct silent_collection *c, unsigned t);

/** The longest value of a class. */
uint32_t silent_collection_room(const struct silent_collection *c, unsigned class);

#endif
