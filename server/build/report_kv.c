/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "base/error.h"
#include "build/kv.h"

/* What a request costs: all tables are asked in each. */
struct costs {
	uint64_t up, down; /* of every request, but for their frames */
	uint64_t constants; /* the static halves, once an epoch */
	uint64_t read; /* bytes that a lookup of one key reads */
	uint64_t used; /* bytes of the tables */
};

static struct costs count(const struct store_kv *kv)
{
	struct costs c = {0};

	for (unsigned t = 0; t < kv->tables; t++) {
		const struct silent_context *ctx = kv->table[t].ctx;
		const struct silent_table_view view = silent_collection_table(&kv->collection, t);

		c.up += (uint64_t)view.lookups * ctx->query_bytes;
		c.down += (uint64_t)view.lookups * ctx->reply_bytes;
		c.constants += kv->table[t].constants.size;
		c.read += (uint64_t)view.chunks * ctx->spec.packs * (ctx->table_bytes + ctx->material_bytes);
		c.used += ctx->spec.packs * ctx->table_bytes;
	}
	return c;
}

static json_t *table_json(const struct silent_table *t)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "rows", (json_int_t)t->rows, "packs", (json_int_t)t->packs,
		"slots", (json_int_t)t->slots, "record_bytes", (json_int_t)t->record_bytes);
}

static void add_built(json_t *out, const struct kv_report *b)
{
	json_t *phases = json_object();

	for (unsigned i = 0; i < b->progress->phases; i++)
		json_object_set_new(
			phases, b->progress->phase[i].name, json_real(b->progress->phase[i].seconds));
	json_object_set_new(out, "changes", json_integer(b->changes));
	json_object_set_new(out, "threads", json_integer(b->threads));
	json_object_set_new(out, "packs_reused", json_integer(b->reused));
	json_object_set_new(out, "memory_planned_bytes", json_integer((json_int_t)b->memory_planned));
	json_object_set_new(out, "memory_peak_bytes",
		b->memory_peak ? json_integer((json_int_t)b->memory_peak) : json_null());
	json_object_set_new(out, "phase_seconds", phases);
	json_object_set_new(out, "seconds", json_real(b->seconds));
}

static json_t *to_json(const struct store_kv *kv, const struct kv_report *built)
{
	const struct silent_collection *c = &kv->collection;
	const struct costs costs = count(kv);
	json_t *classes = json_array(), *out;
	char id[HASH_HEX_SIZE];

	for (unsigned i = 0; i < c->classes; i++) {
		json_t *class = json_pack("{s:I, s:I, s:o}", "value_bytes",
			(json_int_t)silent_collection_room(c, i), "chunks", (json_int_t)c->class[i].chunks,
			"base", table_json(&c->class[i].base));

		if (c->class[i].delta.rows)
			json_object_set_new(class, "delta", table_json(&c->class[i].delta));
		json_array_append_new(classes, class);
	}
	hash_hex(id, kv->id);
	out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "kind",
		"kv", "id", id, "name", c->name, "params", c->params->name, "access",
		c->access == SILENT_BY_KEY ? "key" : "number", "records", (json_int_t)c->records, "keys",
		(json_int_t)c->keys, "base_epoch", (json_int_t)c->base_epoch, "epoch", (json_int_t)c->epoch,
		"query_bytes", (json_int_t)costs.up, "reply_bytes", (json_int_t)costs.down, "static_bytes",
		(json_int_t)costs.constants, "table_bytes", (json_int_t)costs.used, "bytes",
		(json_int_t)kv->bytes, "class", classes);
	if (out && built)
		add_built(out, built);
	return out;
}

static enum veil_status print_json(
	const struct store_kv *kv, const struct kv_report *built, struct veil_error *err)
{
	json_t *object = to_json(kv, built);
	int failed =
		!object || json_dumpf(object, stdout, JSON_REAL_PRECISION(9)) != 0 || putchar('\n') == EOF;

	json_decref(object);
	return failed ? error_set(err, VEIL_E_IO, "the report could not be written") : VEIL_OK;
}

static void print_table(const char *name, const struct silent_table *t)
{
	printf("  %-10s %u rows of %u records of %u bytes, %u pack%s\n", name, t->rows, t->slots,
		t->record_bytes, t->packs, t->packs > 1 ? "s" : "");
}

static void print_built(const struct kv_report *b)
{
	printf("%-12s %.1f s", b->changes ? "changed" : "built", b->seconds);
	for (unsigned i = 0; i < b->progress->phases; i++)
		printf("%s%s %.1f", i ? ", " : " (", b->progress->phase[i].name,
			b->progress->phase[i].seconds);
	printf("), %u threads\n", b->threads);
	if (b->memory_planned)
		printf("memory       %.1f MiB at the most, planned %.1f\n",
			(double)b->memory_peak / (1 << 20), (double)b->memory_planned / (1 << 20));
}

static void print_text(const struct store_kv *kv, const struct kv_report *built)
{
	const struct silent_collection *c = &kv->collection;
	const struct costs costs = count(kv);
	char id[HASH_HEX_SIZE];

	hash_hex(id, kv->id);
	printf("collection   %s, asked by %s\n", c->name, c->access == SILENT_BY_KEY ? "key" : "number");
	printf("version      v%.16s, epoch %" PRIu64 ", base of epoch %" PRIu64 "\n", id, c->epoch,
		c->base_epoch);
	printf("records      %" PRIu64 "\n", c->records);
	for (unsigned i = 0; i < c->classes; i++) {
		printf("class %-6u values up to %u bytes in %u chunk%s\n", i, silent_collection_room(c, i),
			c->class[i].chunks, c->class[i].chunks > 1 ? "s" : "");
		print_table("base", &c->class[i].base);
		if (c->class[i].delta.rows)
			print_table("delta", &c->class[i].delta);
	}
	printf("parameters   %s\n", c->params->name);
	printf("a request    %u key%s: %.1f KiB up, %.1f KiB down; static half %.1f KiB, once an epoch\n",
		c->keys, c->keys > 1 ? "s" : "", (double)costs.up / 1024, (double)costs.down / 1024,
		(double)costs.constants / 1024);
	printf("a server     reads %.1f MiB for a key; %.1f MiB on the disk, %.1f of them tables\n",
		(double)costs.read / (1 << 20), (double)kv->bytes / (1 << 20),
		(double)costs.used / (1 << 20));
	if (built)
		print_built(built);
}

enum veil_status kv_report(
	const struct store_kv *kv, const struct kv_report *built, bool json, struct veil_error *err)
{
	if (json)
		return print_json(kv, built, err);
	print_text(kv, built);
	return VEIL_OK;
}
