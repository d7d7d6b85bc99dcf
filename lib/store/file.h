/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "veil/status.h"

/** A directory that was opened: all files are reached through its descriptor, its path is for errors only. */
struct store_dir {
	int fd; /* -1: closed */
	char *path;
};

#define STORE_DIR_CLOSED \
	{                \
		-1, NULL \
	}

/** Is there an entry of that name, of whatever kind? */
bool store_exists(const struct store_dir *dir, const char *name);

/** `parent` NULL: `name` is a path of the user's, symbolic links are followed. Else a directory right inside
 * `parent`, which must not be a link. VEIL_E_NOT_FOUND, VEIL_E_IO, VEIL_E_CORRUPT (a link or no directory)
 * name it. */
enum veil_status store_dir_open(struct store_dir *dir, const struct store_dir *parent, const char *name,
	struct veil_error *err) VEIL_MUST_CHECK;
void store_dir_close(struct store_dir *dir);
enum veil_status store_dir_sync(const struct store_dir *dir, struct veil_error *err) VEIL_MUST_CHECK;
/** Removes directory `name` in `dir` and the files in it; deeper directories are refused, nothing below is
 * followed. What does not exist is removed already. */
enum veil_status store_dir_remove(
	const struct store_dir *dir, const char *name, struct veil_error *err) VEIL_MUST_CHECK;

/** The whole of a regular file of at most `limit` bytes, with a final NUL that is not counted; *data is
 * malloc'd. VEIL_E_CORRUPT: missing, empty, too long, a symbolic link or not a regular file. */
enum veil_status store_file_read(uint8_t **data, size_t *size, const struct store_dir *dir, const char *name,
	size_t limit, struct veil_error *err) VEIL_MUST_CHECK;
/** The same, mapped; exactly `size` bytes long or VEIL_E_CORRUPT. munmap(*data, size). */
enum veil_status store_file_map(const uint8_t **data, uint64_t size, const struct store_dir *dir,
	const char *name, struct veil_error *err) VEIL_MUST_CHECK;
/** Writes a new file of the parts one after another and brings it to the disk (fsync); replaces none. */
enum veil_status store_file_write(const struct store_dir *dir, const char *name, const struct bytes *parts,
	size_t count, struct veil_error *err) VEIL_MUST_CHECK;
/** What does not exist is removed already. */
enum veil_status store_file_remove(
	const struct store_dir *dir, const char *name, struct veil_error *err) VEIL_MUST_CHECK;
/** Adds to the end of a file that is there. Not brought to the disk. */
enum veil_status store_file_append(const struct store_dir *dir, const char *name, const void *data,
	size_t size, struct veil_error *err) VEIL_MUST_CHECK;
/** Replaces file `name` at one instant: NAME.new is written and renamed, then the directory is brought to the
 * disk. */
enum veil_status store_file_replace(const struct store_dir *dir, const char *name, const void *data,
	size_t size, struct veil_error *err) VEIL_MUST_CHECK;

#endif
