/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "build/kv.h"
#include "store/kv_writer.h"

/* Which row is too long for every class? */
static enum veil_status check_values(
	const struct kv_run *run, const struct silent_plan *plan, struct veil_error *err)
{
	for (size_t i = 0; i < run->pairs.count; i++) {
		const struct index_pair *pair = &run->pairs.pair[i];
		char key[INDEX_SHOWN_KEY];

		if (silent_arrange_class(plan, pair->value_bytes) < plan->classes)
			continue;
		index_pairs_show(key, run->pairs.data + pair->key, pair->key_bytes);
		return error_set(err, VEIL_E_INVALID,
			"%s: line %llu: key \"%s\": its value has %u bytes, the largest of --classes %u",
			run->pairs.label, (unsigned long long)pair->line, key, pair->value_bytes,
			plan->size[plan->classes - 1].value_bytes);
	}
	return VEIL_OK;
}

static enum veil_status shape(struct kv_run *run, struct silent_collection *c, struct veil_error *err)
{
	const struct kv_options *o = run->options;
	struct silent_plan plan = {.params = rlwe_params_find("retrieval_n2048_q40"),
		.access = o->number ? SILENT_BY_NUMBER : SILENT_BY_KEY,
		.keys = o->keys,
		.deltas = !o->no_delta};
	size_t longest = 0;
	enum veil_status st;

	for (size_t i = 0; i < run->pairs.count; i++)
		if (run->entries[i].value_bytes > longest)
			longest = run->entries[i].value_bytes;
	st = kv_options_classes(&plan, o, longest, err);
	if (st == VEIL_OK)
		st = check_values(run, &plan, err);
	if (st == VEIL_OK)
		st = silent_arrange(c, &plan, run->entries, run->pairs.count, err);
	snprintf(c->name, sizeof c->name, "%s", o->name);
	return st;
}

/* As many threads as there is memory for. */
static enum veil_status fit(struct kv_run *run, const struct silent_collection *c, struct veil_error *err)
{
	const uint64_t limit = run->options->memory, mib = 1 << 20;
	const uint64_t input = run->pairs.room + run->pairs.pair_room * sizeof *run->pairs.pair;
	uint32_t threads = run->options->threads;

	while (limit && threads > 1 && input + kv_memory(c, threads) > limit)
		threads--;
	run->report->threads = threads;
	run->report->memory_planned = input + kv_memory(c, threads);
	if (!limit || run->report->memory_planned <= limit)
		return VEIL_OK;
	return error_set(err, VEIL_E_INVALID, "--memory %lluM: this build needs %lluM at the least",
		(unsigned long long)(limit / mib),
		(unsigned long long)((run->report->memory_planned + mib - 1) / mib));
}

static enum veil_status fill(struct kv_run *run, struct store_kv_writer *w, const struct silent_collection *c,
	unsigned t, const struct silent_context *ctx, int8_t *table, uint32_t *attempt,
	struct veil_error *err)
{
	(void)w;
	if (silent_collection_table(c, t).delta)
		return VEIL_OK; /* nothing has changed yet */
	return silent_arrange_fill(c, t, ctx, table, attempt, run->entries, run->pairs.count, err);
}

/* A table of another epoch has other public polynomials. */
static enum veil_status next_epoch(
	struct store_kv_writer *w, struct silent_collection *c, struct veil_error *err)
{
	struct silent_collection now;
	enum veil_status st = store_kv_writer_current(w, &now, err);

	c->base_epoch = st == VEIL_OK ? now.epoch + 1 : 1;
	c->epoch = c->base_epoch;
	return st == VEIL_E_NOT_FOUND ? VEIL_OK : st;
}

enum veil_status kv_build(struct kv_run *run, struct veil_error *err)
{
	struct silent_collection c = {0};
	struct store_kv_writer *w = NULL;
	uint8_t id[HASH_BYTES];
	enum veil_status st = kv_run_read(run, false, err);

	if (st == VEIL_OK)
		st = shape(run, &c, err);
	if (st == VEIL_OK)
		st = fit(run, &c, err);
	if (st == VEIL_OK)
		st = store_kv_writer_create(&w, run->options->output, err);
	if (st == VEIL_OK)
		st = next_epoch(w, &c, err);
	if (st == VEIL_OK)
		st = store_kv_writer_begin(w, &c, err);
	if (st == VEIL_OK)
		progress_phase(run->progress, "preparing");
	for (unsigned t = 0; st == VEIL_OK && t < silent_collection_tables(&c); t++)
		st = kv_run_table(run, w, &c, t, fill, err);
	if (st == VEIL_OK && run->report->reused)
		progress_say(run->progress, "%s: %u packs were there and whole", run->options->output,
			run->report->reused);
	if (st == VEIL_OK)
		st = store_kv_writer_commit(w, run->options->keep, false, id, err);
	store_kv_writer_destroy(w);
	return st;
}
