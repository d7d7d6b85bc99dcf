/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDEX_FORMATS_H
#define INDEX_FORMATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index/texts.h"
#include "index/vectors.h"

/* What vectors.c and the readers of the single forms share; nobody else includes this. */

enum index_dtype {
	INDEX_F32,
	INDEX_F16,
	INDEX_F64,
	INDEX_I8,
};

struct index_vectors {
	char *label; /* the file's name, for errors */
	int fd;
	uint64_t size;
	uint64_t limit; /* of the memory that grows with the input; 0: none */
	enum index_format format;
	uint32_t rows;
	uint32_t dim;
	enum index_dtype dtype; /* fvecs, npy: a value */
	uint64_t offset; /* fvecs, npy: of the first row in the file */
	uint32_t stride; /* fvecs, npy: bytes of a row, with its dimension in fvecs */
	float *values; /* jsonl: [rows][dim] */
	struct index_texts names; /* none, or one a row */
};

size_t index_dtype_bytes(enum index_dtype dtype);

/** Each fills rows, dim and what it reads rows by, from v->fd, v->size and v->label. */
enum veil_status index_fvecs_open(struct index_vectors *v, struct veil_error *err) VEIL_MUST_CHECK;
enum veil_status index_npy_open(struct index_vectors *v, struct veil_error *err) VEIL_MUST_CHECK;
enum veil_status index_jsonl_open(struct index_vectors *v, struct veil_error *err) VEIL_MUST_CHECK;

/** Exactly `size` bytes at `offset`; a file that ends before is VEIL_E_IO. */
enum veil_status index_read_at(const struct index_vectors *v, void *out, size_t size, uint64_t offset,
	struct veil_error *err) VEIL_MUST_CHECK;

/** Are all values finite and not all zero? If not, `why` says what is wrong with the row. */
#define INDEX_WHY_SIZE 96
bool index_row_ok(const float *values, uint32_t dim, char why[INDEX_WHY_SIZE]);

#endif
