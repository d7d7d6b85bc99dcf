/* SPDX-License-Identifier: Apache-2.0 */
#include "search/cache.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/require.h"
#include "kit/locked.h"
#include "kit/pages.h"

struct cache {
	pthread_mutex_t lock; /* guards all below, and the slots */
	pthread_cond_t changed; /* a slot became ready or free of pins */
	struct cache_slot *newest, *oldest; /* ready, not pinned */
	size_t used; /* bytes of all slots that are not cold */
	size_t limit;
	struct metrics *metrics;
};

enum veil_status cache_create(struct cache **out, size_t limit_bytes, struct metrics *metrics)
{
	struct cache *c = calloc(1, sizeof *c);

	*out = c;
	if (!c)
		return VEIL_E_NOMEM;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	c->limit = limit_bytes;
	c->metrics = metrics;
	return VEIL_OK;
}

void cache_destroy(struct cache *c)
{
	if (!c)
		return;
	REQUIRE(c->used == 0 && !c->newest);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* From here to the next such line the lock is held. */

static void unlink_slot(struct cache *c, struct cache_slot *slot)
{
	*(slot->newer ? &slot->newer->older : &c->newest) = slot->older;
	*(slot->older ? &slot->older->newer : &c->oldest) = slot->newer;
	slot->newer = slot->older = NULL;
}

static void link_newest(struct cache *c, struct cache_slot *slot)
{
	slot->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = slot;
	c->newest = slot;
}

/* Makes the oldest slot cold; its memory, still counted in `used`, is the caller's. */
static void *evict(struct cache *c, size_t *bytes)
{
	struct cache_slot *victim = c->oldest;
	void *memory = victim->memory;

	unlink_slot(c, victim);
	*bytes = victim->bytes;
	victim->memory = NULL;
	victim->state = CACHE_COLD;
	metrics_add(c->metrics, METRICS_cache_evictions, 1);
	return memory;
}

static bool has_room(const struct cache *c, size_t bytes)
{
	return c->used == 0 || (bytes <= c->limit && c->used <= c->limit - bytes);
}

/* Memory for a slot, counted. *wait: there may be some when a slot is given back. */
static void *reserve(struct cache *c, size_t bytes, bool *wait)
{
	void *memory;
	size_t size;

	*wait = false;
	while (!has_room(c, bytes)) {
		if (!c->oldest) {
			*wait = true;
			return NULL;
		}
		memory = evict(c, &size);
		if (size == bytes && c->used <= c->limit)
			return memory;
		pages_unmap(memory, size);
		c->used -= size;
	}
	memory = pages_map(bytes);
	if (memory)
		c->used += bytes;
	return memory;
}

static void pin(struct cache *c, struct cache_slot *slot)
{
	if (slot->pins++ == 0)
		unlink_slot(c, slot);
}

static void unpin(struct cache *c, struct cache_slot *slot)
{
	REQUIRE(slot->pins > 0);
	if (--slot->pins == 0)
		link_newest(c, slot);
	pthread_cond_broadcast(&c->changed);
}

/* Fills a reserved slot, during which the lock is not held, and leaves it pinned. */
static void fill_slot(struct cache *c, struct cache_slot *slot, void *memory, struct cache_fill fill)
{
	slot->memory = memory;
	slot->state = CACHE_FILLING;
	slot->pins = 1;
	metrics_add(c->metrics, METRICS_cache_misses, 1);
	pthread_mutex_unlock(&c->lock);
	fill.fill(fill.state, memory);
	pthread_mutex_lock(&c->lock);
	slot->state = CACHE_READY;
	pthread_cond_broadcast(&c->changed);
}

/* Here the lock is not held. */

void cache_set_limit(struct cache *c, size_t limit_bytes)
{
	pthread_mutex_lock(&c->lock);
	c->limit = limit_bytes;
	while (c->used > c->limit && c->oldest) {
		size_t size;
		void *memory = evict(c, &size);

		pages_unmap(memory, size);
		c->used -= size;
	}
	pthread_mutex_unlock(&c->lock);
}

size_t cache_limit(struct cache *c)
{
	return locked_read(&c->lock, &c->limit);
}

size_t cache_bytes(struct cache *c)
{
	return locked_read(&c->lock, &c->used);
}

const void *cache_take(struct cache *c, struct cache_slot *slot, struct cache_fill fill)
{
	void *memory = NULL;
	bool wait = true;

	pthread_mutex_lock(&c->lock);
	while (wait && slot->state != CACHE_READY) {
		if (slot->state == CACHE_COLD)
			memory = reserve(c, slot->bytes, &wait);
		if (wait)
			pthread_cond_wait(&c->changed, &c->lock);
	}
	if (slot->state == CACHE_READY) {
		pin(c, slot);
		metrics_add(c->metrics, METRICS_cache_hits, 1);
		memory = slot->memory;
	} else if (memory) {
		fill_slot(c, slot, memory, fill);
	}
	pthread_mutex_unlock(&c->lock);
	return memory;
}

void cache_give(struct cache *c, struct cache_slot *slot)
{
	pthread_mutex_lock(&c->lock);
	unpin(c, slot);
	pthread_mutex_unlock(&c->lock);
}

bool cache_warm(struct cache *c, struct cache_slot *slot, struct cache_fill fill)
{
	void *memory = NULL;
	bool room, wait;

	pthread_mutex_lock(&c->lock);
	room = slot->state != CACHE_COLD || has_room(c, slot->bytes);
	if (slot->state == CACHE_COLD && room)
		memory = reserve(c, slot->bytes, &wait);
	if (memory) {
		fill_slot(c, slot, memory, fill);
		unpin(c, slot);
	}
	pthread_mutex_unlock(&c->lock);
	return room;
}

void cache_drop(struct cache *c, struct cache_slot *slot)
{
	void *memory;

	pthread_mutex_lock(&c->lock);
	REQUIRE(slot->pins == 0);
	memory = slot->memory;
	if (memory) {
		unlink_slot(c, slot);
		c->used -= slot->bytes;
		slot->memory = NULL;
		slot->state = CACHE_COLD;
		pthread_cond_broadcast(&c->changed);
	}
	pthread_mutex_unlock(&c->lock);
	pages_unmap(memory, slot->bytes);
}
