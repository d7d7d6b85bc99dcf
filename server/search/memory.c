/* SPDX-License-Identifier: Apache-2.0 */
#include "search/memory.h"

#include "base/error.h"
#include "kit/http.h"
#include "search/gateway.h"

#define MIB ((size_t)1 << 20)
#define BASE_BYTES (16 * MIB) /* the program, its libraries, stacks in use, the heap's waste */
#define BODIES_SHARE 8 /* at most this part of the limit each way */

enum veil_status memory_plan(struct memory_plan *out, const struct config *config, unsigned workers,
	size_t worker_bytes, const struct snapshot *s, struct veil_error *err)
{
	size_t connections = (size_t)config->connections * HTTP_CONNECTION_BYTES;
	size_t codebook = s->index->codebook_size; /* mapped, and read by every new client */
	size_t fixed = BASE_BYTES + connections + workers * worker_bytes + codebook + gateway_memory(config) +
		       (s->tables ? (size_t)s->tables->bytes : 0) +
		       (s->sealed ? (size_t)store_sealed_bytes(s->sealed->sealed) : 0);
	/* Each worker has one shard in use; a reload, while it warms the new version, another. */
	size_t need = fixed + (workers + 1) * s->ctx->shard_bytes, least;

	*out = (struct memory_plan){(size_t)config->body_memory_mb * MIB, SIZE_MAX};
	if (config->memory_limit == 0)
		return VEIL_OK;
	least = need + 2 * out->bodies; /* or with bodies at their share of the limit */
	if (least > need / (BODIES_SHARE - 2) * BODIES_SHARE)
		least = need / (BODIES_SHARE - 2) * BODIES_SHARE;
	if (out->bodies > config->memory_limit / BODIES_SHARE)
		out->bodies = config->memory_limit / BODIES_SHARE;
	fixed += 2 * out->bodies;
	if (config->memory_limit >= least) {
		out->cache = config->memory_limit - fixed;
		return VEIL_OK;
	}
	return error_set(err, VEIL_E_INVALID,
		"memory-limit is too small for this index: %u connections, %u workers and %u shards of %zu "
		"bytes "
		"need %zuM; lower --connections or --workers, or raise it",
		config->connections, workers, workers + 1, s->ctx->shard_bytes, least / MIB + 1);
}
