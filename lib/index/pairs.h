/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDEX_PAIRS_H
#define INDEX_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

/* Keys and values of a collection, from a file into memory. */

#define INDEX_MAX_KEY_BYTES 1024
#define INDEX_MAX_VALUE_BYTES (1u << 20)

struct index_pair {
	size_t key, value; /* where they begin in `data` */
	uint32_t key_bytes, value_bytes;
	bool gone; /* the key is to be removed */
	uint64_t line; /* of the file, from 1; LMDB: of its records */
};

struct index_pairs {
	const char *label; /* the file's name, for errors; borrowed */
	uint8_t *data;
	size_t used, room;
	struct index_pair *pair;
	size_t count, pair_room;
	uint64_t limit; /* bytes of memory; 0: none */
};

struct index_pairs_form {
	bool numbered; /* values alone: the row is the number */
	bool changes; /* removals may stand among them */
	uint64_t limit;
};

/** By the ending of its name:
 *   .tsv              key, tab, value (numbered: value) a line, with \t \n \r \\ and \xHH for what cannot
 * stand there .jsonl .ndjson    {"key": text, "value": text}, or "hex" for "value", or "gone": true .mdb
 * LMDB: a data file, or a directory that holds data.mdb; its unnamed database VEIL_E_INVALID names the line
 * and the key: one that is empty, too long or there twice, a value that is too long, bad UTF-8 or a bad
 * escape, nothing at all. VEIL_E_UNSUPPORTED, VEIL_E_IO, VEIL_E_NOMEM. To be cleared in any case. */
enum veil_status index_pairs_read(struct index_pairs *p, const char *path,
	const struct index_pairs_form *form, struct veil_error *err) VEIL_MUST_CHECK;
void index_pairs_clear(struct index_pairs *p);

/** A key for an error message: cut short, with ? for what cannot be shown. */
#define INDEX_SHOWN_KEY 48
void index_pairs_show(char out[INDEX_SHOWN_KEY], const void *key, size_t key_bytes);

#endif
