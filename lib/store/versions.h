/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_VERSIONS_H
#define STORE_VERSIONS_H

#include "store/file.h"
#include "store/format.h"

/* Which versions an index directory holds: `current` names the one in force, `previous` earlier ones that are
 * kept, one a line, latest first. Any other version directory is left over from a writer that died, or
 * retired. */

#define STORE_MAX_KEEP 64

/** Is everything in the directory ours? VEIL_E_INVALID names what is not. */
enum veil_status store_versions_check(const struct store_dir *dir, struct veil_error *err) VEIL_MUST_CHECK;
/** The latest version that is kept beside the one in force; VEIL_E_NOT_FOUND if none is. */
enum veil_status store_versions_previous(
	char name[STORE_NAME_SIZE], const struct store_dir *dir, struct veil_error *err) VEIL_MUST_CHECK;
/** Puts version `name` in force; up to `keep` earlier ones stay listed. */
enum veil_status store_versions_replace(
	const struct store_dir *dir, const char *name, unsigned keep, struct veil_error *err) VEIL_MUST_CHECK;
/** Removes the versions that neither file names, and what a dead writer left, but for STORE_BUILDING. Where
 * `current` is missing, a version that `previous` does not name is put in force; VEIL_E_INVALID if there are
 * several, and none is removed. */
enum veil_status store_versions_prune(const struct store_dir *dir, struct veil_error *err) VEIL_MUST_CHECK;

#endif
