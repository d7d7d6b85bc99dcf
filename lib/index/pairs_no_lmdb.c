/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "index/pairs_inside.h"

enum veil_status pairs_lmdb(struct index_pairs *p, const char *path, struct veil_error *err)
{
	(void)p;
	return error_set(err, VEIL_E_UNSUPPORTED,
		"%s: this program was built without LMDB (liblmdb-dev); use .tsv or .jsonl", path);
}
