/* SPDX-License-Identifier: Apache-2.0 */
#include "store/kv_packs.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "store/opening.h"

#define PACKS "packs"
#define HEAD_BYTES (8 + HASH_BYTES)
#define RECORD_BYTES (4 + 4 + 2 * HASH_BYTES)

static const char magic[8] = {'V', 'E', 'I', 'L', 'P', 'K', 'S', '1'};

/* SHA-256 of all that material follows from beside the bytes of a table: its seed is of name and epoch. The
 * manifest as it stands before anything is written says it. */
static enum veil_status hash_shape(
	uint8_t key[HASH_BYTES], const struct silent_collection *c, struct veil_error *err)
{
	struct store_kv_manifest m = {.collection = *c};
	enum veil_status st = store_kv_manifest_packs(&m);
	char *text = NULL;
	size_t size = 0;

	for (unsigned i = 0; i < c->classes; i++) {
		struct silent_class *class = &m.collection.class[i];

		class->base.attempt = 0;
		memset(class->base.static_hash, 0, HASH_BYTES);
		memset(class->delta.static_hash, 0, HASH_BYTES);
	}
	if (st == VEIL_OK)
		st = store_kv_manifest_write(&text, &size, &m);
	if (st == VEIL_OK)
		hash_sha256(key, text, size);
	free(text);
	store_kv_manifest_clear(&m);
	return st == VEIL_OK ? st : error_set(err, st, "out of memory for the manifest");
}

static void read_records(struct kv_packs *p, struct store_kv_manifest *m, const uint8_t *data, size_t size)
{
	const unsigned tables = silent_collection_tables(&m->collection);

	for (size_t at = HEAD_BYTES; at + RECORD_BYTES <= size; at += RECORD_BYTES) {
		const uint32_t t = load_le32(data + at), pack = load_le32(data + at + 4);

		if (t >= tables || pack >= silent_collection_table(&m->collection, t).table->packs)
			continue;
		memcpy(m->pack[t][pack].table_hash, data + at + 8, HASH_BYTES);
		memcpy(m->pack[t][pack].material_hash, data + at + 8 + HASH_BYTES, HASH_BYTES);
		p->done[t][pack] = true;
	}
}

static enum veil_status make_room(
	struct kv_packs *p, const struct silent_collection *c, size_t *limit, struct veil_error *err)
{
	*limit = HEAD_BYTES + RECORD_BYTES;
	for (unsigned t = 0; t < silent_collection_tables(c); t++) {
		const uint32_t packs = silent_collection_table(c, t).table->packs;

		p->done[t] = calloc(packs, sizeof **p->done);
		if (!p->done[t])
			return error_set(err, VEIL_E_NOMEM, "out of memory for %u packs", packs);
		*limit += (size_t)2 * packs * RECORD_BYTES; /* a pack may have been written again */
	}
	return VEIL_OK;
}

enum veil_status kv_packs_open(
	struct kv_packs *p, struct store_building *at, struct store_kv_manifest *m, struct veil_error *err)
{
	uint8_t head[HEAD_BYTES], *data = NULL;
	struct bytes part = {head, sizeof head};
	size_t size = 0, limit;
	enum veil_status st = make_room(p, &m->collection, &limit, err);
	bool ours = false;

	memcpy(head, magic, sizeof magic);
	if (st == VEIL_OK)
		st = hash_shape(head + sizeof magic, &m->collection, err);
	if (st != VEIL_OK)
		return st;
	if (store_building_left(at, err) == VEIL_OK && store_exists(&at->files, PACKS) &&
		store_file_read(&data, &size, &at->files, PACKS, limit, err) == VEIL_OK)
		ours = size >= HEAD_BYTES && memcmp(data, head, HEAD_BYTES) == 0;
	if (ours)
		read_records(p, m, data, size - (size - HEAD_BYTES) % RECORD_BYTES);
	/* A record that was cut off ends the file: what is added must not begin in it. */
	if (ours && (size - HEAD_BYTES) % RECORD_BYTES)
		st = store_file_replace(
			&at->files, PACKS, data, size - (size - HEAD_BYTES) % RECORD_BYTES, err);
	free(data);
	if (ours)
		return st;
	st = store_building_empty(at, err);
	return st == VEIL_OK ? store_file_write(&at->files, PACKS, &part, 1, err) : st;
}

static bool is_file(const struct store_building *at, const struct store_kv_manifest *m,
	enum store_kv_file file, unsigned t, uint32_t pack, const uint8_t hash[HASH_BYTES])
{
	struct store_map map = {0};
	char name[STORE_KV_NAME_SIZE];
	enum veil_status st;

	store_kv_name(name, file, t, pack);
	st = store_map_file(&map, &at->files, name, store_kv_bytes(&m->collection, file, t), hash, NULL);
	store_map_clear(&map);
	return st == VEIL_OK;
}

bool kv_packs_whole(const struct kv_packs *p, const struct store_building *at,
	const struct store_kv_manifest *m, unsigned t, uint32_t pack, const uint8_t table_hash[HASH_BYTES])
{
	const struct store_kv_pack *hashes = &m->pack[t][pack];

	return p->done[t][pack] && memcmp(hashes->table_hash, table_hash, HASH_BYTES) == 0 &&
	       is_file(at, m, STORE_KV_TABLE, t, pack, hashes->table_hash) &&
	       is_file(at, m, STORE_KV_MATERIAL, t, pack, hashes->material_hash);
}

enum veil_status kv_packs_add(const struct store_building *at, unsigned t, uint32_t pack,
	const struct store_kv_pack *hashes, struct veil_error *err)
{
	uint8_t record[RECORD_BYTES];

	store_le32(record, t);
	store_le32(record + 4, pack);
	memcpy(record + 8, hashes->table_hash, HASH_BYTES);
	memcpy(record + 8 + HASH_BYTES, hashes->material_hash, HASH_BYTES);
	return store_file_append(&at->files, PACKS, record, sizeof record, err);
}

enum veil_status kv_packs_end(const struct store_building *at, struct veil_error *err)
{
	return store_file_remove(&at->files, PACKS, err);
}

void kv_packs_clear(struct kv_packs *p)
{
	for (unsigned t = 0; t < SILENT_MAX_TABLES; t++)
		free(p->done[t]);
	memset(p, 0, sizeof *p);
}
