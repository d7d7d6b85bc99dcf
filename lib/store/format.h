/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_FORMAT_H
#define STORE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "store/file.h"
#include "veil/status.h"

/* Names and headers of docs/index-format.md. No name of a file is ever taken from another file. */

#define STORE_VERSION 1
#define STORE_HEADER_BYTES 64 /* so that the rows behind it are aligned as the mapping is */
#define STORE_NAME_SIZE 24 /* room for any name below */
#define STORE_MAX_MANIFEST_BYTES ((size_t)512 << 20)

#define STORE_CURRENT "current"
#define STORE_PREVIOUS "previous"
#define STORE_LOCK "lock"
#define STORE_BUILDING "building"
#define STORE_MANIFEST "manifest.json"
#define STORE_CODEBOOK "codebook.bin"

enum store_table {
	STORE_ROWS, /* shard-00000.bin, "VEILSHD1", `width` is the dimension */
	STORE_LABELS, /* labels-00000.bin, "VEILLBL1", `width` is label_bytes */
};

/** Of one table of one shard: magic, le32 shard, le32 rows, le32 width, le32 used, zeros. */
struct store_header {
	enum store_table table;
	uint32_t shard;
	uint32_t rows;
	uint32_t width;
	uint32_t used;
};

void store_header_write(uint8_t out[STORE_HEADER_BYTES], const struct store_header *header);
/** Says in `why` what differs from `want`; false if anything does. */
bool store_header_check(const uint8_t *data, const struct store_header *want, char *why, size_t room);
/** Bytes of the file: the header and rows * width. */
uint64_t store_table_bytes(uint32_t rows, uint32_t width);

void store_table_name(char out[STORE_NAME_SIZE], enum store_table table, uint32_t shard);
/** v<16 hex digits> of the id. */
void store_version_name(char out[STORE_NAME_SIZE], const uint8_t id[HASH_BYTES]);
/** Is this `size` long text such a name? */
bool store_version_name_ok(const char *name, size_t size);
/** The version that `current` names; VEIL_E_CORRUPT names the file. */
enum veil_status store_current_read(
	char name[STORE_NAME_SIZE], const struct store_dir *dir, struct veil_error *err) VEIL_MUST_CHECK;

#endif
