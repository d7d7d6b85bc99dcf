/* SPDX-License-Identifier: Apache-2.0 */
#include "store/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "index/codebook.h"
#include "store/file.h"
#include "store/format.h"
#include "store/manifest.h"
#include "store/opening.h"

struct store_files {
	struct store_map codebook;
	struct store_map *rows; /* [shards] */
	struct store_map *labels; /* [shards] */
};

/* Who may break off what takes long. */
struct opening {
	struct store_index **out;
	bool (*go_on)(void *state);
	void *state;
};

static bool always(void *state)
{
	(void)state;
	return true;
}

static enum veil_status map_table(struct store_map *map, const struct store_dir *dir,
	const struct store_header *header, const uint8_t want[HASH_BYTES], struct veil_error *err)
{
	char name[STORE_NAME_SIZE], why[96];
	enum veil_status st;

	store_table_name(name, header->table, header->shard);
	st = store_map_file(map, dir, name, store_table_bytes(header->rows, header->width), want, err);
	if (st == VEIL_OK && !store_header_check(map->data, header, why, sizeof why))
		st = error_set(err, VEIL_E_CORRUPT, "%s/%s: %s", dir->path, name, why);
	/* It was read to be checked, not to stay: a process is not to look as large as its index. */
	if (st == VEIL_OK)
		madvise((void *)(uintptr_t)map->data, (size_t)map->size, MADV_DONTNEED);
	return st;
}

static enum veil_status map_shard(struct store_index *index, uint32_t i, const struct store_entry *entry,
	const struct store_dir *dir, struct veil_error *err)
{
	struct store_header header = {STORE_ROWS, i, index->spec.rows, index->spec.dim, entry->used};
	struct store_shard *shard = index->shard + i;
	enum veil_status st;

	st = map_table(index->files->rows + i, dir, &header, entry->rows_hash, err);
	if (st != VEIL_OK)
		return st;
	shard->rows = (const int8_t *)index->files->rows[i].data + STORE_HEADER_BYTES;
	shard->used = entry->used;
	if (index->label_bytes == 0)
		return VEIL_OK;
	header.table = STORE_LABELS;
	header.width = index->label_bytes;
	st = map_table(index->files->labels + i, dir, &header, entry->labels_hash, err);
	if (st == VEIL_OK)
		shard->labels = index->files->labels[i].data + STORE_HEADER_BYTES;
	return st;
}

static enum veil_status map_codebook(struct store_index *index, const uint8_t want[HASH_BYTES],
	const struct store_dir *dir, struct veil_error *err)
{
	struct index_codebook cb;
	struct veil_error why;
	enum veil_status st;

	index->codebook_size = index_codebook_bytes(index->shards, index->spec.dim);
	st = store_map_file(&index->files->codebook, dir, STORE_CODEBOOK, index->codebook_size, want, err);
	if (st != VEIL_OK)
		return st;
	index->codebook = index->files->codebook.data;
	memcpy(index->codebook_hash, want, HASH_BYTES);
	st = index_codebook_read(&cb, index->codebook, index->codebook_size, &why);
	if (st == VEIL_OK && (cb.shards != index->shards || cb.dim != index->spec.dim))
		st = error_set(&why, VEIL_E_CORRUPT, "not of as many shards and dimensions as the manifest");
	if (st != VEIL_OK)
		st = error_set(err, st == VEIL_E_MALFORMED ? VEIL_E_CORRUPT : st, "%s/%s: %.300s", dir->path,
			STORE_CODEBOOK, why.text);
	index_codebook_clear(&cb);
	return st;
}

static enum veil_status allocate(struct store_index *index, struct veil_error *err)
{
	size_t n = index->shards;

	index->shard = calloc(n, sizeof *index->shard);
	index->files = calloc(1, sizeof *index->files);
	if (index->files) {
		index->files->rows = calloc(n, sizeof *index->files->rows);
		index->files->labels = calloc(n, sizeof *index->files->labels);
	}
	if (!index->shard || !index->files || !index->files->rows || !index->files->labels)
		return error_set(err, VEIL_E_NOMEM, "out of memory for %zu shards", n);
	return VEIL_OK;
}

static enum veil_status read_manifest(
	struct store_manifest *m, uint8_t id[HASH_BYTES], const struct store_dir *dir, struct veil_error *err)
{
	enum veil_status st;
	uint8_t *data;
	size_t size;
	char *label;

	st = store_opening_manifest(&data, &size, &label, id, dir, err);
	if (st == VEIL_OK)
		st = store_manifest_read(m, data, size, label, err);
	if (st == VEIL_OK)
		st = store_opening_check(id, dir, err);
	free(label);
	free(data);
	return st;
}

static enum veil_status open_version(void *arg, const struct store_dir *dir, struct veil_error *err)
{
	const struct opening *o = arg;
	struct store_manifest m = {0};
	struct store_index *index = calloc(1, sizeof *index);
	enum veil_status st = index ? VEIL_OK : error_set(err, VEIL_E_NOMEM, "%s: out of memory", dir->path);

	if (st == VEIL_OK)
		st = read_manifest(&m, index->id, dir, err);
	if (st != VEIL_OK)
		goto out;
	index->name = m.name;
	m.name = NULL;
	index->spec = m.spec;
	index->shards = m.shards;
	index->label_bytes = m.label_bytes;
	index->records = m.records;
	index->sealed = m.sealed;
	st = allocate(index, err);
	if (st == VEIL_OK)
		st = map_codebook(index, m.codebook_hash, dir, err);
	for (uint32_t i = 0; st == VEIL_OK && i < m.shards; i++)
		st = o->go_on(o->state)
			     ? map_shard(index, i, m.shard + i, dir, err)
			     : error_set(err, VEIL_E_TIMEOUT, "%s: told to stop after %u of %u shards",
				       dir->path, (unsigned)i, (unsigned)m.shards);
out:
	store_manifest_clear(&m);
	if (st != VEIL_OK)
		store_index_close(index);
	else
		*o->out = index;
	return st;
}

enum veil_status store_index_open_while(struct store_index **out, const char *path,
	bool (*go_on)(void *state), void *state, struct veil_error *err)
{
	struct opening o = {out, go_on, state};

	*out = NULL;
	return store_opening_run(path, open_version, &o, err);
}

enum veil_status store_index_open(struct store_index **out, const char *path, struct veil_error *err)
{
	return store_index_open_while(out, path, always, NULL, err);
}

void store_index_close(struct store_index *index)
{
	if (!index)
		return;
	if (index->files) {
		store_map_clear(&index->files->codebook);
		for (uint32_t i = 0; i < index->shards; i++) {
			if (index->files->rows)
				store_map_clear(index->files->rows + i);
			if (index->files->labels)
				store_map_clear(index->files->labels + i);
		}
		free(index->files->rows);
		free(index->files->labels);
	}
	free(index->files);
	free(index->shard);
	free(index->name);
	free(index);
}
