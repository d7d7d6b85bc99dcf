/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDEX_PAIRS_INSIDE_H
#define INDEX_PAIRS_INSIDE_H

#include "index/lines.h"
#include "index/pairs.h"

/* What pairs.c and the readers of the single forms share; nobody else includes this. */

#define PAIRS_MAX_LINE_BYTES ((size_t)8 << 20) /* of JSON: a value in escapes of six bytes each, nearly */

/** Adds a pair: p->data is then owner of its bytes. */
enum veil_status pairs_add(struct index_pairs *p, const void *key, size_t key_bytes, const void *value,
	size_t value_bytes, bool gone, uint64_t line, struct veil_error *err) VEIL_MUST_CHECK;
/** "FILE: line N: key "K": ...", VEIL_E_INVALID. `key` may be NULL. */
enum veil_status pairs_refuse(const struct index_pairs *p, uint64_t line, const void *key, size_t key_bytes,
	struct veil_error *err, const char *what);

/** One line each. `scratch` is as long as a line may be. */
enum veil_status pairs_tsv_line(struct index_pairs *p, const struct index_pairs_form *form, const char *line,
	size_t size, uint64_t number, uint8_t *scratch, struct veil_error *err) VEIL_MUST_CHECK;
enum veil_status pairs_json_line(struct index_pairs *p, const struct index_pairs_form *form, const char *line,
	size_t size, uint64_t number, uint8_t *scratch, struct veil_error *err) VEIL_MUST_CHECK;
/** The whole of a database. VEIL_E_UNSUPPORTED if this build has no LMDB. */
enum veil_status pairs_lmdb(struct index_pairs *p, const char *path, struct veil_error *err) VEIL_MUST_CHECK;

#endif
