/* SPDX-License-Identifier: Apache-2.0 */
#include "store/opening.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "store/format.h"

enum veil_status store_map_file(struct store_map *map, const struct store_dir *dir, const char *name,
	uint64_t size, const uint8_t want[HASH_BYTES], struct veil_error *err)
{
	uint8_t hash[HASH_BYTES];
	enum veil_status st = store_file_map(&map->data, size, dir, name, err);

	if (st != VEIL_OK)
		return st;
	map->size = size;
	hash_sha256(hash, map->data, (size_t)size);
	if (memcmp(hash, want, HASH_BYTES) != 0)
		return error_set(err, VEIL_E_CORRUPT,
			"%s/%s: corrupt: its SHA-256 is not that of the manifest", dir->path, name);
	return VEIL_OK;
}

void store_map_clear(struct store_map *map)
{
	if (map->data)
		munmap((void *)(uintptr_t)map->data, (size_t)map->size);
	map->data = NULL;
}

enum veil_status store_opening_check(
	const uint8_t id[HASH_BYTES], const struct store_dir *dir, struct veil_error *err)
{
	char want[STORE_NAME_SIZE], *real = realpath(dir->path, NULL);
	const char *name = real ? strrchr(real, '/') : NULL;
	enum veil_status st = VEIL_OK;

	store_version_name(want, id);
	if (!name || strcmp(name + 1, want) != 0)
		st = error_set(err, VEIL_E_CORRUPT,
			"%s/%s: corrupt: its SHA-256 is that of version %s, not of %s", dir->path,
			STORE_MANIFEST, want, name ? name + 1 : dir->path);
	free(real);
	return st;
}

enum veil_status store_opening_manifest(uint8_t **data, size_t *size, char **label, uint8_t id[HASH_BYTES],
	const struct store_dir *version, struct veil_error *err)
{
	enum veil_status st;

	*label = NULL;
	st = store_file_read(data, size, version, STORE_MANIFEST, STORE_MAX_MANIFEST_BYTES, err);
	if (st != VEIL_OK)
		return st;
	hash_sha256(id, *data, *size);
	if (asprintf(label, "%s/%s", version->path, STORE_MANIFEST) < 0) {
		*label = NULL;
		st = error_set(err, VEIL_E_NOMEM, "%s: out of memory", version->path);
	}
	return st;
}

static enum veil_status open_current(const struct store_dir *dir,
	enum veil_status (*open)(void *arg, const struct store_dir *version, struct veil_error *err),
	void *arg, struct veil_error *err)
{
	char name[STORE_NAME_SIZE], tried[STORE_NAME_SIZE] = "";
	struct store_dir version;
	struct veil_error again;
	enum veil_status st = VEIL_E_IO;

	for (;;) {
		enum veil_status named = store_current_read(name, dir, tried[0] ? &again : err);

		if (named != VEIL_OK)
			return tried[0] ? st : named;
		if (strcmp(name, tried) == 0)
			return st;
		memcpy(tried, name, sizeof tried);
		st = store_dir_open(&version, dir, name, err);
		if (st == VEIL_E_NOT_FOUND)
			st = error_set(err, VEIL_E_CORRUPT, "%s/%s: missing, though %s names it", dir->path,
				name, STORE_CURRENT);
		if (st == VEIL_OK)
			st = open(arg, &version, err);
		store_dir_close(&version);
		if (st == VEIL_OK || st == VEIL_E_TIMEOUT)
			return st;
	}
}

enum veil_status store_opening_run(const char *path,
	enum veil_status (*open)(void *arg, const struct store_dir *version, struct veil_error *err),
	void *arg, struct veil_error *err)
{
	struct store_dir dir;
	enum veil_status st = store_dir_open(&dir, NULL, path, err);

	if (st != VEIL_OK)
		return st;
	if (store_exists(&dir, STORE_CURRENT))
		st = open_current(&dir, open, arg, err);
	else if (store_exists(&dir, STORE_MANIFEST))
		st = open(arg, &dir, err);
	else
		st = error_set(err, VEIL_E_NOT_FOUND, "%s: no index: neither %s nor %s in it", path,
			STORE_CURRENT, STORE_MANIFEST);
	store_dir_close(&dir);
	return st;
}
