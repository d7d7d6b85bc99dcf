/* SPDX-License-Identifier: Apache-2.0 */
#include "store/unfinished.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "base/error.h"
#include "store/format.h"

#define PLAN "plan"
#define SHARDS "shards"
#define HEAD_BYTES (8 + HASH_BYTES)
#define PLAN_BYTES (HEAD_BYTES + HASH_BYTES)
#define RECORD_BYTES (4 + 4 + 2 * HASH_BYTES)

static const char plan_magic[8] = {'V', 'E', 'I', 'L', 'P', 'L', 'N', '1'};
static const char shards_magic[8] = {'V', 'E', 'I', 'L', 'P', 'L', 'S', '1'};

static void write_head(uint8_t *out, const char magic[8], const uint8_t key[HASH_BYTES])
{
	memcpy(out, magic, 8);
	memcpy(out + 8, key, HASH_BYTES);
}

static bool is_head(const uint8_t *data, size_t size, const char magic[8], const uint8_t key[HASH_BYTES])
{
	return size >= HEAD_BYTES && memcmp(data, magic, 8) == 0 && memcmp(data + 8, key, HASH_BYTES) == 0;
}

enum veil_status store_unfinished_read(struct index_codebook *codebook, uint8_t hash[HASH_BYTES],
	const struct store_dir *building, const uint8_t key[HASH_BYTES], struct veil_error *err)
{
	const size_t limit = index_codebook_bytes(INDEX_MAX_SHARDS, NN_MAX_DIM);
	enum veil_status st;
	uint8_t *data, want[HASH_BYTES];
	size_t size;
	bool ours;

	memset(codebook, 0, sizeof *codebook);
	if (!store_exists(building, PLAN))
		return error_set(err, VEIL_E_NOT_FOUND, "%s: no plan", building->path);
	st = store_file_read(&data, &size, building, PLAN, PLAN_BYTES, err);
	if (st != VEIL_OK)
		return st;
	ours = size == PLAN_BYTES && is_head(data, size, plan_magic, key);
	if (ours)
		memcpy(want, data + HEAD_BYTES, HASH_BYTES);
	free(data);
	if (!ours)
		return error_set(
			err, VEIL_E_CORRUPT, "%s: of another input or other options", building->path);
	st = store_file_read(&data, &size, building, STORE_CODEBOOK, limit, err);
	if (st != VEIL_OK)
		return st;
	hash_sha256(hash, data, size);
	if (memcmp(hash, want, HASH_BYTES) != 0)
		st = error_set(err, VEIL_E_CORRUPT, "%s/%s: damaged", building->path, STORE_CODEBOOK);
	else
		st = index_codebook_read(codebook, data, size, err);
	free(data);
	return st == VEIL_E_MALFORMED ? VEIL_E_CORRUPT : st;
}

enum veil_status store_unfinished_write(const struct store_dir *building, const uint8_t key[HASH_BYTES],
	const uint8_t codebook_hash[HASH_BYTES], struct veil_error *err)
{
	uint8_t plan[PLAN_BYTES];

	write_head(plan, plan_magic, key);
	memcpy(plan + HEAD_BYTES, codebook_hash, HASH_BYTES);
	return store_file_replace(building, PLAN, plan, sizeof plan, err);
}

/* Out of memory is an error; a file that cannot be had whole is not: it is written again. */
static bool is_table(
	const struct store_dir *dir, const struct store_header *header, const uint8_t want[HASH_BYTES])
{
	uint64_t size = store_table_bytes(header->rows, header->width);
	char name[STORE_NAME_SIZE], why[96];
	uint8_t hash[HASH_BYTES];
	const uint8_t *data;
	bool whole;

	store_table_name(name, header->table, header->shard);
	if (store_file_map(&data, size, dir, name, NULL) != VEIL_OK)
		return false;
	hash_sha256(hash, data, (size_t)size);
	whole = memcmp(hash, want, HASH_BYTES) == 0 && store_header_check(data, header, why, sizeof why);
	munmap((void *)(uintptr_t)data, (size_t)size);
	return whole;
}

