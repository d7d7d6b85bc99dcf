/* SPDX-License-Identifier: Apache-2.0 */
#include "store/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

static enum veil_status fail(const struct store_dir *dir, const char *name, int error, struct veil_error *err)
{
	if (error == ENOENT)
		return error_set(err, VEIL_E_CORRUPT, "%s/%s: missing", dir->path, name);
	if (error == ELOOP)
		return error_set(err, VEIL_E_CORRUPT, "%s/%s: a symbolic link, which an index never has",
			dir->path, name);
	return error_set(err, VEIL_E_IO, "%s/%s: %s", dir->path, name, strerror(error));
}

enum veil_status store_dir_open(
	struct store_dir *dir, const struct store_dir *parent, const char *name, struct veil_error *err)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	struct store_dir got = STORE_DIR_CLOSED;

	*dir = got;
	if (parent ? asprintf(&got.path, "%s/%s", parent->path, name) < 0 : !(got.path = strdup(name))) {
		return error_set(err, VEIL_E_NOMEM, "%s: out of memory", name);
	}
	got.fd = parent ? openat(parent->fd, name, flags | O_NOFOLLOW) : open(name, flags);
	if (got.fd < 0) {
		enum veil_status st = VEIL_E_IO;

		if (errno == ENOENT)
			st = VEIL_E_NOT_FOUND;
		else if (errno == ELOOP || errno == ENOTDIR)
			st = VEIL_E_CORRUPT;
		error_set(err, st, "%s: %s", got.path,
			st == VEIL_E_CORRUPT ? "not a directory" : strerror(errno));
		free(got.path);
		return st;
	}
	*dir = got;
	return VEIL_OK;
}

void store_dir_close(struct store_dir *dir)
{
	if (dir->fd >= 0)
		close(dir->fd);
	free(dir->path);
	dir->fd = -1;
	dir->path = NULL;
}

bool store_exists(const struct store_dir *dir, const char *name)
{
	struct stat st;

	return fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

enum veil_status store_dir_sync(const struct store_dir *dir, struct veil_error *err)
{
	if (fsync(dir->fd) != 0)
		return error_set(err, VEIL_E_IO, "%s: %s", dir->path, strerror(errno));
	return VEIL_OK;
}

static enum veil_status remove_files(const struct store_dir *dir, struct veil_error *err)
{
	DIR *list;
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	enum veil_status st = VEIL_OK;

	list = fd < 0 ? NULL : fdopendir(fd);
	if (!list) {
		st = error_set(err, VEIL_E_IO, "%s: %s", dir->path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return st;
	}
	while (st == VEIL_OK && (entry = readdir(list))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dir->fd, entry->d_name, 0) != 0)
			st = error_set(err, VEIL_E_IO, "%s/%s: cannot be removed: %s", dir->path,
				entry->d_name, strerror(errno));
	}
	closedir(list);
	return st;
}

enum veil_status store_dir_remove(const struct store_dir *dir, const char *name, struct veil_error *err)
{
	struct store_dir gone = STORE_DIR_CLOSED;
	enum veil_status st = store_dir_open(&gone, dir, name, err);

	if (st == VEIL_E_NOT_FOUND)
		return VEIL_OK;
	if (st != VEIL_OK)
		return st;
	st = remove_files(&gone, err);
	if (st == VEIL_OK && unlinkat(dir->fd, name, AT_REMOVEDIR) != 0)
		st = error_set(err, VEIL_E_IO, "%s: cannot be removed: %s", gone.path, strerror(errno));
	store_dir_close(&gone);
	return st;
}

static enum veil_status open_regular(
	int *fd, uint64_t *size, const struct store_dir *dir, const char *name, struct veil_error *err)
{
	struct stat st;

	*fd = openat(dir->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (*fd < 0)
		return fail(dir, name, errno, err);
	if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*size = (uint64_t)st.st_size;
		return VEIL_OK;
	}
	close(*fd);
	*fd = -1;
	return error_set(err, VEIL_E_CORRUPT, "%s/%s: not a regular file", dir->path, name);
}

