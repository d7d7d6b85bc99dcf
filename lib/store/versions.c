/* SPDX-License-Identifier: Apache-2.0 */
#include "store/versions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* `current` first, then the lines of `previous`. */
struct versions {
	char name[1 + STORE_MAX_KEEP][STORE_NAME_SIZE];
	unsigned count;
};

static bool has(const struct versions *v, const char *name)
{
	for (unsigned i = 0; i < v->count; i++)
		if (strcmp(v->name[i], name) == 0)
			return true;
	return false;
}

static void add(struct versions *v, const char *name)
{
	if (v->count < 1 + STORE_MAX_KEEP && !has(v, name))
		snprintf(v->name[v->count++], STORE_NAME_SIZE, "%s", name);
}

/* A missing file adds nothing, nor does a damaged `previous`; a `current` that cannot be told is an error:
 * whoever removes what these do not name must not take a failed read for an empty list. */
static enum veil_status read_versions(struct versions *v, const struct store_dir *dir, struct veil_error *err)
{
	char name[STORE_NAME_SIZE];
	enum veil_status st = VEIL_OK;
	uint8_t *data = NULL;
	size_t size = 0;

	v->count = 0;
	if (store_exists(dir, STORE_CURRENT)) {
		st = store_current_read(name, dir, err);
		if (st != VEIL_OK)
			return st;
		add(v, name);
	}
	if (store_exists(dir, STORE_PREVIOUS))
		st = store_file_read(&data, &size, dir, STORE_PREVIOUS, STORE_MAX_KEEP * 18, err);
	for (size_t at = 0; at + 18 <= size; at += 18) {
		snprintf(name, sizeof name, "%.17s", (const char *)data + at);
		if (store_version_name_ok(name, strlen(name)))
			add(v, name);
	}
	free(data);
	return st == VEIL_E_CORRUPT ? VEIL_OK : st;
}

enum veil_status store_versions_previous(
	char name[STORE_NAME_SIZE], const struct store_dir *dir, struct veil_error *err)
{
	struct versions v;
	enum veil_status st = read_versions(&v, dir, err);

	if (st == VEIL_OK && (v.count < 2 || !store_exists(dir, STORE_CURRENT)))
		st = error_set(
			err, VEIL_E_NOT_FOUND, "%s: no version is kept but the one in force", dir->path);
	if (st == VEIL_OK)
		snprintf(name, STORE_NAME_SIZE, "%s", v.name[1]);
	return st;
}

/* Calls visit(dir, name, arg, err) for each entry until one fails. */
static enum veil_status for_each(const struct store_dir *dir,
	enum veil_status (*visit)(
		const struct store_dir *dir, const char *name, void *arg, struct veil_error *err),
	void *arg, struct veil_error *err)
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	enum veil_status st = VEIL_OK;
	struct dirent *entry;

	if (!list) {
		st = error_set(err, VEIL_E_IO, "%s: %s", dir->path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return st;
	}
	while (st == VEIL_OK && (entry = readdir(list)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			st = visit(dir, entry->d_name, arg, err);
	closedir(list);
	return st;
}

static enum veil_status check_entry(
	const struct store_dir *dir, const char *name, void *arg, struct veil_error *err)
{
	static const char *const ours[] = {STORE_CURRENT, STORE_CURRENT ".new", STORE_PREVIOUS,
		STORE_PREVIOUS ".new", STORE_LOCK, STORE_BUILDING};

	(void)arg;
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (strcmp(name, ours[i]) == 0)
			return VEIL_OK;
	if (store_version_name_ok(name, strlen(name)))
		return VEIL_OK;
	return error_set(err, VEIL_E_INVALID,
		"%s: holds \"%s\", which is not of an index; give a directory of its own", dir->path, name);
}

enum veil_status store_versions_check(const struct store_dir *dir, struct veil_error *err)
{
	return for_each(dir, check_entry, NULL, err);
}

/* Versions that nothing names. */
struct orphans {
	const struct versions *named;
	char name[STORE_NAME_SIZE]; /* one of them */
	unsigned count;
};

static enum veil_status find_orphan(
	const struct store_dir *dir, const char *name, void *arg, struct veil_error *err)
{
	struct orphans *o = arg;

	(void)dir, (void)err;
	if (store_version_name_ok(name, strlen(name)) && !has(o->named, name)) {
		snprintf(o->name, sizeof o->name, "%s", name);
		o->count++;
	}
	return VEIL_OK;
}

/* A version has its name since it is whole. Without `current`, which was lost or which a dead writer had not
 * yet come to, one alone is the one in force; of several nobody can tell. */
static enum veil_status restore_current(
	const struct store_dir *dir, struct versions *v, struct veil_error *err)
{
	struct orphans o = {.named = v};
	char line[STORE_NAME_SIZE + 1];
	enum veil_status st = for_each(dir, find_orphan, &o, err);

	if (st != VEIL_OK || o.count == 0)
		return st;
	if (o.count > 1)
		return error_set(err, VEIL_E_INVALID,
			"%s: holds %u versions, %s and others, but no file \"" STORE_CURRENT
			"\": write the name of the one to keep into it, or remove them",
			dir->path, o.count, o.name);
	snprintf(line, sizeof line, "%s\n", o.name);
	add(v, o.name);
	return store_file_replace(dir, STORE_CURRENT, line, strlen(line), err);
}

static enum veil_status prune_entry(
	const struct store_dir *dir, const char *name, void *arg, struct veil_error *err)
{
	if (!store_version_name_ok(name, strlen(name)) || has(arg, name))
		return VEIL_OK;
	return store_dir_remove(dir, name, err);
}

enum veil_status store_versions_prune(const struct store_dir *dir, struct veil_error *err)
{
	static const char *const fresh[] = {STORE_CURRENT ".new", STORE_PREVIOUS ".new"};
	struct versions v;
	enum veil_status st;

	for (size_t i = 0; i < sizeof fresh / sizeof *fresh; i++)
		if (unlinkat(dir->fd, fresh[i], 0) != 0 && errno != ENOENT)
			return error_set(err, VEIL_E_IO, "%s/%s: cannot be removed: %s", dir->path, fresh[i],
				strerror(errno));
	st = read_versions(&v, dir, err);
	if (st == VEIL_E_CORRUPT)
		return VEIL_OK; /* `current` is damaged: any version may be the one that is wanted */
	if (st == VEIL_OK && !store_exists(dir, STORE_CURRENT))
		st = restore_current(dir, &v, err);
	return st == VEIL_OK ? for_each(dir, prune_entry, &v, err) : st;
}

/* `previous` goes first: should we be cut off before `current` follows, it merely repeats what `current`
 * names. */
enum veil_status store_versions_replace(
	const struct store_dir *dir, const char *name, unsigned keep, struct veil_error *err)
{
	char text[STORE_MAX_KEEP * 18 + 1], line[STORE_NAME_SIZE];
	struct versions v;
	enum veil_status st;
	size_t size = 0;

	st = read_versions(&v, dir, err);
	if (st != VEIL_OK && st != VEIL_E_CORRUPT)
		return st;
	for (unsigned i = 0; i < v.count && size < keep * (size_t)18; i++)
		if (strcmp(v.name[i], name) != 0)
			size += (size_t)snprintf(text + size, sizeof text - size, "%s\n", v.name[i]);
	st = store_file_replace(dir, STORE_PREVIOUS, text, size, err);
	if (st != VEIL_OK)
		return st;
	snprintf(line, sizeof line, "%s\n", name);
	return store_file_replace(dir, STORE_CURRENT, line, strlen(line), err);
}
