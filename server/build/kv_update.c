/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "build/kv.h"
#include "store/kv_writer.h"

/* Changes go into the deltas; the bases are those of the version before. */

static enum veil_status refuse(
	const struct kv_run *run, size_t i, struct veil_error *err, enum veil_status st, const char *what)
{
	const struct index_pair *pair = &run->pairs.pair[i];
	char key[INDEX_SHOWN_KEY];

	index_pairs_show(key, run->pairs.data + pair->key, pair->key_bytes);
	return error_set(err, st, "%s: line %llu: key \"%s\": %s", run->pairs.label,
		(unsigned long long)pair->line, key, what);
}

/* By number, a key is the number in decimal digits: it becomes its 8 bytes. A record has one such key, or two
 * lines might change it. */
static bool to_number(struct silent_entry *e, uint8_t out[8], uint64_t records)
{
	const uint8_t *digits = e->key;
	uint64_t number = 0;

	if (e->key_bytes == 0 || (e->key_bytes > 1 && digits[0] == '0'))
		return false;
	for (size_t i = 0; i < e->key_bytes; i++) {
		if (digits[i] < '0' || digits[i] > '9' || e->key_bytes > 18)
			return false;
		number = number * 10 + (uint64_t)(digits[i] - '0');
	}
	store_le64(out, number);
	e->key = out;
	e->key_bytes = 8;
	return number < records;
}

/* The first class with room, as the builder chose. */
static unsigned class_of(const struct silent_collection *c, const struct silent_entry *e)
{
	unsigned i = 0;

	while (e->value && i < c->classes && e->value_bytes > silent_collection_room(c, i))
		i++;
	return i;
}

static enum veil_status put_one(struct kv_run *run, const struct silent_collection *c,
	const struct silent_table_view *view, const struct silent_keyword *k,
	const struct silent_context *ctx, int8_t *table, bool *changed, size_t i, struct veil_error *err)
{
	struct silent_entry e = run->entries[i];
	enum veil_status st;
	uint8_t number[8];

	if (c->access == SILENT_BY_NUMBER && !to_number(&e, number, c->records))
		return refuse(run, i, err, VEIL_E_INVALID, "not the number of a record in digits");
	if (class_of(c, &e) == c->classes)
		return refuse(run, i, err, VEIL_E_INVALID, "its value is longer than every size class");
	/* It may have been in another class, and would be found there. */
	if (class_of(c, &e) != view->class)
		e.value = NULL;
	if (!e.value)
		e.value_bytes = 0;
	st = silent_keyword_put(ctx, k, table, &e, changed, err);
	if (st == VEIL_E_BUSY)
		return refuse(run, i, err, st,
			"no place is left for it among the changes: build the collection anew (build-kv)");
	return st;
}

static enum veil_status fill(struct kv_run *run, struct store_kv_writer *w, const struct silent_collection *c,
	unsigned t, const struct silent_context *ctx, int8_t *table, uint32_t *attempt,
	struct veil_error *err)
{
	const struct silent_table_view view = silent_collection_table(c, t);
	bool *changed = calloc(ctx->spec.packs, sizeof *changed);
	struct silent_keyword k;
	enum veil_status st;

	*attempt = 0;
	if (!changed)
		return error_set(err, VEIL_E_NOMEM, "out of memory");
	silent_collection_keyword(&k, c, t);
	st = store_kv_writer_load(w, table, t, err);
	for (size_t i = 0; i < run->pairs.count && st == VEIL_OK; i++)
		st = put_one(run, c, &view, &k, ctx, table, changed, i, err);
	free(changed);
	return st;
}

static enum veil_status write_all(struct kv_run *run, struct store_kv_writer *w,
	const struct silent_collection *c, struct veil_error *err)
{
	enum veil_status st = store_kv_writer_begin(w, c, err);

	for (unsigned t = 0; st == VEIL_OK && t < silent_collection_tables(c); t++)
		st = silent_collection_table(c, t).delta ? kv_run_table(run, w, c, t, fill, err)
							 : store_kv_writer_share(w, t, err);
	return st;
}

enum veil_status kv_update(struct kv_run *run, struct veil_error *err)
{
	struct silent_collection c;
	struct store_kv_writer *w = NULL;
	uint8_t id[HASH_BYTES];
	enum veil_status st = kv_run_read(run, true, err);

	if (st == VEIL_OK && !store_kv_is(run->options->output))
		st = error_set(err, VEIL_E_NOT_FOUND, "%s: no collection in it; build-kv makes one",
			run->options->output);
	if (st == VEIL_OK)
		st = store_kv_writer_create(&w, run->options->output, err);
	if (st == VEIL_OK)
		st = store_kv_writer_current(w, &c, err);
	if (st == VEIL_OK && !c.class[0].delta.rows)
		st = error_set(err, VEIL_E_UNSUPPORTED,
			"%s: built with --no-delta, takes no changes: build it anew", run->options->output);
	if (st == VEIL_OK) {
		progress_phase(run->progress, "preparing");
		run->report->threads = run->options->threads;
		run->report->changes = (uint32_t)run->pairs.count;
		c.epoch++;
		st = write_all(run, w, &c, err);
	}
	if (st == VEIL_OK)
		st = store_kv_writer_commit(w, run->options->keep, false, id, err);
	store_kv_writer_destroy(w);
	return st;
}
