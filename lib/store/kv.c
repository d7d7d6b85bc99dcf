/* SPDX-License-Identifier: Apache-2.0 */
#include "store/kv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "store/format.h"
#include "store/manifest_kv.h"
#include "store/opening.h"
#include "store/versions.h"

struct store_kv_files {
	struct store_map *tables[SILENT_MAX_TABLES], *materials[SILENT_MAX_TABLES]; /* [packs] */
	struct store_map constants[SILENT_MAX_TABLES];
};

struct opening {
	struct store_kv **out;
	const struct store_kv_options *options;
	const struct store_dir *dir;
	struct store_kv *kv;
	struct store_kv_manifest manifest;
};

/* The same bytes in memory of our own: fewer, larger pages to look up while a query reads all of it. */
static enum veil_status copy_huge(struct store_map *map, const char *name, struct veil_error *err)
{
	void *copy =
		mmap(NULL, (size_t)map->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED)
		return error_set(err, VEIL_E_NOMEM, "no memory for the %llu bytes of %s",
			(unsigned long long)map->size, name);
	madvise(copy, (size_t)map->size, MADV_HUGEPAGE); /* a wish */
	memcpy(copy, map->data, (size_t)map->size);
	mprotect(copy, (size_t)map->size, PROT_READ);
	store_map_clear(map);
	map->data = copy;
	return VEIL_OK;
}

static enum veil_status map_one(struct opening *o, struct store_map *map, enum store_kv_file file, unsigned t,
	uint32_t pack, const uint8_t hash[HASH_BYTES], struct veil_error *err)
{
	const uint64_t size = store_kv_bytes(&o->kv->collection, file, t);
	char name[STORE_KV_NAME_SIZE];
	enum veil_status st;

	store_kv_name(name, file, t, pack);
	if (o->options->go_on && !o->options->go_on(o->options->state))
		return error_set(err, VEIL_E_TIMEOUT, "%s: told to stop before %s", o->dir->path, name);
	st = store_map_file(map, o->dir, name, size, hash, err);
	if (st == VEIL_OK && o->options->huge && file != STORE_KV_STATIC)
		st = copy_huge(map, name, err);
	o->kv->bytes += size;
	return st;
}

static enum veil_status open_table(struct opening *o, unsigned t, struct veil_error *err)
{
	struct store_kv *kv = o->kv;
	struct store_kv_table *table = &kv->table[t];
	const struct silent_table *shape = silent_collection_table(&kv->collection, t).table;
	enum veil_status st = silent_collection_context(
		&table->ctx, &kv->collection, t, o->options->features, o->options->allow_insecure, err);

	if (st != VEIL_OK)
		return st;
	table->packs = calloc(shape->packs, sizeof *table->packs);
	kv->files->tables[t] = calloc(shape->packs, sizeof *kv->files->tables[t]);
	kv->files->materials[t] = calloc(shape->packs, sizeof *kv->files->materials[t]);
	if (!table->packs || !kv->files->tables[t] || !kv->files->materials[t])
		return error_set(
			err, VEIL_E_NOMEM, "%s: out of memory for %u packs", o->dir->path, shape->packs);
	for (uint32_t p = 0; p < shape->packs && st == VEIL_OK; p++) {
		struct store_map *bytes = &kv->files->tables[t][p], *material = &kv->files->materials[t][p];
		const struct store_kv_pack *hashes = &o->manifest.pack[t][p];

		st = map_one(o, bytes, STORE_KV_TABLE, t, p, hashes->table_hash, err);
		if (st == VEIL_OK)
			st = map_one(o, material, STORE_KV_MATERIAL, t, p, hashes->material_hash, err);
		if (st == VEIL_OK)
			table->packs[p] =
				silent_pack_view(table->ctx, (const int8_t *)bytes->data, material->data);
	}
	if (st == VEIL_OK)
		st = map_one(o, &kv->files->constants[t], STORE_KV_STATIC, t, 0, shape->static_hash, err);
	table->constants.data = kv->files->constants[t].data;
	table->constants.size = (size_t)kv->files->constants[t].size;
	return st;
}

