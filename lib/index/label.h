/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDEX_LABEL_H
#define INDEX_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A label rides in every reply, one a row of the shard: le32 record number (the row of the input, from 0),
 * then the record's name in UTF-8, cut at a character boundary and padded with zeros. A padding row has
 * INDEX_NO_RECORD and no name. A table has labels of one size: 0 (no table) or 4..24 bytes. */

#define INDEX_NO_RECORD 0xffffffffu
#define INDEX_MAX_LABEL_BYTES 24
#define INDEX_MAX_NAME_BYTES 1024 /* of a record in the input */

/** 0 or 4..24. */
bool index_label_bytes_ok(uint32_t label_bytes);

/** Writes `label_bytes` (>= 4) bytes. `name` is valid UTF-8. */
void index_label_write(uint8_t *out, uint32_t label_bytes, uint32_t record, const char *name);

uint32_t index_label_record(const uint8_t *label);
/** The name as a C string; stops at the first zero. NOT checked: an untrusted label may hold any byte
 * (index_text_valid tells). */
void index_label_name(const uint8_t *label, uint32_t label_bytes, char name[INDEX_MAX_LABEL_BYTES + 1]);

/** True for well-formed UTF-8 without control characters (U+0000..1F, 7F..9F): safe to show on a terminal. */
bool index_text_valid(const char *text, size_t size);
/** Length of the longest prefix of valid text that has at most `limit` bytes and ends with a whole character.
 */
size_t index_text_prefix(const char *text, size_t limit);

#endif
