/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_SNAPSHOT_H
#define SEARCH_SNAPSHOT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "apple/engine.h"
#include "base/arena.h"
#include "search/cache.h"
#include "store/index.h"
#include "store/kv.h"
#include "store/sealed.h"
#include "veil/status.h"
#include "wire/retrieve.h"

/* What is served: one version of an index and everything that follows from it, immutable but for what the
 * cache holds of it, counted. */
struct snapshot {
	atomic_uint references;
	struct store_index *index;
	struct engine engine;
	const struct nn_context *ctx; /* its shape */
	struct cache *cache; /* of all versions, outlives this */
	struct cache_slot
		*slot; /* [index->shards] of ctx->shard_bytes: the transformed shards that are there */
	uint8_t *config; /* the body of GET /v1/config */
	size_t config_size;
	uint8_t config_hash[HASH_BYTES];
	size_t query_bytes; /* of whole bodies */
	size_t reply_bytes;
	struct store_sealed *sealed; /* NULL: the index has no sealed search */
	struct wire_retrieval retrieval; /* of one sealed search */
	size_t sealed_query_bytes; /* of whole bodies; 0: none */
	size_t sealed_reply_bytes;
	struct store_kv *tables; /* of private retrieval; NULL: none */
	struct wire_retrieval lookup; /* of one request of them */
	uint8_t *collection; /* the body of GET /v1/collection */
	size_t collection_size;
	size_t lookup_query_bytes; /* of whole bodies; 0: none */
	size_t lookup_reply_bytes;
};

/** Opens and verifies the index below `dir`, and the collection below `tables` unless that is "". The caller
 * holds one reference. `features` as cpu_features() gives them. Errors as store_index_open and engine_open,
 * VEIL_E_TIMEOUT when the daemon is to stop. */
enum veil_status snapshot_load(struct snapshot **out, const char *dir, const char *tables, unsigned features,
	struct cache *cache, struct veil_error *err) VEIL_MUST_CHECK;
/** Transforms shards ahead of the queries for them, as many as the cache has room for. Says now and then how
 * far it is. VEIL_E_NOMEM; VEIL_E_TIMEOUT when the daemon is to stop. */
enum veil_status snapshot_warm(struct snapshot *s, struct veil_error *err) VEIL_MUST_CHECK;
/** Are index and collection the same versions? */
bool snapshot_same(const struct snapshot *a, const struct snapshot *b);
/** Gives a reference back; the last one frees. Accepts NULL. Its type is that of a callback. */
void snapshot_release(void *snapshot);

/** A transformed shard, from the cache or made now with `scratch` (ctx->shard_scratch of it); NULL if memory
 * ran out. A thread has one at a time and gives it back. */
const void *snapshot_shard_take(struct snapshot *s, uint32_t shard, struct arena *scratch);
void snapshot_shard_give(struct snapshot *s, uint32_t shard);

#endif