static enum veil_status read_manifest(struct opening *o, uint8_t id[HASH_BYTES], struct veil_error *err)
{
	enum veil_status st;
	uint8_t *data;
	size_t size;
	char *label;

	st = store_opening_manifest(&data, &size, &label, id, o->dir, err);
	if (st == VEIL_OK)
		st = store_kv_manifest_read(&o->manifest, data, size, label, err);
	if (st == VEIL_OK)
		st = store_opening_check(id, o->dir, err);
	free(label);
	free(data);
	return st;
}

static enum veil_status open_version(void *arg, const struct store_dir *dir, struct veil_error *err)
{
	struct opening *o = arg;
	struct store_kv *kv = calloc(1, sizeof *kv);
	enum veil_status st = kv ? VEIL_OK : VEIL_E_NOMEM;

	o->kv = kv;
	o->dir = dir;
	memset(&o->manifest, 0, sizeof o->manifest);
	if (kv)
		kv->files = calloc(1, sizeof *kv->files);
	if (!kv || !kv->files)
		st = error_set(err, VEIL_E_NOMEM, "%s: out of memory", dir->path);
	if (st == VEIL_OK)
		st = read_manifest(o, kv->id, err);
	if (st == VEIL_OK) {
		kv->collection = o->manifest.collection;
		kv->tables = silent_collection_tables(&kv->collection);
	}
	for (unsigned t = 0; st == VEIL_OK && t < kv->tables; t++)
		st = open_table(o, t, err);
	store_kv_manifest_clear(&o->manifest);
	if (st == VEIL_OK)
		*o->out = kv;
	else
		store_kv_close(kv);
	return st;
}

enum veil_status store_kv_open(struct store_kv **out, const char *dir, const struct store_kv_options *options,
	struct veil_error *err)
{
	struct opening o = {.out = out, .options = options};

	*out = NULL;
	return store_opening_run(dir, open_version, &o, err);
}

enum veil_status store_kv_open_previous(struct store_kv **out, const char *path,
	const struct store_kv_options *options, struct veil_error *err)
{
	struct opening o = {.out = out, .options = options};
	struct store_dir dir = STORE_DIR_CLOSED, version = STORE_DIR_CLOSED;
	char name[STORE_NAME_SIZE];
	enum veil_status st;

	*out = NULL;
	st = store_dir_open(&dir, NULL, path, err);
	if (st == VEIL_OK)
		st = store_versions_previous(name, &dir, err);
	if (st == VEIL_OK)
		st = store_dir_open(&version, &dir, name, err);
	if (st == VEIL_OK)
		st = open_version(&o, &version, err);
	store_dir_close(&version);
	store_dir_close(&dir);
	return st;
}

static void clear_maps(struct store_map *maps, uint32_t count)
{
	for (uint32_t i = 0; maps && i < count; i++)
		store_map_clear(&maps[i]);
	free(maps);
}

void store_kv_close(struct store_kv *kv)
{
	if (!kv)
		return;
	for (unsigned t = 0; kv->files && t < kv->tables; t++) {
		const uint32_t packs = silent_collection_table(&kv->collection, t).table->packs;

		clear_maps(kv->files->tables[t], packs);
		clear_maps(kv->files->materials[t], packs);
		store_map_clear(&kv->files->constants[t]);
		free(kv->table[t].packs);
		silent_context_destroy(kv->table[t].ctx);
	}
	free(kv->files);
	free(kv);
}

static enum veil_status look(void *arg, const struct store_dir *version, struct veil_error *err)
{
	uint8_t id[HASH_BYTES], *data;
	char *label;
	size_t size;
	enum veil_status st = store_opening_manifest(&data, &size, &label, id, version, err);

	if (st == VEIL_OK)
		*(bool *)arg = store_kv_manifest_is(data, size);
	free(label);
	free(data);
	return st;
}

bool store_kv_is(const char *dir)
{
	struct veil_error ignored;
	bool is = false;

	return store_opening_run(dir, look, &is, &ignored) == VEIL_OK && is;
}
