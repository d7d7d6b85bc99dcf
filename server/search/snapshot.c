/* SPDX-License-Identifier: Apache-2.0 */
#include "search/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/require.h"
#include "kit/clock.h"
#include "kit/lifecycle.h"
#include "kit/log.h"
#include "kit/pages.h"
#include "search/describe.h"

#define PROGRESS_NS 5000000000u

static enum veil_status make_config(struct snapshot *s, struct veil_error *err)
{
	struct wire_config c;
	enum veil_status st =
		describe_index(&s->config, &s->config_size, &c, s->index, s->ctx, s->sealed, err);

	if (st != VEIL_OK)
		return st;
	s->query_bytes = c.query_bytes;
	s->reply_bytes = c.reply_bytes;
	hash_sha256(s->config_hash, s->config, s->config_size);
	return VEIL_OK;
}

static bool go_on(void *state)
{
	(void)state;
	return !lifecycle_stopping();
}

static enum veil_status make_sealed(struct snapshot *s, unsigned features, struct veil_error *err)
{
	const struct exec exec = exec_serial();
	const uint64_t start = clock_ns();
	enum veil_status st;

	if (!s->index->sealed)
		return VEIL_OK;
	st = store_sealed_create(&s->sealed, s->index, features, &exec, go_on, NULL, err);
	if (st != VEIL_OK)
		return st;
	s->retrieval = describe_retrieval(s->sealed);
	s->sealed_query_bytes = wire_retrieve_bytes(&s->retrieval);
	s->sealed_reply_bytes = wire_retrieved_bytes(&s->retrieval);
	log_info("sealed search: %u packs of %u rows, %llu MiB, made in %.1f s",
		(unsigned)s->sealed->sealed->ctx->spec.packs, (unsigned)s->sealed->sealed->ctx->spec.rows,
		(unsigned long long)store_sealed_bytes(s->sealed->sealed) >> 20,
		(double)(clock_ns() - start) * 1e-9);
	return VEIL_OK;
}

static enum veil_status open_tables(
	struct snapshot *s, const char *dir, unsigned features, struct veil_error *err)
{
	const struct store_kv_options options = {.features = features, .go_on = go_on};
	enum veil_status st;

	if (!dir[0])
		return VEIL_OK;
	st = store_kv_open(&s->tables, dir, &options, err);
	if (st == VEIL_OK)
		st = describe_collection(&s->collection, &s->collection_size, &s->lookup, s->tables, err);
	if (st != VEIL_OK)
		return st;
	s->lookup_query_bytes = wire_retrieve_bytes(&s->lookup);
	s->lookup_reply_bytes = wire_retrieved_bytes(&s->lookup);
	log_info(
		"collection '%s': %llu records in %u tables, %llu MiB, a request %zu and its reply %zu bytes",
		s->tables->collection.name, (unsigned long long)s->tables->collection.records,
		s->lookup.tables, (unsigned long long)s->tables->bytes >> 20, s->lookup_query_bytes,
		s->lookup_reply_bytes);
	return VEIL_OK;
}

struct transform {
	const struct snapshot *s;
	uint32_t shard;
	struct arena *scratch;
};

static void transform(void *state, void *memory)
{
	const struct transform *t = state;
	const struct store_shard *from = t->s->index->shard + t->shard;

	engine_shard(&t->s->engine, memory, from->rows, from->used, t->scratch);
	/* The rows stay in the system's page cache, which it shrinks as needed, but not in our memory. */
	pages_forget(from->rows, (size_t)from->used * t->s->index->spec.dim);
}

static enum veil_status make_slots(struct snapshot *s, struct veil_error *err)
{
	const struct store_index *index = s->index;

