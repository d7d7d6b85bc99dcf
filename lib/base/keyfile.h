/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_KEYFILE_H
#define BASE_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

/* Small text files, above all those that hold a private key. */

/** Reads the file that only its owner may read; `text` is the caller's secret memory and gets at most
 * capacity - 1 bytes of it and a final zero. VEIL_E_IO; VEIL_E_INVALID: others may read it, or it is no file.
 */
enum veil_status keyfile_read(
	char *text, size_t capacity, const char *path, struct veil_error *err) VEIL_MUST_CHECK;
/** Reads up to `capacity` bytes of a file that anybody may read; a *size of `capacity` may be a part.
 * VEIL_E_IO. */
enum veil_status keyfile_read_public(
	void *data, size_t capacity, size_t *size, const char *path, struct veil_error *err) VEIL_MUST_CHECK;
#define KEYFILE_PATH_SIZE 1100
/** Writes a file of that mode (0600, 0644), whole or not at all and on the disk, by way of PATH.new; one that
 * is there is replaced. VEIL_E_IO; VEIL_E_INVALID: a path that is too long. */
enum veil_status keyfile_write(const char *path, const void *data, size_t size, unsigned mode,
	struct veil_error *err) VEIL_MUST_CHECK;
/** The same for a file that is not there, not even since somebody looked: VEIL_E_IO if it is. */
enum veil_status keyfile_create(const char *path, const void *data, size_t size, unsigned mode,
	struct veil_error *err) VEIL_MUST_CHECK;

#endif
