/* SPDX-License-Identifier: Apache-2.0 */
#include "base/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum veil_status keyfile_read(char *text, size_t capacity, const char *path, struct veil_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum veil_status st = VEIL_OK;
	struct stat info;
	ssize_t n;

	if (fd < 0 || fstat(fd, &info) != 0) {
		st = error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(info.st_mode)) {
		st = error_set(err, VEIL_E_INVALID, "%s is not a file", path);
	} else if (info.st_mode & 077) {
		st = error_set(err, VEIL_E_INVALID,
			"%s may be read by others than its owner; chmod 600 it, or make another key", path);
	} else {
		n = read(fd, text, capacity - 1);
		text[n < 0 ? 0 : n] = 0;
		if (n < 0)
			st = error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	return st;
}

enum veil_status keyfile_read_public(
	void *data, size_t capacity, size_t *size, const char *path, struct veil_error *err)
{
	FILE *f = fopen(path, "re");
	bool failed;

	if (!f)
		return error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	*size = fread(data, 1, capacity, f);
	failed = ferror(f) != 0;
	fclose(f);
	return failed ? error_set(err, VEIL_E_IO, "%s: cannot be read", path) : VEIL_OK;
}

/* A name is on the disk when its folder is. */
static bool sync_folder(const char *path)
{
	char copy[KEYFILE_PATH_SIZE];
	int fd;
	bool ok;

	snprintf(copy, sizeof copy, "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool give_name(const char *temporary, const char *path, bool replace)
{
	if (replace)
		return rename(temporary, path) == 0;
	return link(temporary, path) == 0 && unlink(temporary) == 0;
}

static enum veil_status put(
	const char *path, const void *data, size_t size, unsigned mode, bool replace, struct veil_error *err)
{
	char temporary[KEYFILE_PATH_SIZE];
	bool ok;
	int fd;

	if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
		return error_set(err, VEIL_E_IO, "%.300s...: the name is too long", path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
	if (fd < 0 && errno == EEXIST)
		return error_set(err, VEIL_E_IO,
			"%s is there already: another program writes it, or one was stopped while it did; if "
			"none is running, remove it",
			temporary);
	if (fd < 0)
		return error_set(err, VEIL_E_IO, "%s: %s", temporary, strerror(errno));
	errno = ENOSPC; /* if only a part of it goes */
	ok = write(fd, data, size) == (ssize_t)size && fsync(fd) == 0;
	ok = close(fd) == 0 && ok && give_name(temporary, path, replace) && sync_folder(path);
	if (ok)
		return VEIL_OK;
	if (!replace && errno == EEXIST)
		error_set(err, VEIL_E_IO, "%s is there already and is not replaced", path);
	else
		error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	unlink(temporary);
	return VEIL_E_IO;
}

enum veil_status keyfile_write(
	const char *path, const void *data, size_t size, unsigned mode, struct veil_error *err)
{
	return put(path, data, size, mode, true, err);
}

enum veil_status keyfile_create(
	const char *path, const void *data, size_t size, unsigned mode, struct veil_error *err)
{
	return put(path, data, size, mode, false, err);
}
