/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_SNAPSHOT_H
#define SEARCH_SNAPSHOT_H

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

#endif
