/* SPDX-License-Identifier: Apache-2.0 */
#include "support/silent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/require.h"

static void must(enum veil_status st, const struct veil_error *err)
{
	if (st != VEIL_OK)
		fprintf(stderr, "%s\n", err->text);
	REQUIRE(st == VEIL_OK);
}

/* As a server keeps them. */
static void *take(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

void silent_shop_init(struct silent_shop *s, const struct rlwe_params *params, uint32_t rows, uint32_t packs,
	unsigned features, const struct rng *rng, int8_t fill)
{
	struct silent_spec spec = {
		.params = params, .rows = rows, .packs = packs, .seed = "a table", .allow_insecure = true};
	struct veil_error err;

	memset(s, 0, sizeof *s);
	must(silent_context_create(&s->ctx, &spec, features, &err), &err);
	s->table = take(packs * s->ctx->table_bytes);
	s->material = take(packs * s->ctx->material_bytes);
	s->constants = malloc(packs * s->ctx->static_bytes);
	REQUIRE(s->constants);
	must(arena_init(&s->arena, silent_answer_room(s->ctx, SILENT_MAX_QUERIES) +
					   silent_answer_scratch(s->ctx, SILENT_MAX_QUERIES)),
		&err);
	if (rng)
		rng_fill(rng, s->table, packs * s->ctx->table_bytes);
	else
		memset(s->table, fill, packs * s->ctx->table_bytes);
}

static size_t at(const struct silent_shop *s, uint32_t row, uint32_t column)
{
	return column / s->ctx->n * s->ctx->table_bytes + silent_offset(s->ctx, row, column);
}

int8_t silent_shop_get(const struct silent_shop *s, uint32_t row, uint32_t column)
{
	return s->table[at(s, row, column)];
}

void silent_shop_put(struct silent_shop *s, uint32_t row, uint32_t column, int8_t value)
{
	s->table[at(s, row, column)] = value;
}

static const int8_t *job_table(void *state, uint32_t pack)
{
	struct silent_shop *s = state;

	return s->table + pack * s->ctx->table_bytes;
}

static void *job_material(void *state, uint32_t pack)
{
	struct silent_shop *s = state;

	return s->material + pack * s->ctx->material_bytes;
}

static struct silent_pack view(const struct silent_shop *s, uint32_t pack)
{
	return silent_pack_view(
		s->ctx, s->table + pack * s->ctx->table_bytes, s->material + pack * s->ctx->material_bytes);
}

static enum veil_status job_done(void *state, uint32_t pack, struct veil_error *err)
{
	struct silent_shop *s = state;

	(void)err;
	memcpy(s->constants + pack * s->ctx->static_bytes, view(s, pack).constant, s->ctx->static_bytes);
	return VEIL_OK;
}

void silent_shop_prepare(struct silent_shop *s)
{
	const struct silent_offline_job job = {
		.state = s, .table = job_table, .material = job_material, .done = job_done};
	struct exec exec = exec_serial();
	struct veil_error err;

	must(silent_offline_run(s->ctx, &job, &exec, &err), &err);
}

void silent_shop_pretend(struct silent_shop *s)
{
	const struct silent_context *ctx = s->ctx;

	for (uint32_t k = 0; k < ctx->spec.packs; k++) {
		uint8_t *material = s->material + k * ctx->material_bytes;
		int32_t *matrix = (int32_t *)material;

		memset(material, 0, ctx->material_bytes);
		for (size_t i = 0; i < (size_t)ctx->n * ctx->terms; i++)
			matrix[i] = (int32_t)(i * 2654435761u >> 13) - (1 << 18);
	}
}

void silent_shop_answer(
	struct silent_shop *s, uint8_t *const *replies, const uint8_t *const *queries, unsigned count)
{
	struct silent_answer answer;

	silent_answer_prepare(&answer, s->ctx, queries, count, &s->arena);
	for (uint32_t k = 0; k < s->ctx->spec.packs; k++) {
		uint8_t *parts[SILENT_MAX_QUERIES];
		struct silent_pack pack = view(s, k);

		for (unsigned v = 0; v < count; v++)
			parts[v] = replies[v] + k * s->ctx->short_bytes;
		silent_answer_pack(&answer, parts, &pack, &s->arena);
	}
	arena_reset(&s->arena);
}

void silent_shop_clear(struct silent_shop *s)
{
	munmap(s->table, s->ctx->spec.packs * s->ctx->table_bytes);
	munmap(s->material, s->ctx->spec.packs * s->ctx->material_bytes);
	free(s->constants);
	arena_clear(&s->arena);
	silent_context_destroy(s->ctx);
}
