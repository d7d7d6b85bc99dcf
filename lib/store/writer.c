/* SPDX-License-Identifier: Apache-2.0 */
#include "store/writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/require.h"
#include "store/building.h"
#include "store/format.h"
#include "store/index.h"
#include "store/manifest.h"
#include "store/unfinished.h"

struct store_writer {
	struct store_building at;
	bool resumable;
	bool saved; /* the codebook is there */
	uint8_t key[HASH_BYTES];
	struct store_manifest manifest;
	bool *done; /* [shards] */
	uint64_t bytes;
};

/* Is what lies in `building` ours to go on with? Whatever is wrong with it: it can be built again. */
static enum veil_status find_left(struct store_writer *w, enum store_left *left,
	struct index_codebook *codebook, struct veil_error *err)
{
	enum veil_status st = store_building_left(&w->at, err);

	if (st == VEIL_OK)
		st = store_unfinished_read(codebook, w->manifest.codebook_hash, &w->at.files, w->key, err);
	if (st == VEIL_OK) {
		w->saved = true;
		*left = STORE_LEFT_CODEBOOK;
		w->bytes = index_codebook_bytes(codebook->shards, codebook->dim);
	} else if (st == VEIL_E_CORRUPT) {
		*left = STORE_LEFT_OTHER;
	}
	if (st == VEIL_E_CORRUPT || st == VEIL_E_NOT_FOUND)
		st = VEIL_OK;
	return st;
}

enum veil_status store_writer_resume(struct store_writer **out, const char *dir,
	const uint8_t key[HASH_BYTES], enum store_left *left, struct index_codebook *codebook,
	struct veil_error *err)
{
	struct store_writer *w = calloc(1, sizeof *w);
	enum veil_status st;

	*out = NULL;
	*left = STORE_LEFT_NOTHING;
	memset(codebook, 0, sizeof *codebook);
	if (!w)
		return error_set(err, VEIL_E_NOMEM, "%s: out of memory", dir);
	w->at = (struct store_building)STORE_BUILDING_NONE;
	w->resumable = key;
	if (key)
		memcpy(w->key, key, HASH_BYTES);
	st = store_building_lock(&w->at, dir, err);
	if (st == VEIL_OK && key)
		st = find_left(w, left, codebook, err);
	if (st == VEIL_OK && !w->saved)
		st = store_building_empty(&w->at, err);
	if (st == VEIL_OK) {
		*out = w;
		return VEIL_OK;
	}
	index_codebook_clear(codebook);
	store_writer_destroy(w);
	return st;
}

enum veil_status store_writer_create(struct store_writer **out, const char *dir, struct veil_error *err)
{
	struct index_codebook none;
	enum store_left left;

	return store_writer_resume(out, dir, NULL, &left, &none, err);
}

static enum veil_status put_file(struct store_writer *w, const char *name, const struct bytes *parts,
	size_t count, uint8_t sha256[HASH_BYTES], struct veil_error *err)
{
	for (size_t i = 0; i < count; i++)
		w->bytes += parts[i].size;
	return store_building_put(&w->at, name, parts, count, sha256, err);
}

static enum veil_status put_codebook(
	struct store_writer *w, const struct index_codebook *codebook, struct veil_error *err)
{
	size_t size = index_codebook_bytes(codebook->shards, codebook->dim);
	uint8_t *data = malloc(size);
	struct bytes part = {data, size};
	enum veil_status st;

	if (!data)
		return error_set(err, VEIL_E_NOMEM, "%s: out of memory for the codebook", w->at.dir.path);
	index_codebook_write(codebook, data);
	st = put_file(w, STORE_CODEBOOK, &part, 1, w->manifest.codebook_hash, err);
	free(data);
	return st;
}

enum veil_status store_writer_save(
	struct store_writer *w, const struct index_codebook *codebook, struct veil_error *err)
{
	enum veil_status st;

	REQUIRE(w->resumable && !w->saved);
	st = put_codebook(w, codebook, err);
	if (st == VEIL_OK)
		st = store_unfinished_write(&w->at.files, w->key, w->manifest.codebook_hash, err);
	w->saved = st == VEIL_OK;
	return st;
}

static enum veil_status find_shards(
	struct store_writer *w, const uint8_t key[HASH_BYTES], struct veil_error *err)
{
	struct store_manifest *m = &w->manifest;
	enum veil_status st = store_unfinished_shards(w->done, m, &w->at.files, key, err);

	for (uint32_t i = 0; st == VEIL_OK && i < m->shards; i++) {
		if (!w->done[i])
			continue;
		w->bytes += store_table_bytes(m->spec.rows, m->spec.dim);
		w->bytes += m->label_bytes ? store_table_bytes(m->spec.rows, m->label_bytes) : 0;
	}
	return st;
}

