/* SPDX-License-Identifier: Apache-2.0 */
#include <lmdb.h>
#include <sys/stat.h>

#include "base/error.h"
#include "index/pairs_inside.h"

static enum veil_status copy_all(
	struct index_pairs *p, MDB_cursor *cursor, int *error, struct veil_error *err)
{
	enum veil_status st = VEIL_OK;
	MDB_val key, value;

	for (*error = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); *error == 0 && st == VEIL_OK;
		*error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
		st = pairs_add(p, key.mv_data, key.mv_size, value.mv_data, value.mv_size, false,
			(uint64_t)p->count + 1, err);
	return st;
}

/* Nobody else writes to it while we read, or it has its lock file; we take none, so that it may lie on a
 * medium that cannot be written. */
enum veil_status pairs_lmdb(struct index_pairs *p, const char *path, struct veil_error *err)
{
	enum veil_status st = VEIL_OK;
	MDB_cursor *cursor = NULL;
	MDB_txn *txn = NULL;
	MDB_env *env = NULL;
	struct stat kind;
	MDB_dbi dbi;
	int error = mdb_env_create(&env);
	const unsigned file = stat(path, &kind) == 0 && S_ISDIR(kind.st_mode) ? 0 : MDB_NOSUBDIR;

	if (error == 0)
		error = mdb_env_open(env, path, MDB_RDONLY | MDB_NOLOCK | file, 0);
	if (error == 0)
		error = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
	if (error == 0)
		error = mdb_dbi_open(txn, NULL, 0, &dbi);
	if (error == 0)
		error = mdb_cursor_open(txn, dbi, &cursor);
	if (error == 0)
		st = copy_all(p, cursor, &error, err);
	if (st == VEIL_OK && error && error != MDB_NOTFOUND)
		st = error_set(err, VEIL_E_IO, "%s: %s", path, mdb_strerror(error));
	if (cursor)
		mdb_cursor_close(cursor);
	if (txn)
		mdb_txn_abort(txn);
	if (env)
		mdb_env_close(env);
	return st;
}
