/* SPDX-License-Identifier: Apache-2.0 */
#include "build/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "apple/engine.h"
#include "base/cpu.h"
#include "base/error.h"
#include "build/plan.h"

struct numbers {
	const struct store_index *index;
	const struct report_build *built;
	uint64_t used;
	uint64_t on_disk; /* rows, padding included */
	double padding; /* share of the rows that are padding */
	double replication; /* rows in use over records */
	size_t query_bytes;
	size_t reply_bytes; /* ciphertexts and labels */
	double noise;
	uint64_t sealed_bytes; /* all traffic of a sealed search */
};

static enum veil_status count(struct numbers *n, struct veil_error *err)
{
	const struct store_index *index = n->index;
	struct engine engine;
	enum veil_status st = engine_open(&engine, &index->spec, cpu_features(), err);

	if (st != VEIL_OK)
		return st;
	for (uint32_t s = 0; s < index->shards; s++)
		n->used += index->shard[s].used;
	n->on_disk = (uint64_t)index->shards * index->spec.rows;
	n->padding = 1 - (double)n->used / (double)n->on_disk;
	n->replication = (double)n->used / (double)index->records;
	n->query_bytes = engine.shape->query_bytes;
	n->reply_bytes = engine.shape->reply_bytes + (size_t)index->spec.rows * index->label_bytes;
	n->noise = engine.nn ? nn_noise_std(engine.nn, index->spec.row_norm) : 0;
	engine_close(&engine);
	if (index->sealed)
		n->sealed_bytes =
			plan_sealed_bytes(index->sealed, index->shards, index->spec.rows, index->spec.dim);
	return VEIL_OK;
}

static const char *kind_of(const struct store_index *index)
{
	return index->sealed ? "sealed" : engine_name(index->spec.params);
}

static void add_build(json_t *out, const struct report_build *b)
{
	json_t *phases = json_object();

	for (unsigned i = 0; i < b->progress->phases; i++)
		json_object_set_new(
			phases, b->progress->phase[i].name, json_real(b->progress->phase[i].seconds));
	json_object_set_new(out, "rows_moved", json_integer(b->moved));
	json_object_set_new(out, "rows_sampled", json_integer(b->sample));
	json_object_set_new(out, "candidates", json_integer(b->width));
	json_object_set_new(out, "bytes", json_integer((json_int_t)b->bytes));
	json_object_set_new(out, "memory_planned_bytes", json_integer((json_int_t)b->memory_planned));
	json_object_set_new(out, "memory_peak_bytes",
		b->memory_peak ? json_integer((json_int_t)b->memory_peak) : json_null());
	json_object_set_new(out, "resumed", json_boolean(b->resumed));
	json_object_set_new(out, "shards_reused", json_integer(b->reused));
	json_object_set_new(out, "phase_seconds", phases);
	json_object_set_new(out, "seconds", json_real(b->seconds));
}

static json_t *to_json(const struct numbers *n)
{
	const struct store_index *index = n->index;
	const struct nn_spec *spec = &index->spec;
	char id[HASH_HEX_SIZE];
	json_t *out;

	hash_hex(id, index->id);
	out = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:I, s:I, s:f, s:I, "
			"s:I, s:I, s:I}",
		"id", id, "name", index->name, "kind", kind_of(index), "params", spec->params->name, "rows",
		(json_int_t)index->records, "dim", (json_int_t)spec->dim, "shards", (json_int_t)index->shards,
		"rows_per_shard", (json_int_t)spec->rows, "rows_stored", (json_int_t)n->used, "rows_on_disk",
		(json_int_t)n->on_disk, "replication", n->replication, "padding", n->padding, "terms",
		(json_int_t)spec->terms, "row_norm", (json_int_t)spec->row_norm, "scale", (double)spec->scale,
		"label_bytes", (json_int_t)index->label_bytes, "query_bytes", (json_int_t)n->query_bytes,
		"reply_bytes", (json_int_t)n->reply_bytes, "codebook_bytes",
		(json_int_t)index->codebook_size);
	if (out && index->sealed)
		json_object_set_new(out, "sealed_bytes", json_integer((json_int_t)n->sealed_bytes));
	if (out && n->built)
		add_build(out, n->built);
	return out;
}

static enum veil_status print_json(const struct numbers *n, struct veil_error *err)
{
	json_t *object = to_json(n);
	int failed =
		!object || json_dumpf(object, stdout, JSON_REAL_PRECISION(9)) != 0 || putchar('\n') == EOF;

	json_decref(object);
	return failed ? error_set(err, VEIL_E_IO, "the report could not be written") : VEIL_OK;
}

static void print_text(const struct numbers *n)
{
	const struct store_index *index = n->index;
	const struct nn_spec *spec = &index->spec;
	char id[HASH_HEX_SIZE];

	hash_hex(id, index->id);
	printf("index        %s\n", index->name);
	printf("version      v%.16s\n", id);
	printf("rows         %" PRIu64 " of dimension %u, int8 with scale %.3f, norms up to %u\n",
		index->records, spec->dim, (double)spec->scale, spec->row_norm);
	printf("shards       %u of %u rows: %" PRIu64 " in use, %.2f times the input, and %.1f%% padding\n",
		index->shards, spec->rows, n->used, n->replication, 100 * n->padding);
	if (n->built && n->built->moved)
		printf("moved        %u rows outside their nearest shard, which was full\n", n->built->moved);
	printf("labels       %u bytes a row\n", index->label_bytes);
	printf("parameters   %s, %u terms\n", spec->params->name, spec->terms);
	printf("a query      %.1f KiB up, %.1f KiB down (%.1f of them labels); noise %.2g %s\n",
		(double)n->query_bytes / 1024, (double)n->reply_bytes / 1024,
		(double)spec->rows * index->label_bytes / 1024, n->noise,
		engine_exact(spec->params) ? "of a score before rounding: scores are exact" : "of a cosine");
	if (index->sealed)
		printf("sealed       %.1f KiB in all, the static half included (%s)\n",
			(double)n->sealed_bytes / 1024, index->sealed->name);
	printf("codebook     %.1f KiB\n", (double)index->codebook_size / 1024);
	if (!n->built)
		return;
	printf("written      %.1f MiB in %.1f s", (double)n->built->bytes / (1 << 20), n->built->seconds);
	for (unsigned i = 0; i < n->built->progress->phases; i++)
		printf("%s%s %.1f", i ? ", " : " (", n->built->progress->phase[i].name,
			n->built->progress->phase[i].seconds);
	printf(")\nmemory       %.1f MiB at the most, planned %.1f\n",
		(double)n->built->memory_peak / (1 << 20), (double)n->built->memory_planned / (1 << 20));
}

enum veil_status report_index(
	const struct store_index *index, const struct report_build *built, bool json, struct veil_error *err)
{
	struct numbers n = {.index = index, .built = built};
	enum veil_status st = count(&n, err);

	if (st != VEIL_OK)
		return st;
	if (json)
		return print_json(&n, err);
	print_text(&n);
	return VEIL_OK;
}
