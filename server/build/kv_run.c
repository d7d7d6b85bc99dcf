/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/cpu.h"
#include "base/error.h"
#include "build/kv.h"
#include "build/memory.h"
#include "build/threads.h"
#include "store/kv_writer.h"

enum veil_status kv_run_read(struct kv_run *run, bool changes, struct veil_error *err)
{
	const struct kv_options *o = run->options;
	const struct index_pairs_form form = {.numbered = o->number, .changes = changes, .limit = o->memory};
	struct index_pairs *p = &run->pairs;
	enum veil_status st;

	progress_phase(run->progress, "reading");
	st = index_pairs_read(p, o->input, &form, err);
	if (st != VEIL_OK)
		return st;
	run->entries = calloc(p->count, sizeof *run->entries);
	if (!run->entries)
		return error_set(err, VEIL_E_NOMEM, "%s: out of memory for %zu rows", o->input, p->count);
	for (size_t i = 0; i < p->count; i++)
		run->entries[i] = (struct silent_entry){.key = p->data + p->pair[i].key,
			.key_bytes = p->pair[i].key_bytes,
			.value = p->pair[i].gone ? NULL : p->data + p->pair[i].value,
			.value_bytes = p->pair[i].value_bytes};
	return VEIL_OK;
}

void kv_run_clear(struct kv_run *run)
{
	index_pairs_clear(&run->pairs);
	free(run->entries);
}

static uint64_t table_bytes(const struct silent_collection *c, unsigned t)
{
	const struct silent_table *table = silent_collection_table(c, t).table;

	return ((uint64_t)table->rows << c->params->log_n) * table->packs;
}

/* The largest table, an index of its records, and what a thread needs to prepare a pack: 16 n^2 bytes of
 * spread polynomials and their digits, and what it makes of them. */
uint64_t kv_memory(const struct silent_collection *c, uint32_t threads)
{
	const uint64_t n = (uint64_t)1 << c->params->log_n;
	uint64_t largest = 0, packs = 0, items = 0;

	for (unsigned t = 0; t < silent_collection_tables(c); t++) {
		const struct silent_table_view view = silent_collection_table(c, t);
		const uint64_t records = c->access == SILENT_BY_KEY ? c->records * view.chunks : 0;

		largest = table_bytes(c, t) > largest ? table_bytes(c, t) : largest;
		packs = view.table->packs > packs ? view.table->packs : packs;
		items = records > items ? records : items;
	}
	threads = packs < threads ? (uint32_t)packs : threads;
	return memory_fixed(threads) + largest + items * 48 + c->records * 64 +
	       (uint64_t)SILENT_MAX_ROWS * 160 +
	       threads * (24 * n * n + silent_material_bytes(c->params) + 64 * n);
}

/* Packs are done in any thread. */
struct steps {
	struct progress *progress;
	pthread_mutex_t lock;
	uint32_t done, packs;
};

static void step(void *state, uint32_t pack)
{
	struct steps *s = state;

	(void)pack;
	pthread_mutex_lock(&s->lock);
	progress_step(s->progress, ++s->done, s->packs);
	pthread_mutex_unlock(&s->lock);
}

static int8_t *map_table(const struct silent_context *ctx)
{
	const size_t size = ctx->spec.packs * ctx->table_bytes;
	void *table = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (table == MAP_FAILED)
		return NULL;
	madvise(table, size, MADV_HUGEPAGE); /* a wish: it is filled all over */
	return table;
}

enum veil_status kv_run_table(struct kv_run *run, struct store_kv_writer *w,
	const struct silent_collection *c, unsigned t,
	enum veil_status (*fill)(struct kv_run *run, struct store_kv_writer *w,
		const struct silent_collection *c, unsigned t, const struct silent_context *ctx,
		int8_t *table, uint32_t *attempt, struct veil_error *err),
	struct veil_error *err)
{
	struct steps steps = {.progress = run->progress, .lock = PTHREAD_MUTEX_INITIALIZER};
	const struct store_kv_step each = {step, &steps};
	const struct exec exec = threads_exec(&run->report->threads);
	struct silent_context *ctx;
	int8_t *table = NULL;
	uint32_t attempt = 0;
	enum veil_status st = silent_collection_context(&ctx, c, t, cpu_features(), false, err);

	if (st != VEIL_OK)
		return st;
	steps.packs = ctx->spec.packs;
	table = map_table(ctx);
	if (!table)
		st = error_set(err, VEIL_E_NOMEM, "no memory for a table of %zu bytes",
			ctx->spec.packs * ctx->table_bytes);
	if (st == VEIL_OK)
		st = fill(run, w, c, t, ctx, table, &attempt, err);
	if (st == VEIL_OK)
		st = store_kv_writer_table(
			w, t, ctx, table, attempt, &exec, &each, &run->report->reused, err);
	if (table)
		munmap(table, ctx->spec.packs * ctx->table_bytes);
	silent_context_destroy(ctx);
	return st;
}
