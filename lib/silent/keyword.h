/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SILENT_KEYWORD_H
#define SILENT_KEYWORD_H

#include "silent/layout.h"

/* Tables that are asked by key. A value is cut into `chunks` pieces, the same number for all keys of a table,
 * and each is a record of its own:
 *
 *    tag[8] | le32 length of the whole value | piece, padded with zeros
 *
 * A client asks for all chunks, whether the key is there or not. Two kinds of table hold such records:
 *
 * - a binary fuse filter in each slot (arXiv 2201.01174; for PIR in ChalametPIR, eprint 2024/092, over all of
 *   a table): the key says which slot, and the record is the sum modulo 256 of three rows of it. For what is
 *   built at once: 1.1 to 1.3 rows a key.
 * - hashed rows, for what changes: the key says which row, the record is in any slot of it, and the client
 *   looks through them. What is put there stands before what is in the filter; a length of
 *   SILENT_KEYWORD_GONE says that the key was removed. */

#define SILENT_KEYWORD_TAG 8
#define SILENT_KEYWORD_HEAD (SILENT_KEYWORD_TAG + 4)
#define SILENT_KEYWORD_GONE UINT32_MAX
#define SILENT_KEYWORD_MAX_VALUE (1u << 20)
#define SILENT_KEYWORD_MAX_CHUNKS 4096

/** What a client must know. */
struct silent_keyword {
	uint8_t seed[32]; /* of the hash */
	uint32_t attempt; /* of the filter: the first seed under which every slot works out */
	uint32_t rows;
	uint32_t slots; /* 1..silent_slots(ctx, record_bytes) */
	uint32_t record_bytes; /* SILENT_KEYWORD_HEAD + 1 at least */
	uint32_t chunks; /* 1..SILENT_KEYWORD_MAX_CHUNKS; of hashed rows: at most rows */
};

/** Where one chunk of a key is to be found. */
struct silent_place {
	uint8_t tag[SILENT_KEYWORD_TAG];
	uint32_t slot, rows[3]; /* of a filter */
	uint32_t row; /* of hashed rows */
};

/** SHA-256 of attempt and chunk under that of seed and key. The chunks of a key have rows of their own among
 * hashed ones. Takes a time that depends on key_bytes alone. */
void silent_keyword_place(struct silent_place *place, const struct silent_keyword *k, const void *key,
	size_t key_bytes, uint32_t chunk);

/** Is this the record of the place? Then its piece follows the head, and *length is set. Constant time: the
 * answer is a mask, all ones or 0. */
uint64_t silent_keyword_match(const struct silent_place *place, const uint8_t *record, uint32_t *length);

/** The bytes of a chunk's piece. */
static inline uint32_t silent_keyword_piece(const struct silent_keyword *k)
{
	return k->record_bytes - SILENT_KEYWORD_HEAD;
}

/** Records that a slot holds with near certainty: how many slots so many records take. 0 if `rows` are too
 * few for any. */
uint32_t silent_keyword_slots(uint32_t rows, uint64_t records);

struct silent_entry {
	const void *key, *value;
	size_t key_bytes, value_bytes;
};

/** Fills a table, packs one after the other, with a filter; k->attempt is found. VEIL_E_INVALID names an
 * entry whose value is too long or whose key occurs twice; VEIL_E_NOMEM. The table is unspecified on failure.
 */
enum veil_status silent_keyword_build(const struct silent_context *ctx, struct silent_keyword *k,
	int8_t *table, const struct silent_entry *entries, size_t count,
	struct veil_error *err) VEIL_MUST_CHECK;

/** Puts one entry into hashed rows, in place of one of that key; a NULL value says that the key is gone.
 * VEIL_E_INVALID if it is too long; VEIL_E_BUSY if a row is full: build the filter anew. `changed`, one flag
 * a pack, is raised where bytes changed; on failure nothing changed. */
enum veil_status silent_keyword_put(const struct silent_context *ctx, const struct silent_keyword *k,
	int8_t *table, const struct silent_entry *entry, bool *changed,
	struct veil_error *err) VEIL_MUST_CHECK;

#endif
