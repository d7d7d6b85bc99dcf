/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_CACHE_H
#define SEARCH_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "search/metrics.h"
#include "veil/status.h"

/* Memory for shards in their transformed form, under one limit for all versions: what was used last stays,
 * the rest is transformed anew from the int8 rows when somebody asks for it. A slot belongs to its owner (one
 * a shard of a version), its memory to the cache. One lock guards the bookkeeping; nobody holds it while a
 * shard is filled or read. Any thread. */

enum cache_state { CACHE_COLD, CACHE_FILLING, CACHE_READY };

struct cache_slot {
	void *memory; /* NULL while cold */
	size_t bytes;
	enum cache_state state;
	unsigned pins; /* how many use it now; it stays until that is 0 */
	struct cache_slot *newer, *older; /* among those that are ready and not pinned */
};

struct cache;

/** Makes the content of a slot. Called without the lock, once for all that wait. */
struct cache_fill {
	void (*fill)(void *state, void *memory);
	void *state;
};

/** `limit_bytes` is of the slots' memory; one slot is always possible. `metrics` counts hits, misses and
 * evictions. VEIL_E_NOMEM. */
enum veil_status cache_create(
	struct cache **out, size_t limit_bytes, struct metrics *metrics) VEIL_MUST_CHECK;
/** Every slot is cold. Accepts NULL. */
void cache_destroy(struct cache *c);

/** A lower limit holds at once, but for slots in use. */
void cache_set_limit(struct cache *c, size_t limit_bytes);
size_t cache_limit(struct cache *c);
size_t cache_bytes(struct cache *c);

/** A slot of all zeros but for `bytes`: its content, pinned until cache_give. If it is cold it is filled; if
 * somebody else is filling it, or all memory is in use, this waits, which is safe as long as no thread has
 * two slots. NULL if the system gives no memory. */
const void *cache_take(struct cache *c, struct cache_slot *slot, struct cache_fill fill);
void cache_give(struct cache *c, struct cache_slot *slot);
/** Fills a cold slot if nothing has to make way for it; false if something had to. */
bool cache_warm(struct cache *c, struct cache_slot *slot, struct cache_fill fill);
/** Nobody uses the slot any more: its memory goes. */
void cache_drop(struct cache *c, struct cache_slot *slot);

#endif
