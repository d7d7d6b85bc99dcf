/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDEX_VECTORS_H
#define INDEX_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

/* Rows of numbers from a file that nobody vouches for. The forms:
 *   .fvecs          each row: le32 dimension, then that many little-endian float32
 *   .npy            NumPy 1.0, 2.0 or 3.0: two dimensions, C order, '<f4' '<f2' '<f8' or '|i1'
 *   .jsonl .ndjson  a line a row: {"id": text or integer, "vector": [numbers], "name": text}; name may be
 * left out, then the id is the name; an id may occur once Rows count from 0, lines from 1. fvecs and npy are
 * read on demand, so that memory does not grow with the file; JSON lines are held in memory as float32. */

#define INDEX_MAX_DIM 4096
#define INDEX_MAX_ROWS 0xfffffffeu /* record numbers are 32 bits, the last one marks padding */

enum index_format {
	INDEX_FVECS,
	INDEX_NPY,
	INDEX_JSONL,
};

struct index_vectors;

/** The form is told by the ending of the name. The whole frame (sizes, headers) is checked here, for JSON
 * lines every row; fvecs and npy rows when they are read. VEIL_E_IO, VEIL_E_UNSUPPORTED or VEIL_E_INVALID
 * name the file, the row (and line) and the reason. */
enum veil_status index_vectors_open(
	struct index_vectors **out, const char *path, struct veil_error *err) VEIL_MUST_CHECK;
/** The same; what is held in memory (JSON lines, names) is refused, VEIL_E_INVALID, when it takes more than
 * `limit` bytes; 0: no limit. */
enum veil_status index_vectors_open_within(
	struct index_vectors **out, const char *path, uint64_t limit, struct veil_error *err) VEIL_MUST_CHECK;
/** The same for an open regular file; `label` stands for its name in errors. Takes `fd` over, also on error.
 */
enum veil_status index_vectors_open_fd(struct index_vectors **out, int fd, const char *label,
	enum index_format format, struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts NULL. */
void index_vectors_close(struct index_vectors *v);

uint32_t index_vectors_rows(const struct index_vectors *v);
uint32_t index_vectors_dim(const struct index_vectors *v);
/** Bytes of memory that grow with the input: names, and the rows of JSON lines. */
uint64_t index_vectors_held(const struct index_vectors *v);

/** Rows first .. first + count - 1 as they stand in the file, float32 [count][dim]. A row with another
 * dimension, with a value that is not finite, or all zero is VEIL_E_INVALID and named. May be called by
 * several threads at once. */
enum veil_status index_vectors_read(const struct index_vectors *v, uint32_t first, uint32_t count, float *out,
	struct veil_error *err) VEIL_MUST_CHECK;

/** Names for fvecs and npy from a side file: lines `row<TAB>name`, in any order, each row at most once; rows
 * that are not mentioned have no name. Errors name the line. Replaces names that came with the vectors. */
enum veil_status index_vectors_read_names(
	struct index_vectors *v, const char *path, struct veil_error *err) VEIL_MUST_CHECK;
enum veil_status index_vectors_read_names_fd(
	struct index_vectors *v, int fd, const char *label, struct veil_error *err) VEIL_MUST_CHECK;

/** UTF-8 without control characters, at most INDEX_MAX_NAME_BYTES; "" where the row has none. */
const char *index_vectors_name(const struct index_vectors *v, uint32_t row);

#endif
