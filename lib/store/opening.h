/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_OPENING_H
#define STORE_OPENING_H

#include "base/hash.h"
#include "store/file.h"

/* How a version of any kind is found and believed. */

struct store_map {
	const uint8_t *data;
	uint64_t size;
};

/** Maps a file of `size` bytes whose SHA-256 is `want`; all of it is read. VEIL_E_CORRUPT names it. */
enum veil_status store_map_file(struct store_map *map, const struct store_dir *dir, const char *name,
	uint64_t size, const uint8_t want[HASH_BYTES], struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts zeroed objects. */
void store_map_clear(struct store_map *map);

/** manifest.json, as store_file_read gives it, and its SHA-256. *label is its path for errors; both are
 * malloc'd, and to be freed in any case. */
enum veil_status store_opening_manifest(uint8_t **data, size_t *size, char **label, uint8_t id[HASH_BYTES],
	const struct store_dir *version, struct veil_error *err) VEIL_MUST_CHECK;

/** The name of a version directory is the beginning of that hash. */
enum veil_status store_opening_check(const uint8_t id[HASH_BYTES], const struct store_dir *version,
	struct veil_error *err) VEIL_MUST_CHECK;

/** Calls open(arg, directory of the version) for the version in force below `path`, or for `path` if it is a
 * version itself. A builder may replace `current` and remove the version that it named meanwhile: then the
 * newer one is tried. */
enum veil_status store_opening_run(const char *path,
	enum veil_status (*open)(void *arg, const struct store_dir *version, struct veil_error *err),
	void *arg, struct veil_error *err) VEIL_MUST_CHECK;

#endif
