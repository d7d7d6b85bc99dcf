/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_TINY_H
#define STORE_TINY_H

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "index/label.h"
#include "store/index.h"
#include "store/writer.h"
#include "support/test.h"

/* A small index whose every byte follows from `kind`: 2 shards of 5 rows of dimension 4, 3 and 4 rows in use.
 */

enum {
	TINY_DIM = 4,
	TINY_ROWS = 5,
	TINY_SHARDS = 2,
	TINY_RECORDS = 6,
	TINY_LABEL_BYTES = 8,
};

/* snprintf that must fit. */
__attribute__((format(printf, 3, 4))) static inline void tiny_print(
	char *out, size_t room, const char *format, ...)
{
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(out, room, format, args);
	va_end(args);
	cr_assert(size >= 0 && (size_t)size < room);
}

static inline uint32_t tiny_used(uint32_t shard)
{
	return 3 + shard;
}

static inline void tiny_shard(int kind, uint32_t shard, int8_t rows[TINY_ROWS * TINY_DIM],
	uint8_t labels[TINY_ROWS * TINY_LABEL_BYTES])
{
	char name[8];

	memset(rows, 0, TINY_ROWS * TINY_DIM);
	for (uint32_t i = 0; i < TINY_ROWS; i++) {
		bool used = i < tiny_used(shard);

		for (uint32_t j = 0; used && j < TINY_DIM; j++)
			rows[i * TINY_DIM + j] = (int8_t)(kind + (int)(shard * 40 + i * TINY_DIM + j));
		snprintf(name, sizeof name, "n%u%u", shard, i);
		index_label_write(labels + (size_t)i * TINY_LABEL_BYTES, TINY_LABEL_BYTES,
			used ? (shard * 3 + i) % TINY_RECORDS : INDEX_NO_RECORD, used ? name : "");
	}
}

static inline enum veil_status tiny_try(
	const char *dir, int kind, unsigned keep, uint8_t id[HASH_BYTES], struct veil_error *err)
{
	float centroids[TINY_SHARDS * TINY_DIM] = {1, 0, 0, 0, 0, 1, 0, 0};
	struct index_codebook codebook = {TINY_SHARDS, TINY_DIM, centroids};
	struct store_plan plan = {.name = "tiny",
		.spec = {.params = rlwe_params_find("search_n2048_q28"),
			.dim = TINY_DIM,
			.rows = TINY_ROWS,
			.terms = 2,
			.row_norm = 254,
			.scale = 127},
		.shards = TINY_SHARDS,
		.label_bytes = TINY_LABEL_BYTES,
		.records = TINY_RECORDS};
	uint8_t labels[TINY_ROWS * TINY_LABEL_BYTES];
	int8_t rows[TINY_ROWS * TINY_DIM];
	struct store_writer *w;
	enum veil_status st;

	st = store_writer_create(&w, dir, err);
	if (st == VEIL_OK)
		st = store_writer_begin(w, &plan, &codebook, err);
	for (uint32_t s = 0; st == VEIL_OK && s < TINY_SHARDS; s++) {
		tiny_shard(kind, s, rows, labels);
		st = store_writer_shard(w, s, rows, labels, tiny_used(s), err);
	}
	if (st == VEIL_OK)
		st = store_writer_commit(w, keep, id, err);
	store_writer_destroy(w);
	return st;
}

/* Builds; `version` gets the path of the version directory. */
static inline void tiny_build(const char *dir, int kind, unsigned keep, char version[256])
{
	char hex[HASH_HEX_SIZE];
	uint8_t id[HASH_BYTES];
	struct veil_error err = {{0}};

	cr_assert_eq(tiny_try(dir, kind, keep, id, &err), VEIL_OK, "%s", err.text);
	hash_hex(hex, id);
	tiny_print(version, 256, "%s/v%.16s", dir, hex);
}

/* Is this the whole of the index of that kind? */
static inline bool tiny_same(const struct store_index *index, int kind)
{
	uint8_t labels[TINY_ROWS * TINY_LABEL_BYTES];
	int8_t rows[TINY_ROWS * TINY_DIM];

	for (uint32_t s = 0; s < TINY_SHARDS; s++) {
		tiny_shard(kind, s, rows, labels);
		if (index->shard[s].used != tiny_used(s) || memcmp(index->shard[s].rows, rows, sizeof rows) ||
			memcmp(index->shard[s].labels, labels, sizeof labels))
			return false;
	}
	return true;
}

static inline const char *tiny_path(const char *name)
{
	static char path[512];

	tiny_print(path, sizeof path, "%s/%s", test_tmpdir(), name);
	return path;
}

#endif
