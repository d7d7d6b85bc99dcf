/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "store/index.h"

/** What store_index_open does not look at, because the hashes vouch for it once the builder is trusted:
 * padding rows are zero, no row is longer than row_norm, labels are well formed, no shard holds a record
 * twice and no record is missing. VEIL_E_CORRUPT names the file and the row. */
enum veil_status store_index_check(const struct store_index *index, struct veil_error *err) VEIL_MUST_CHECK;

#endif
