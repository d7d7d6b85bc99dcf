/* SPDX-License-Identifier: Apache-2.0 */
#include "store/building.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/require.h"
#include "store/versions.h"

/* Creates the directory if need be, so that it is still there after a power cut. */
static enum veil_status make_dir(const char *path, struct veil_error *err)
{
	struct store_dir parent;
	enum veil_status st;
	char *copy;

	if (mkdir(path, 0755) != 0)
		return errno == EEXIST ? VEIL_OK : error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	copy = strdup(path);
	if (!copy)
		return error_set(err, VEIL_E_NOMEM, "%s: out of memory", path);
	st = store_dir_open(&parent, NULL, dirname(copy), err);
	if (st == VEIL_OK)
		st = store_dir_sync(&parent, err);
	store_dir_close(&parent);
	free(copy);
	return st;
}

/* b->lock stays -1 unless the lock is ours. */
static enum veil_status take_lock(struct store_building *b, struct veil_error *err)
{
	enum veil_status st;

	b->lock = openat(b->dir.fd, STORE_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (b->lock < 0)
		return error_set(err, VEIL_E_IO, "%s/%s: %s", b->dir.path, STORE_LOCK, strerror(errno));
	if (flock(b->lock, LOCK_EX | LOCK_NB) == 0)
		return VEIL_OK;
	if (errno == EWOULDBLOCK)
		st = error_set(err, VEIL_E_BUSY, "%s: another build is at work in it", b->dir.path);
	else
		st = error_set(err, VEIL_E_IO, "%s/%s: %s", b->dir.path, STORE_LOCK, strerror(errno));
	close(b->lock);
	b->lock = -1;
	return st;
}

enum veil_status store_building_lock(struct store_building *b, const char *dir, struct veil_error *err)
{
	enum veil_status st;

	*b = (struct store_building)STORE_BUILDING_NONE;
	st = make_dir(dir, err);
	if (st == VEIL_OK)
		st = store_dir_open(&b->dir, NULL, dir, err);
	if (st == VEIL_OK)
		st = store_versions_check(&b->dir, err);
	if (st == VEIL_OK)
		st = take_lock(b, err);
	return st == VEIL_OK ? store_versions_prune(&b->dir, err) : st;
}

enum veil_status store_building_left(struct store_building *b, struct veil_error *err)
{
	return store_dir_open(&b->files, &b->dir, STORE_BUILDING, err);
}

enum veil_status store_building_empty(struct store_building *b, struct veil_error *err)
{
	enum veil_status st;

	store_dir_close(&b->files);
	st = store_dir_remove(&b->dir, STORE_BUILDING, err);
	if (st == VEIL_OK && mkdirat(b->dir.fd, STORE_BUILDING, 0755) != 0)
		st = error_set(err, VEIL_E_IO, "%s/%s: %s", b->dir.path, STORE_BUILDING, strerror(errno));
	return st == VEIL_OK ? store_building_left(b, err) : st;
}

enum veil_status store_building_put(const struct store_building *b, const char *name,
	const struct bytes *parts, size_t count, uint8_t sha256[HASH_BYTES], struct veil_error *err)
{
	struct hash *hash = hash_create();

	if (!hash)
		return error_set(err, VEIL_E_NOMEM, "%s/%s: out of memory", b->files.path, name);
	for (size_t i = 0; i < count; i++)
		hash_add(hash, parts[i].data, parts[i].size);
	hash_end(hash, sha256);
	hash_destroy(hash);
	return store_file_write(&b->files, name, parts, count, err);
}

static enum veil_status settle(struct store_building *b, const char *name,
	bool (*whole)(void *state, const char *path), void *state, struct veil_error *err)
{
	enum veil_status st = VEIL_OK;
	bool there = false;
	char *path;

	if (store_exists(&b->dir, name)) {
		if (asprintf(&path, "%s/%s", b->dir.path, name) < 0)
			return error_set(err, VEIL_E_NOMEM, "%s: out of memory", b->dir.path);
		there = whole(state, path);
		free(path);
		st = there ? VEIL_OK : store_dir_remove(&b->dir, name, err);
	}
	if (st != VEIL_OK || there)
		return st;
	if (renameat(b->dir.fd, STORE_BUILDING, b->dir.fd, name) != 0)
		return error_set(err, VEIL_E_IO, "%s/%s: %s", b->dir.path, name, strerror(errno));
	return store_dir_sync(&b->dir, err);
}

enum veil_status store_building_commit(struct store_building *b, const uint8_t id[HASH_BYTES], unsigned keep,
	bool (*whole)(void *state, const char *path), void *state, struct veil_error *err)
{
	char name[STORE_NAME_SIZE];
	struct veil_error why;
	enum veil_status st;

	REQUIRE(keep <= STORE_MAX_KEEP);
	st = store_dir_sync(&b->files, err);
	store_version_name(name, id);
	if (st == VEIL_OK)
		st = settle(b, name, whole, state, err);
	if (st == VEIL_OK)
		st = store_versions_replace(&b->dir, name, keep, err);
	if (st != VEIL_OK)
		return st;
	st = store_versions_prune(&b->dir, &why);
	if (st != VEIL_OK)
		return error_set(
			err, st, "version %s is in force, but old files stay: %.300s", name, why.text);
	return VEIL_OK;
}

void store_building_end(struct store_building *b)
{
	struct veil_error ignored;

	store_dir_close(&b->files);
	if (b->lock >=
		0) { /* only the holder of the lock may clear up; a failure is left to the next writer */
		if (store_dir_remove(&b->dir, STORE_BUILDING, &ignored) != VEIL_OK)
			fprintf(stderr, "%s\n", ignored.text);
		close(b->lock);
	}
	b->lock = -1;
	store_dir_close(&b->dir);
}
