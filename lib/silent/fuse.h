/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SILENT_FUSE_H
#define SILENT_FUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

/* Peeling of binary fuse filters, slot by slot: an order of a slot's items in which each has a row that none
 * before it uses. Private to keyword.c. */

struct fuse_item {
	uint64_t tag;
	size_t entry; /* of the caller */
	uint32_t chunk;
	uint32_t slot, rows[3];
	uint32_t free; /* 0..2: the row that it is written to */
};

struct fuse {
	struct fuse_item *items; /* [records] */
	struct fuse_item **order; /* [count] after fuse_peel: written from the last to the first */
	size_t count;
	uint32_t rows;
	struct row *state; /* [rows] */
	uint32_t *queue; /* [rows] */
	uint8_t *bytes; /* of the caller */
	size_t twice[2]; /* entries of one tag */
};

/** VEIL_E_NOMEM. To be cleared in any case. */
enum veil_status fuse_init(struct fuse *f, uint64_t records, uint32_t rows, size_t bytes) VEIL_MUST_CHECK;
void fuse_clear(struct fuse *f);

/** Items by slot, then by tag. */
void fuse_sort(struct fuse *f, uint64_t records);
/** Do two items of sorted ones have the same tag? */
bool fuse_twice(struct fuse *f, uint64_t records);
/** The order of one slot's items; false if there is none. */
bool fuse_peel(struct fuse *f, uint64_t records, uint32_t slot);

#endif
