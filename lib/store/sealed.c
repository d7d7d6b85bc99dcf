/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sealed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "silent/offline.h"

struct store_sealed_memory {
	const struct store_index *index; /* while it is made */
	struct store_sealed *s;
	bool (*go_on)(void *state);
	void *state;
	int8_t *tables; /* [packs][table_bytes] */
	uint8_t *material; /* [packs][material_bytes] */
};

void store_sealed_spec(struct silent_sealed_spec *spec, const struct store_index *index)
{
	*spec = (struct silent_sealed_spec){.params = index->sealed,
		.clusters = index->shards,
		.rows = index->spec.rows,
		.dim = index->spec.dim,
		.row_norm = index->spec.row_norm,
		.scale = index->spec.scale};
	silent_sealed_seed(spec->seed, index->id);
}

static size_t tables_bytes(const struct silent_context *ctx)
{
	return ctx->spec.packs * ctx->table_bytes;
}

static size_t material_bytes(const struct silent_context *ctx)
{
	return ctx->spec.packs * ctx->material_bytes;
}

uint64_t store_sealed_bytes(const struct silent_sealed *sealed)
{
	return (uint64_t)tables_bytes(sealed->ctx) + material_bytes(sealed->ctx) +
	       (uint64_t)sealed->ctx->spec.packs * sealed->ctx->static_bytes;
}

/* Zeros, in large pages: the scan reads all of it for each query. */
static void *take(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

static const int8_t *table(void *state, uint32_t pack)
{
	const struct store_sealed_memory *m = state;
	const struct silent_sealed *sealed = m->s->sealed;
	int8_t *out = m->tables + pack * sealed->ctx->table_bytes;

	for (uint32_t c = 0; c < m->index->shards; c++)
		silent_sealed_fill(sealed, out, pack, c, m->index->shard[c].rows, m->index->shard[c].used);
	return out;
}

static void *material(void *state, uint32_t pack)
{
	const struct store_sealed_memory *m = state;

	return m->go_on(m->state) ? m->material + pack * m->s->sealed->ctx->material_bytes : NULL;
}

static enum veil_status done(void *state, uint32_t pack, struct veil_error *err)
{
	const struct store_sealed_memory *m = state;
	const struct silent_context *ctx = m->s->sealed->ctx;

	(void)err;
	m->s->pack[pack] = silent_pack_view(
		ctx, m->tables + pack * ctx->table_bytes, m->material + pack * ctx->material_bytes);
	memcpy(m->s->constants + pack * ctx->static_bytes, m->s->pack[pack].constant, ctx->static_bytes);
	return VEIL_OK;
}

static enum veil_status allocate(struct store_sealed *s, const struct store_index *index)
{
	const struct silent_context *ctx = s->sealed->ctx;

	s->constants_bytes = ctx->spec.packs * ctx->static_bytes;
	s->labels_bytes = (size_t)index->shards * index->spec.rows * index->label_bytes;
	s->pack = calloc(ctx->spec.packs, sizeof *s->pack);
	s->constants = malloc(s->constants_bytes);
	s->labels = s->labels_bytes ? malloc(s->labels_bytes) : NULL;
	s->memory = calloc(1, sizeof *s->memory);
	if (!s->memory)
		return VEIL_E_NOMEM;
	s->memory->tables = take(tables_bytes(ctx));
	s->memory->material = take(material_bytes(ctx));
	return s->pack && s->constants && (s->labels || !s->labels_bytes) && s->memory->tables &&
			       s->memory->material
		       ? VEIL_OK
		       : VEIL_E_NOMEM;
}

static void copy_labels(struct store_sealed *s, const struct store_index *index)
{
	const size_t size = (size_t)index->spec.rows * index->label_bytes;

	if (!size)
		return;
	for (uint32_t c = 0; c < index->shards; c++)
		memcpy(s->labels + c * size, index->shard[c].labels, size);
	hash_sha256(s->labels_hash, s->labels, s->labels_bytes);
}

enum veil_status store_sealed_create(struct store_sealed **out, const struct store_index *index,
	unsigned features, const struct exec *exec, bool (*go_on)(void *state), void *state,
	struct veil_error *err)
{
	struct store_sealed *s = calloc(1, sizeof *s);
	struct silent_sealed_spec spec;
	struct silent_offline_job job = {.table = table, .material = material, .done = done};
	enum veil_status st;

	*out = NULL;
	if (!s)
		return error_set(err, VEIL_E_NOMEM, "no memory for sealed search");
	store_sealed_spec(&spec, index);
	st = silent_sealed_create(&s->sealed, &spec, features, err);
	if (st == VEIL_OK) {
		st = allocate(s, index);
		if (st != VEIL_OK)
			error_set(err, st, "no memory for sealed search: it takes %llu MiB",
				(unsigned long long)store_sealed_bytes(s->sealed) >> 20);
	}
	if (st == VEIL_OK) {
		*s->memory = (struct store_sealed_memory){
			index, s, go_on, state, s->memory->tables, s->memory->material};
		job.state = s->memory;
		st = silent_offline_run(s->sealed->ctx, &job, exec, err);
	}
	if (st == VEIL_OK && !go_on(state))
		st = error_set(err, VEIL_E_TIMEOUT, "told to stop while sealed search was prepared");
	if (st != VEIL_OK) {
		store_sealed_destroy(s);
		return st;
	}
	hash_sha256(s->constants_hash, s->constants, s->constants_bytes);
	copy_labels(s, index);
	*out = s;
	return VEIL_OK;
}

void store_sealed_destroy(struct store_sealed *s)
{
	if (!s)
		return;
	if (s->memory && s->memory->tables)
		munmap(s->memory->tables, tables_bytes(s->sealed->ctx));
	if (s->memory && s->memory->material)
		munmap(s->memory->material, material_bytes(s->sealed->ctx));
	free(s->memory);
	free(s->pack);
	free(s->constants);
	free(s->labels);
	silent_sealed_destroy(s->sealed);
	free(s);
}
