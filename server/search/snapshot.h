/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_SNAPSHOT_H
#define SEARCH_SNAPSHOT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "nn/context.h"
#include "store/index.h"
#include "veil/status.h"

/* What is served: one version of an index, everything that follows from it, immutable, counted. */
struct snapshot {
	atomic_uint references;
	struct store_index *index;
	struct nn_context *ctx;
	uint8_t *shards; /* [index->shards] of ctx->shard_bytes, transformed, 64-byte aligned */
	size_t shards_bytes;
	uint8_t *config; /* the body of GET /v1/config */
	size_t config_size;
	size_t query_bytes; /* of whole bodies */
	size_t reply_bytes;
};

/** Opens and verifies the index below `dir` and transforms its shards, saying now and then how far it is. The
 * caller holds one reference. `features` as cpu_features() gives them. Errors as store_index_open and
 * nn_context_create. */
enum veil_status snapshot_load(
	struct snapshot **out, const char *dir, unsigned features, struct veil_error *err) VEIL_MUST_CHECK;
/** Gives a reference back; the last one frees. Accepts NULL. Its type is that of a callback. */
void snapshot_release(void *snapshot);

const void *snapshot_shard(const struct snapshot *s, uint32_t shard);

/** The snapshot in force: it may be replaced while others are being used. */
struct snapshot_slot {
	pthread_mutex_t lock;
	struct snapshot *current;
};

/** Takes over the caller's reference. */
void snapshot_slot_init(struct snapshot_slot *slot, struct snapshot *first);
/** A new reference to the current one. */
struct snapshot *snapshot_slot_get(struct snapshot_slot *slot);
/** Takes over the caller's reference and gives the old one's back. */
void snapshot_slot_set(struct snapshot_slot *slot, struct snapshot *next);
/** Nobody uses the slot any more; references from it live on. */
void snapshot_slot_clear(struct snapshot_slot *slot);

#endif