static enum veil_status read_all(int fd, uint8_t *out, size_t size, const struct store_dir *dir,
	const char *name, struct veil_error *err)
{
	while (size > 0) {
		ssize_t got = read(fd, out, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(dir, name, errno, err);
		if (got == 0)
			return error_set(
				err, VEIL_E_IO, "%s/%s: became shorter while it was read", dir->path, name);
		out += got;
		size -= (size_t)got;
	}
	return VEIL_OK;
}

enum veil_status store_file_read(uint8_t **data, size_t *size, const struct store_dir *dir, const char *name,
	size_t limit, struct veil_error *err)
{
	enum veil_status st;
	uint8_t *got = NULL;
	uint64_t bytes = 0;
	int fd = -1;

	*data = NULL;
	*size = 0;
	st = open_regular(&fd, &bytes, dir, name, err);
	if (st != VEIL_OK)
		return st;
	if (bytes == 0)
		st = error_set(err, VEIL_E_CORRUPT, "%s/%s: empty", dir->path, name);
	else if (bytes > limit)
		st = error_set(err, VEIL_E_CORRUPT, "%s/%s: %llu bytes, more than %zu", dir->path, name,
			(unsigned long long)bytes, limit);
	else if (!(got = malloc((size_t)bytes + 1)))
		st = error_set(err, VEIL_E_NOMEM, "%s/%s: out of memory for %llu bytes", dir->path, name,
			(unsigned long long)bytes);
	if (st == VEIL_OK)
		st = read_all(fd, got, (size_t)bytes, dir, name, err);
	close(fd);
	if (st != VEIL_OK) {
		free(got);
		return st;
	}
	got[bytes] = 0;
	*data = got;
	*size = (size_t)bytes;
	return VEIL_OK;
}

enum veil_status store_file_map(const uint8_t **data, uint64_t size, const struct store_dir *dir,
	const char *name, struct veil_error *err)
{
	enum veil_status st;
	uint64_t bytes = 0;
	void *map;
	int fd = -1;

	*data = NULL;
	st = open_regular(&fd, &bytes, dir, name, err);
	if (st != VEIL_OK)
		return st;
	if (bytes != size) {
		close(fd);
		return error_set(err, VEIL_E_CORRUPT, "%s/%s: %s: %llu bytes where %llu are expected",
			dir->path, name,
			bytes == 0     ? "empty"
			: bytes < size ? "truncated"
				       : "too long",
			(unsigned long long)bytes, (unsigned long long)size);
	}
	map = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return fail(dir, name, errno, err);
	*data = map;
	return VEIL_OK;
}

static int write_all(int fd, const uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t put = write(fd, data, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		data += put;
		size -= (size_t)put;
	}
	return 0;
}

enum veil_status store_file_write(const struct store_dir *dir, const char *name, const struct bytes *parts,
	size_t count, struct veil_error *err)
{
	int fd = openat(dir->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	enum veil_status st = VEIL_OK;

	if (fd < 0)
		return error_set(
			err, VEIL_E_IO, "%s/%s: cannot be written: %s", dir->path, name, strerror(errno));
	for (size_t i = 0; st == VEIL_OK && i < count; i++)
		if (write_all(fd, parts[i].data, parts[i].size) != 0)
			st = fail(dir, name, errno, err);
	if (st == VEIL_OK && fsync(fd) != 0)
		st = fail(dir, name, errno, err);
	if (close(fd) != 0 && st == VEIL_OK)
		st = fail(dir, name, errno, err);
	return st;
}

enum veil_status store_file_remove(const struct store_dir *dir, const char *name, struct veil_error *err)
{
	if (unlinkat(dir->fd, name, 0) == 0 || errno == ENOENT)
		return VEIL_OK;
	return error_set(err, VEIL_E_IO, "%s/%s: cannot be removed: %s", dir->path, name, strerror(errno));
}

enum veil_status store_file_append(
	const struct store_dir *dir, const char *name, const void *data, size_t size, struct veil_error *err)
{
	int fd = openat(dir->fd, name, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	enum veil_status st = VEIL_OK;

	if (fd < 0)
		return fail(dir, name, errno, err);
	if (write_all(fd, data, size) != 0)
		st = fail(dir, name, errno, err);
	if (close(fd) != 0 && st == VEIL_OK)
		st = fail(dir, name, errno, err);
	return st;
}

enum veil_status store_file_replace(
	const struct store_dir *dir, const char *name, const void *data, size_t size, struct veil_error *err)
{
	struct bytes part = {data, size};
	char fresh[64];
	enum veil_status st;

	snprintf(fresh, sizeof fresh, "%s.new", name);
	if (unlinkat(dir->fd, fresh, 0) != 0 && errno != ENOENT)
		return fail(dir, fresh, errno, err);
	st = store_file_write(dir, fresh, &part, 1, err);
	if (st != VEIL_OK)
		return st;
	if (renameat(dir->fd, fresh, dir->fd, name) != 0)
		return fail(dir, name, errno, err);
	return store_dir_sync(dir, err);
}
