/* SPDX-License-Identifier: Apache-2.0 */
#include "base/keyfile.h"

#include <errno.h>
#include <fcntl.h>
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

enum veil_status keyfile_write(
	const char *path, const void *data, size_t size, unsigned mode, struct veil_error *err)
{
	char temporary[1100];
	bool ok;
	int fd;

	if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
		return error_set(err, VEIL_E_IO, "%.300s...: the name is too long", path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
	if (fd < 0)
		return error_set(err, VEIL_E_IO, "%s: %s", temporary, strerror(errno));
	errno = ENOSPC; /* if only a part of it goes */
	ok = write(fd, data, size) == (ssize_t)size && fsync(fd) == 0;
	ok = close(fd) == 0 && ok && rename(temporary, path) == 0;
	if (ok)
		return VEIL_OK;
	error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	unlink(temporary);
	return VEIL_E_IO;
}

bool keyfile_hex(uint8_t *out, size_t size, const char *hex)
{
	for (size_t i = 0; i < 2 * size; i++) {
		char c = hex[i];
		int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

		if (v < 0)
			return false;
		out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | v : v << 4);
	}
	return true;
}