	s->slot = calloc(index->shards, sizeof *s->slot);
	if (!s->slot)
		return error_set(err, VEIL_E_NOMEM, "no memory for %u shards", (unsigned)index->shards);
	for (uint32_t i = 0; i < index->shards; i++) {
		s->slot[i].bytes = s->ctx->shard_bytes;
		/* Opening the index has read them all. */
		pages_forget(index->shard[i].rows, (size_t)index->spec.rows * index->spec.dim);
		pages_forget(index->shard[i].labels, (size_t)index->spec.rows * index->label_bytes);
	}
	return VEIL_OK;
}

enum veil_status snapshot_load(struct snapshot **out, const char *dir, const char *tables, unsigned features,
	struct cache *cache, struct veil_error *err)
{
	struct snapshot *s = calloc(1, sizeof *s);
	enum veil_status st;

	*out = NULL;
	if (!s)
		return error_set(err, VEIL_E_NOMEM, "no memory for a snapshot");
	atomic_init(&s->references, 1);
	s->cache = cache;
	st = store_index_open_while(&s->index, dir, go_on, NULL, err);
	if (st == VEIL_OK)
		st = engine_open(&s->engine, &s->index->spec, features, err);
	s->ctx = s->engine.shape;
	if (st == VEIL_OK)
		st = make_sealed(s, features, err);
	if (st == VEIL_OK)
		st = make_config(s, err);
	if (st == VEIL_OK)
		st = open_tables(s, tables, features, err);
	if (st == VEIL_OK)
		st = make_slots(s, err);
	if (st == VEIL_OK)
		*out = s;
	else
		snapshot_release(s);
	return st;
}

bool snapshot_same(const struct snapshot *a, const struct snapshot *b)
{
	if (!a->tables != !b->tables || (a->tables && memcmp(a->tables->id, b->tables->id, HASH_BYTES) != 0))
		return false;
	return memcmp(a->index->id, b->index->id, HASH_BYTES) == 0;
}

void snapshot_release(void *snapshot)
{
	struct snapshot *s = snapshot;

	if (!s || atomic_fetch_sub(&s->references, 1) > 1)
		return;
	for (uint32_t i = 0; s->slot && i < s->index->shards; i++)
		cache_drop(s->cache, s->slot + i);
	free(s->slot);
	free(s->config);
	free(s->collection);
	store_kv_close(s->tables);
	store_sealed_destroy(s->sealed);
	engine_close(&s->engine);
	store_index_close(s->index);
	free(s);
}

enum veil_status snapshot_warm(struct snapshot *s, struct veil_error *err)
{
	enum veil_status st = VEIL_OK;
	uint64_t said = clock_ns();
	struct arena scratch;
	uint32_t i;

	if (arena_init(&scratch, s->ctx->shard_scratch) != VEIL_OK)
		return error_set(err, VEIL_E_NOMEM, "no memory to transform a shard");
	for (i = 0; i < s->index->shards; i++) {
		struct transform t = {s, i, &scratch};

		if (!go_on(NULL)) {
			st = error_set(err, VEIL_E_TIMEOUT, "told to stop after transforming %u of %u shards",
				(unsigned)i, (unsigned)s->index->shards);
			break;
		}
		if (!cache_warm(s->cache, s->slot + i, (struct cache_fill){transform, &t}))
			break;
		if (clock_ns() - said >= PROGRESS_NS) {
			said = clock_ns();
			log_info("transformed %u of %u shards", (unsigned)i + 1, (unsigned)s->index->shards);
		}
	}
	if (st == VEIL_OK)
		log_info("%u of %u shards are in memory, %zu bytes each", (unsigned)i,
			(unsigned)s->index->shards, s->ctx->shard_bytes);
	arena_clear(&scratch);
	return st;
}

const void *snapshot_shard_take(struct snapshot *s, uint32_t shard, struct arena *scratch)
{
	struct transform t = {s, shard, scratch};

	REQUIRE(shard < s->index->shards);
	return cache_take(s->cache, s->slot + shard, (struct cache_fill){transform, &t});
}

void snapshot_shard_give(struct snapshot *s, uint32_t shard)
{
	cache_give(s->cache, s->slot + shard);
}
