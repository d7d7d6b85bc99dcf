/* SPDX-License-Identifier: Apache-2.0 */
#include "search/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/require.h"
#include "kit/clock.h"
#include "kit/log.h"
#include "nn/shard.h"
#include "wire/messages.h"

#define PROGRESS_NS 5000000000u

static enum veil_status make_config(struct snapshot *s, struct veil_error *err)
{
	const struct store_index *index = s->index;
	struct wire_config c = {.spec = index->spec,
		.shards = index->shards,
		.label_bytes = index->label_bytes,
		.records = index->records};
	enum veil_status st;

	s->query_bytes = wire_query_bytes(s->ctx);
	s->reply_bytes = wire_reply_bytes(s->ctx, index->label_bytes);
	if (s->query_bytes > UINT32_MAX || s->reply_bytes > UINT32_MAX || index->codebook_size > UINT32_MAX)
		return error_set(
			err, VEIL_E_UNSUPPORTED, "a message of this index would be larger than 4 GiB");
	c.query_bytes = (uint32_t)s->query_bytes;
	c.reply_bytes = (uint32_t)s->reply_bytes;
	c.codebook_bytes = (uint32_t)index->codebook_size;
	memcpy(c.index_id, index->id, HASH_BYTES);
	memcpy(c.codebook_hash, index->codebook_hash, HASH_BYTES);
	if (!wire_config_set_name(&c, index->name))
		return error_set(err, VEIL_E_CORRUPT,
			"the index's name is not at most %d bytes of printable UTF-8", WIRE_MAX_NAME_BYTES);
	st = wire_config_write(&s->config, &s->config_size, &c);
	return st == VEIL_OK ? st : error_set(err, st, "no memory for the configuration");
}

static enum veil_status transform(struct snapshot *s, struct veil_error *err)
{
	uint64_t said = clock_ns();
	struct arena scratch;
	void *memory;

	s->shards_bytes = s->index->shards * s->ctx->shard_bytes;
	memory = mmap(NULL, s->shards_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return error_set(err, VEIL_E_NOMEM, "%zu bytes for %u transformed shards: %s",
			s->shards_bytes, (unsigned)s->index->shards, strerror(errno));
	s->shards = memory;
	madvise(s->shards, s->shards_bytes, MADV_HUGEPAGE); /* fewer page walks; fine if refused */
	if (arena_init(&scratch, s->ctx->shard_scratch) != VEIL_OK)
		return error_set(err, VEIL_E_NOMEM, "no memory to transform a shard");
	for (uint32_t i = 0; i < s->index->shards; i++) {
		const struct store_shard *from = s->index->shard + i;

		arena_reset(&scratch);
		nn_shard_transform(
			s->ctx, s->shards + i * s->ctx->shard_bytes, from->rows, from->used, &scratch);
		if (clock_ns() - said >= PROGRESS_NS) {
			said = clock_ns();
			log_info("transformed %u of %u shards", (unsigned)i + 1, (unsigned)s->index->shards);
		}
	}
	arena_clear(&scratch);
	return VEIL_OK;
}

enum veil_status snapshot_load(
	struct snapshot **out, const char *dir, unsigned features, struct veil_error *err)
{
	struct snapshot *s = calloc(1, sizeof *s);
	enum veil_status st;

	*out = NULL;
	if (!s)
		return error_set(err, VEIL_E_NOMEM, "no memory for a snapshot");
	atomic_init(&s->references, 1);
	st = store_index_open(&s->index, dir, err);
	if (st == VEIL_OK)
		st = nn_context_create(&s->ctx, &s->index->spec, features, err);
	if (st == VEIL_OK)
		st = make_config(s, err);
	if (st == VEIL_OK)
		st = transform(s, err);
	if (st == VEIL_OK)
		*out = s;
	else
		snapshot_release(s);
	return st;
}

void snapshot_release(void *snapshot)
{
	struct snapshot *s = snapshot;

	if (!s || atomic_fetch_sub(&s->references, 1) > 1)
		return;
	if (s->shards)
		munmap(s->shards, s->shards_bytes);
	free(s->config);
	nn_context_destroy(s->ctx);
	store_index_close(s->index);
	free(s);
}

const void *snapshot_shard(const struct snapshot *s, uint32_t shard)
{
	REQUIRE(shard < s->index->shards);
	return s->shards + shard * s->ctx->shard_bytes;
}
