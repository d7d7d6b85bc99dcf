/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/clients.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/ct.h"
#include "base/keyed.h"

#define MILLI 1000 /* a token in the units of a bucket */

struct bucket {
	uint64_t hash; /* 0: free */
	uint32_t tokens; /* thousandths */
	uint32_t at_ms : 31; /* since the epoch's begin */
	uint32_t counted : 1;
};

struct clients {
	pthread_mutex_t lock; /* guards all below but options and slots */
	struct clients_options options;
	const struct rng *rng;
	uint8_t key[KEYED_KEY_BYTES];
	uint32_t epoch;
	uint64_t begin_ns;
	uint32_t used, counted;
	struct bucket shared; /* of those beyond the limit */
	size_t slots; /* a power of two, twice the limit at least */
	struct bucket *table; /* [slots] */
};

/* The lock is held, or nobody else knows it yet. */
static void begin(struct clients *c, uint64_t now_ns)
{
	wipe(c->key, sizeof c->key);
	wipe(c->table, c->slots * sizeof *c->table);
	rng_fill(c->rng, c->key, sizeof c->key);
	c->epoch++;
	c->begin_ns = now_ns;
	c->used = c->counted = 0;
	c->shared = (struct bucket){.hash = 1, .tokens = c->options.burst * MILLI, .counted = true};
}

enum veil_status clients_create(
	struct clients **out, const struct clients_options *options, const struct rng *rng, uint64_t now_ns)
{
	struct clients *c = calloc(1, sizeof *c);

	*out = NULL;
	if (!c)
		return VEIL_E_NOMEM;
	for (c->slots = 16; c->slots < 2 * (size_t)options->limit;)
		c->slots *= 2;
	c->table = calloc(c->slots, sizeof *c->table);
	if (!c->table) {
		free(c);
		return VEIL_E_NOMEM;
	}
	pthread_mutex_init(&c->lock, NULL);
	c->options = *options;
	c->rng = rng;
	begin(c, now_ns);
	*out = c;
	return VEIL_OK;
}

void clients_destroy(struct clients *c)
{
	if (!c)
		return;
	wipe(c->table, c->slots * sizeof *c->table);
	free(c->table);
	pthread_mutex_destroy(&c->lock);
	wipe(c, sizeof *c);
	free(c);
}

static struct bucket *find(struct clients *c, uint64_t hash)
{
	size_t i = (size_t)hash & (c->slots - 1);

	while (c->table[i].hash != 0 && c->table[i].hash != hash)
		i = (i + 1) & (c->slots - 1);
	if (c->table[i].hash == hash)
		return c->table + i;
	if (c->used == c->options.limit)
		return &c->shared;
	c->used++;
	c->table[i] = (struct bucket){.hash = hash, .tokens = c->options.burst * MILLI};
	return c->table + i;
}

static bool take(const struct clients *c, struct bucket *b, uint64_t now_ns)
{
	uint32_t now_ms = (uint32_t)((now_ns - c->begin_ns) / 1000000) & 0x7fffffff;
	uint64_t most = (uint64_t)c->options.burst * MILLI;
	uint64_t passed_ms = now_ms > b->at_ms ? now_ms - b->at_ms : 0, gained;

	/* Time that is not yet worth a thousandth of a token stays on the clock. */
	gained = passed_ms * c->options.per_minute / 60;
	if (gained > 0)
		b->at_ms = now_ms & 0x7fffffff;
	gained += b->tokens;
	b->tokens = (uint32_t)(gained < most ? gained : most);
	if (b->tokens < MILLI)
		return false;
	b->tokens -= MILLI;
	return true;
}

bool clients_admit(struct clients *c, struct clients_tag *tag, const uint8_t address[CLIENTS_ADDRESS_BYTES],
	bool count, uint64_t now_ns)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	bool v4 = memcmp(address, mapped, sizeof mapped) == 0, good;
	struct bucket *b;

	pthread_mutex_lock(&c->lock);
	tag->hash = keyed_hash(c->key, address, v4 ? CLIENTS_ADDRESS_BYTES : CLIENTS_ADDRESS_BYTES / 2);
	tag->hash += tag->hash == 0;
	tag->epoch = c->epoch;
	b = find(c, tag->hash);
	good = take(c, b, now_ns);
	if (good && count && !b->counted) {
		b->counted = true;
		c->counted++;
	}
	pthread_mutex_unlock(&c->lock);
	return good;
}

uint32_t clients_next_epoch(struct clients *c, uint64_t now_ns)
{
	uint32_t counted;

	pthread_mutex_lock(&c->lock);
	counted = c->counted;
	begin(c, now_ns);
	pthread_mutex_unlock(&c->lock);
	return counted;
}