enum veil_status store_writer_begin(struct store_writer *w, const struct store_plan *plan,
	const struct index_codebook *codebook, struct veil_error *err)
{
	struct store_manifest *m = &w->manifest;

	REQUIRE(!w->done && plan->spec.params);
	REQUIRE(codebook->shards == plan->shards && codebook->dim == plan->spec.dim);
	m->spec = plan->spec;
	m->shards = plan->shards;
	m->label_bytes = plan->label_bytes;
	m->records = plan->records;
	m->sealed = plan->sealed;
	m->name = strdup(plan->name);
	m->shard = calloc(plan->shards, sizeof *m->shard);
	w->done = calloc(plan->shards, sizeof *w->done);
	if (!m->name || !m->shard || !w->done)
		return error_set(
			err, VEIL_E_NOMEM, "%s: out of memory for %u shards", w->at.dir.path, plan->shards);
	REQUIRE(w->saved == w->resumable);
	return w->saved ? find_shards(w, plan->key, err) : put_codebook(w, codebook, err);
}

static enum veil_status put_table(struct store_writer *w, const struct store_header *header, const void *data,
	uint8_t hash[HASH_BYTES], struct veil_error *err)
{
	uint8_t head[STORE_HEADER_BYTES];
	struct bytes parts[2] = {{head, sizeof head}, {data, (size_t)header->rows * header->width}};
	char name[STORE_NAME_SIZE];

	store_header_write(head, header);
	store_table_name(name, header->table, header->shard);
	return put_file(w, name, parts, 2, hash, err);
}

enum veil_status store_writer_shard(struct store_writer *w, uint32_t shard, const int8_t *rows,
	const uint8_t *labels, uint32_t used, struct veil_error *err)
{
	struct store_manifest *m = &w->manifest;
	struct store_header header = {STORE_ROWS, shard, m->spec.rows, m->spec.dim, used};
	enum veil_status st;

	REQUIRE(w->done && shard < m->shards && !w->done[shard] && used <= m->spec.rows);
	st = put_table(w, &header, rows, m->shard[shard].rows_hash, err);
	header.table = STORE_LABELS;
	header.width = m->label_bytes;
	if (st == VEIL_OK && m->label_bytes)
		st = put_table(w, &header, labels, m->shard[shard].labels_hash, err);
	m->shard[shard].used = used;
	if (st == VEIL_OK && w->resumable)
		st = store_unfinished_add(&w->at.files, shard, m->shard + shard, err);
	w->done[shard] = st == VEIL_OK;
	return st;
}

bool store_writer_has(const struct store_writer *w, uint32_t shard)
{
	REQUIRE(w->done && shard < w->manifest.shards);
	return w->done[shard];
}

static enum veil_status put_manifest(struct store_writer *w, uint8_t id[HASH_BYTES], struct veil_error *err)
{
	enum veil_status st = store_manifest_check(&w->manifest, STORE_MANIFEST, err);
	struct bytes part;
	size_t size = 0;
	char *text;

	if (st != VEIL_OK)
		return st;
	if (store_manifest_write(&text, &size, &w->manifest) != VEIL_OK)
		return error_set(err, VEIL_E_NOMEM, "%s: out of memory for the manifest", w->at.dir.path);
	part = (struct bytes){(const uint8_t *)text, size};
	st = put_file(w, STORE_MANIFEST, &part, 1, id, err);
	free(text);
	return st;
}

static bool is_whole(void *state, const char *path)
{
	struct store_index *old;
	struct veil_error ignored;
	enum veil_status st = store_index_open(&old, path, &ignored);

	(void)state;
	store_index_close(old);
	return st == VEIL_OK;
}

enum veil_status store_writer_commit(
	struct store_writer *w, unsigned keep, uint8_t id[HASH_BYTES], struct veil_error *err)
{
	enum veil_status st;

	REQUIRE(w->done);
	for (uint32_t i = 0; i < w->manifest.shards; i++)
		REQUIRE(w->done[i]);
	st = put_manifest(w, id, err);
	if (st == VEIL_OK && w->resumable)
		st = store_unfinished_end(&w->at.files, err);
	return st == VEIL_OK ? store_building_commit(&w->at, id, keep, is_whole, NULL, err) : st;
}

uint64_t store_writer_bytes(const struct store_writer *w)
{
	return w->bytes;
}

void store_writer_destroy(struct store_writer *w)
{
	if (!w)
		return;
	store_building_end(&w->at);
	store_manifest_clear(&w->manifest);
	free(w->done);
	free(w);
}
