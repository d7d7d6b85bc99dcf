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

/* The changes as table t of a delta is told of them: what belongs to another class is gone from this one. */
static inline enum veil_status tiny_kv_put(const struct silent_collection *c, unsigned t,
	const struct silent_context *ctx, int8_t *table, const struct silent_entry *entries, size_t count,
	struct veil_error *err)
{
	const struct silent_table_view view = silent_collection_table(c, t);
	bool changed[SILENT_MAX_PACKS];
	struct silent_keyword k;
	enum veil_status st = VEIL_OK;

	silent_collection_keyword(&k, c, t);
	for (size_t i = 0; i < count && st == VEIL_OK; i++) {
		struct silent_entry e = entries[i];
		const unsigned class = e.value && e.value_bytes > silent_collection_room(c, 0);

		if (class != view.class)
			e.value = NULL;
		e.value_bytes = e.value ? e.value_bytes : 0;
		st = silent_keyword_put(ctx, &k, table, &e, changed, err);
	}
	return st;
}

struct tiny_kv_work {
	struct store_kv_writer *w;
	const struct silent_entry *entries;
	size_t count;
	bool update;
	const struct store_kv_step *step;
	uint32_t reused;
};

/* One table of a version that is being written: a base from the entries or shared, a delta empty or changed.
 */
static inline enum veil_status tiny_kv_write(
	struct tiny_kv_work *work, const struct silent_collection *c, unsigned t, struct veil_error *err)
{
	const struct exec serial = exec_serial();
	const bool delta = silent_collection_table(c, t).delta;
	struct silent_context *ctx;
	uint32_t attempt = 0;
	enum veil_status st;
	int8_t *table;

	if (work->update && !delta)
		return store_kv_writer_share(work->w, t, err);
	REQUIRE(silent_collection_context(&ctx, c, t, cpu_features(), true, err) == VEIL_OK);
	table = calloc(ctx->spec.packs, ctx->table_bytes);
	REQUIRE(table);
	if (!delta)
		st = silent_arrange_fill(c, t, ctx, table, &attempt, work->entries, work->count, err);
	else
		st = work->update ? store_kv_writer_load(work->w, table, t, err) : VEIL_OK;
	if (delta && work->update && st == VEIL_OK)
		st = tiny_kv_put(c, t, ctx, table, work->entries, work->count, err);
	if (st == VEIL_OK)
		st = store_kv_writer_table(
			work->w, t, ctx, table, attempt, &serial, work->step, &work->reused, err);
	free(table);
	silent_context_destroy(ctx);
	return st;
}

static inline enum veil_status tiny_kv_run(struct tiny_kv_work *work, const char *dir,
	struct silent_collection *c, uint8_t id[HASH_BYTES], struct veil_error *err)
{
	enum veil_status st = store_kv_writer_create(&work->w, dir, err);

	if (st == VEIL_OK && work->update)
		st = store_kv_writer_current(work->w, c, err);
	c->epoch += work->update;
	if (st == VEIL_OK)
		st = store_kv_writer_begin(work->w, c, err);
	for (unsigned t = 0; st == VEIL_OK && t < silent_collection_tables(c); t++)
		st = tiny_kv_write(work, c, t, err);
	if (st == VEIL_OK)
		st = store_kv_writer_commit(work->w, 1, true, id, err);
	store_kv_writer_destroy(work->w);
	return st;
}

/* `step` may be NULL; *reused is raised. */
static inline enum veil_status tiny_kv_build(const char *dir, enum silent_access access, int kind,
	const struct store_kv_step *step, uint32_t *reused, uint8_t id[HASH_BYTES], struct veil_error *err)
{
	const struct silent_plan plan = tiny_kv_plan(access);
	struct silent_collection c = {.name = "tiny", .base_epoch = 1 + (uint64_t)kind};
	struct tiny_kv *k = calloc(1, sizeof *k);
	struct tiny_kv_work work = {.count = TINY_KV_ENTRIES, .step = step};
	enum veil_status st;

	REQUIRE(k);
	tiny_kv_fill(k, kind);
	work.entries = k->entries;
	c.epoch = c.base_epoch;
	REQUIRE(silent_arrange(&c, &plan, k->entries, TINY_KV_ENTRIES, err) == VEIL_OK);
	st = tiny_kv_run(&work, dir, &c, id, err);
	*reused += work.reused;
	free(k);
	return st;
}

static inline enum veil_status tiny_kv_update(const char *dir, const struct silent_entry *entries,
	size_t count, uint8_t id[HASH_BYTES], struct veil_error *err)
{
	struct tiny_kv_work work = {.entries = entries, .count = count, .update = true};
	struct silent_collection c = {0};

	return tiny_kv_run(&work, dir, &c, id, err);
}

#endif
