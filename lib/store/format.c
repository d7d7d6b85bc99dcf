/* SPDX-License-Identifier: Apache-2.0 */
#include "store/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

static const char magics[][9] = {[STORE_ROWS] = "VEILSHD1", [STORE_LABELS] = "VEILLBL1"};

void store_header_write(uint8_t out[STORE_HEADER_BYTES], const struct store_header *header)
{
	struct writer w;

	memset(out, 0, STORE_HEADER_BYTES);
	writer_init(&w, out, STORE_HEADER_BYTES);
	writer_bytes(&w, magics[header->table], 8);
	writer_u32(&w, header->shard);
	writer_u32(&w, header->rows);
	writer_u32(&w, header->width);
	writer_u32(&w, header->used);
}

bool store_header_check(const uint8_t *data, const struct store_header *want, char *why, size_t room)
{
	static const char *const fields[] = {"shard", "rows", "width", "rows in use"};
	const uint32_t values[] = {want->shard, want->rows, want->width, want->used};

	if (memcmp(data, magics[want->table], 8) != 0) {
		snprintf(why, room, "does not begin with %s", magics[want->table]);
		return false;
	}
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		uint32_t got = load_le32(data + 8 + 4 * i);

		if (got != values[i]) {
			snprintf(why, room, "header: %s %u where the manifest has %u", fields[i], got,
				values[i]);
			return false;
		}
	}
	for (size_t i = 8 + sizeof values; i < STORE_HEADER_BYTES; i++)
		if (data[i] != 0) {
			snprintf(why, room, "header: byte %zu is not zero", i);
			return false;
		}
	return true;
}

uint64_t store_table_bytes(uint32_t rows, uint32_t width)
{
	return STORE_HEADER_BYTES + (uint64_t)rows * width;
}

void store_table_name(char out[STORE_NAME_SIZE], enum store_table table, uint32_t shard)
{
	snprintf(out, STORE_NAME_SIZE, table == STORE_ROWS ? "shard-%05u.bin" : "labels-%05u.bin", shard);
}

void store_version_name(char out[STORE_NAME_SIZE], const uint8_t id[HASH_BYTES])
{
	char hex[HASH_HEX_SIZE];

	hash_hex(hex, id);
	snprintf(out, STORE_NAME_SIZE, "v%.16s", hex);
}

bool store_version_name_ok(const char *name, size_t size)
{
	if (size != 17 || name[0] != 'v')
		return false;
	for (size_t i = 1; i < size; i++)
		if (!((name[i] >= '0' && name[i] <= '9') || (name[i] >= 'a' && name[i] <= 'f')))
			return false;
	return true;
}

enum veil_status store_current_read(
	char name[STORE_NAME_SIZE], const struct store_dir *dir, struct veil_error *err)
{
	enum veil_status st;
	uint8_t *data;
	size_t size;

	st = store_file_read(&data, &size, dir, STORE_CURRENT, STORE_NAME_SIZE, err);
	if (st != VEIL_OK)
		return st;
	if (size != 18 || data[17] != '\n' || !store_version_name_ok((const char *)data, 17))
		st = error_set(err, VEIL_E_CORRUPT,
			"%s/%s: not the name of a version (v and 16 hexadecimal digits)", dir->path,
			STORE_CURRENT);
	else
		snprintf(name, STORE_NAME_SIZE, "%.17s", (const char *)data);
	free(data);
	return st;
}
