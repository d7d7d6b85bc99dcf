/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_TINY_KV_H
#define STORE_TINY_KV_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/require.h"
#include "silent/arrange.h"
#include "store/kv.h"
#include "store/kv_writer.h"
#include "support/test.h"

/* Collections in an insecure ring, built and changed. A key's value follows from its
 * number and the `kind` of the collection, so that one can be told from another. */

#define TINY_KV_ENTRIES 300
#define TINY_KV_VALUE 90 /* bytes of the longest */

struct tiny_kv {
	struct silent_entry entries[TINY_KV_ENTRIES];
	char keys[TINY_KV_ENTRIES][16];
	uint8_t values[TINY_KV_ENTRIES][TINY_KV_VALUE];
};

static inline void tiny_kv_fill(struct tiny_kv *k, int kind)
{
	for (unsigned i = 0; i < TINY_KV_ENTRIES; i++) {
		struct rng_seeded state;
		struct rng rng = rng_seeded_init_u64(&state, (uint64_t)kind * TINY_KV_ENTRIES + i);

		snprintf(k->keys[i], sizeof k->keys[i], "key %u", i);
		rng_fill(&rng, k->values[i], TINY_KV_VALUE);
		k->entries[i] = (struct silent_entry){.key = k->keys[i],
			.key_bytes = strlen(k->keys[i]),
			.value = k->values[i],
			.value_bytes = i * 7 % (TINY_KV_VALUE + 1)};
	}
}

static inline struct silent_plan tiny_kv_plan(enum silent_access access)
{
	return (struct silent_plan){.params = rlwe_params_find("insecure_retrieval_n64_q40"),
		.access = access,
		.keys = 1,
		.classes = 2,
		.size = {{20, 1}, {TINY_KV_VALUE, 3}},
		.deltas = true};
}

static inline int8_t *tiny_kv_table(const struct silent_context *ctx)
{
	int8_t *table = aligned_alloc(64, ctx->spec.packs * ctx->table_bytes);

	REQUIRE(table);
	memset(table, 0, ctx->spec.packs * ctx->table_bytes);
	return table;
}

/* One table of a version that is being written: a base from the entries, a delta empty or changed. */
static inline enum veil_status tiny_kv_write(struct store_kv_writer *w, const struct silent_collection *c,
	unsigned t, const struct silent_entry *entries, size_t count, bool load, struct veil_error *err)
{
	const struct exec serial = exec_serial();
	bool changed[SILENT_MAX_PACKS];
	struct silent_context *ctx;
	struct silent_keyword k;
	uint32_t attempt = 0, reused = 0;
	enum veil_status st = silent_collection_context(&ctx, c, t, cpu_features(), true, err);
	int8_t *table;

	REQUIRE(st == VEIL_OK);
	table = tiny_kv_table(ctx);
	if (!silent_collection_table(c, t).delta) {
		st = silent_arrange_fill(c, t, ctx, table, &attempt, entries, count, err);
	} else {
		silent_collection_keyword(&k, c, t);
		if (load)
			st = store_kv_writer_load(w, table, t, err);
		for (size_t e = 0; load && e < count && st == VEIL_OK; e++)
			st = silent_keyword_put(ctx, &k, table, &entries[e], changed, err);
	}
	if (st == VEIL_OK)
		st = store_kv_writer_table(w, t, ctx, table, attempt, &serial, NULL, &reused, err);
	free(table);
	silent_context_destroy(ctx);
	return st;
}

static inline enum veil_status tiny_kv_build(
	const char *dir, enum silent_access access, int kind, uint8_t id[HASH_BYTES], struct veil_error *err)
{
	const struct silent_plan plan = tiny_kv_plan(access);
	struct silent_collection c = {.name = "tiny", .base_epoch = 1 + (uint64_t)kind};
	struct tiny_kv *k = calloc(1, sizeof *k);
	struct store_kv_writer *w;
	enum veil_status st;

	REQUIRE(k);
	tiny_kv_fill(k, kind);
	c.epoch = c.base_epoch;
	st = silent_arrange(&c, &plan, k->entries, TINY_KV_ENTRIES, err);
	REQUIRE(st == VEIL_OK);
	st = store_kv_writer_create(&w, dir, err);
	if (st == VEIL_OK)
		st = store_kv_writer_begin(w, &c, err);
	for (unsigned t = 0; st == VEIL_OK && t < silent_collection_tables(&c); t++)
		st = tiny_kv_write(w, &c, t, k->entries, TINY_KV_ENTRIES, false, err);
	if (st == VEIL_OK)
		st = store_kv_writer_commit(w, 1, true, id, err);
	store_kv_writer_destroy(w);
	free(k);
	return st;
}

#endif