static void take_record(
	const uint8_t *record, bool *done, struct store_manifest *m, const struct store_dir *building)
{
	uint32_t i = load_le32(record), used = load_le32(record + 4);
	struct store_header header = {STORE_ROWS, i, m->spec.rows, m->spec.dim, used};
	struct store_entry entry = {.used = used};

	memcpy(entry.rows_hash, record + 8, HASH_BYTES);
	memcpy(entry.labels_hash, record + 8 + HASH_BYTES, HASH_BYTES);
	if (i >= m->shards || used > m->spec.rows || !is_table(building, &header, entry.rows_hash))
		return;
	header.table = STORE_LABELS;
	header.width = m->label_bytes;
	if (m->label_bytes && !is_table(building, &header, entry.labels_hash))
		return;
	m->shard[i] = entry;
	done[i] = true;
}

static void write_record(uint8_t out[RECORD_BYTES], uint32_t i, const struct store_entry *entry)
{
	store_le32(out, i);
	store_le32(out + 4, entry->used);
	memcpy(out + 8, entry->rows_hash, HASH_BYTES);
	memcpy(out + 8 + HASH_BYTES, entry->labels_hash, HASH_BYTES);
}

static enum veil_status remove_others(
	const bool *done, uint32_t shards, const struct store_dir *building, struct veil_error *err)
{
	char name[STORE_NAME_SIZE];
	enum veil_status st = store_file_remove(building, STORE_MANIFEST, err);

	for (uint32_t i = 0; st == VEIL_OK && i < shards; i++) {
		if (done[i])
			continue;
		store_table_name(name, STORE_ROWS, i);
		st = store_file_remove(building, name, err);
		store_table_name(name, STORE_LABELS, i);
		if (st == VEIL_OK)
			st = store_file_remove(building, name, err);
	}
	return st;
}

/* The list is written anew, so that it ends with a whole record. */
static enum veil_status write_list(const bool *done, const struct store_manifest *m,
	const struct store_dir *building, const uint8_t key[HASH_BYTES], struct veil_error *err)
{
	uint8_t *list = malloc(HEAD_BYTES + (size_t)m->shards * RECORD_BYTES);
	size_t size = HEAD_BYTES;
	enum veil_status st;

	if (!list)
		return error_set(
			err, VEIL_E_NOMEM, "%s: out of memory for %u shards", building->path, m->shards);
	write_head(list, shards_magic, key);
	for (uint32_t i = 0; i < m->shards; i++)
		if (done[i]) {
			write_record(list + size, i, m->shard + i);
			size += RECORD_BYTES;
		}
	st = store_file_replace(building, SHARDS, list, size, err);
	free(list);
	return st;
}

enum veil_status store_unfinished_shards(bool *done, struct store_manifest *m,
	const struct store_dir *building, const uint8_t key[HASH_BYTES], struct veil_error *err)
{
	const size_t limit = HEAD_BYTES + (size_t)(m->shards + 1) * RECORD_BYTES;
	enum veil_status st = VEIL_OK;
	uint8_t *data = NULL;
	size_t size = 0;

	if (store_exists(building, SHARDS))
		st = store_file_read(&data, &size, building, SHARDS, limit, err);
	if (st != VEIL_OK && st != VEIL_E_CORRUPT)
		return st;
	if (is_head(data, size, shards_magic, key))
		for (size_t at = HEAD_BYTES; at + RECORD_BYTES <= size; at += RECORD_BYTES)
			take_record(data + at, done, m, building);
	free(data);
	st = remove_others(done, m->shards, building, err);
	return st == VEIL_OK ? write_list(done, m, building, key, err) : st;
}

enum veil_status store_unfinished_add(
	const struct store_dir *building, uint32_t i, const struct store_entry *entry, struct veil_error *err)
{
	uint8_t record[RECORD_BYTES];

	write_record(record, i, entry);
	return store_file_append(building, SHARDS, record, sizeof record, err);
}

enum veil_status store_unfinished_end(const struct store_dir *building, struct veil_error *err)
{
	enum veil_status st = store_file_remove(building, PLAN, err);

	return st == VEIL_OK ? store_file_remove(building, SHARDS, err) : st;
}
