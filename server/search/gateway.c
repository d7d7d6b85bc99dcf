/* SPDX-License-Identifier: Apache-2.0 */
#include "search/gateway.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/require.h"
#include "kit/clock.h"
#include "kit/log.h"
#include "search/gateway_inside.h"

/* --- time: the wall clock at the start, moved on by one that nobody sets, so that no step back brings keys
 * or old requests to life again. A step ahead is taken over by a reload. */

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t gateway_now(const struct gateway *g)
{
	return (read_clock(CLOCK_BOOTTIME) + atomic_load(&g->clock_offset_ns)) / 1000000000;
}

static void set_clock(struct gateway *g)
{
	int64_t offset = read_clock(CLOCK_REALTIME) - read_clock(CLOCK_BOOTTIME);

	if (offset > atomic_load(&g->clock_offset_ns))
		atomic_store(&g->clock_offset_ns, offset);
}

/* --- keys */

size_t gateway_memory(const struct config *config)
{
	return config->gateway_keys[0] ? 2 * replay_bytes(config->gateway_replays) : 0;
}

static struct keys_entry *find_named(struct keys *k, const char *name)
{
	for (size_t i = 0; k && i < k->count; i++)
		if (strcmp(k->entry[i].name, name) == 0)
			return k->entry + i;
	return NULL;
}

static bool any_active(const struct keys *k, int64_t now)
{
	for (size_t i = 0; i < k->count; i++)
		if (keys_state(k, k->entry + i, now) == KEYS_ACTIVE)
			return true;
	return false;
}

/* What was seen is kept beside the keys, NAME.seen by NAME.key. */
static enum veil_status open_replays(
	const struct gateway *g, struct keys *next, int64_t now, struct veil_error *err)
{
	const struct config *c = g->config;
	enum veil_status st = VEIL_OK;

	for (size_t i = 0; i < next->count && st == VEIL_OK; i++) {
		struct keys_entry *e = next->entry + i;
		const char *lost;
		char path[1400];

		if (find_named(g->keys, e->name))
			continue; /* replace_keys takes it over */
		snprintf(path, sizeof path, "%s/%s.seen", c->gateway_keys, e->name);
		st = replay_open(
			&e->replay, path, c->gateway_replays, c->gateway_date_seconds, now, &lost, err);
		if (st == VEIL_OK && lost)
			log_warn("gateway: %s is begun anew, as %s: for %u seconds every Date is refused",
				path, lost, c->gateway_date_seconds);
	}
	return st;
}

/* Whoever opens requests meanwhile waits for some pointers to move. */
static void replace_keys(struct gateway *g, struct keys *next)
{
	struct keys *before;

	pthread_rwlock_wrlock(&g->lock);
	before = g->keys;
	for (size_t i = 0; i < next->count; i++) {
		struct keys_entry *e = next->entry + i, *old = find_named(before, e->name);

		if (old) {
			e->replay = old->replay;
			old->replay = NULL;
		}
	}
	g->keys = next;
	pthread_rwlock_unlock(&g->lock);
	keys_destroy(before);
}

enum veil_status gateway_reload(struct gateway *g, struct veil_error *err)
{
	const struct config *c = g->config;
	struct keys *next;
	enum veil_status st;
	int64_t now;

	set_clock(g);
	now = gateway_now(g);
	st = keys_load(&next, g->crypto, c->gateway_keys, c->gateway_grace_seconds, now, err);
	if (st != VEIL_OK)
		return st;
	if (any_active(next, now))
		st = open_replays(g, next, now, err);
	else
		st = error_set(err, VEIL_E_INVALID,
			"%s has no key that is active now; make one with veild --new-gateway-key %s",
			c->gateway_keys, c->gateway_keys);
	if (st != VEIL_OK) {
		keys_destroy(next);
		return st;
	}
	replace_keys(g, next);
	log_info("gateway: %zu keys", next->count);
	return VEIL_OK;
}

void gateway_expire(struct gateway *g)
{
	struct keys over = {.count = 0};
	size_t kept = 0;
	int64_t now;

	if (!g)
		return;
	now = gateway_now(g);
	pthread_rwlock_wrlock(&g->lock);
	for (size_t i = 0; i < g->keys->count; i++) {
		struct keys_entry *e = g->keys->entry + i;

		if (keys_state(g->keys, e, now) == KEYS_OVER)
			over.entry[over.count++] = *e;
		else
			g->keys->entry[kept++] = *e;
	}
	g->keys->count = kept;
	pthread_rwlock_unlock(&g->lock);
	for (size_t i = 0; i < over.count; i++)
		log_info("gateway: key %u is over", over.entry[i].message.config.id);
	keys_clear(&over);
	if (!any_active(g->keys, now) && !g->told)
		log_error("gateway: no key is active any more; make one and send SIGHUP");
	g->told = !any_active(g->keys, now);
}

uint8_t *gateway_keys_body(struct gateway *g, size_t *size)
{
	struct keyconfig configs[KEYCONFIG_MAX];
	size_t published[KEYCONFIG_MAX], count;
	int64_t now = gateway_now(g);
	uint8_t *body = NULL;

	pthread_rwlock_rdlock(&g->lock);
	count = keys_published(g->keys, now, published);
	for (size_t i = 0; i < count; i++)
		configs[i] = g->keys->entry[published[i]].message.config;
	*size = keyconfig_bytes(configs, count);
	if (any_active(g->keys, now))
		body = malloc(*size);
	if (body)
		keyconfig_write(body, configs, count);
	pthread_rwlock_unlock(&g->lock);
	return body;
}

/* --- the whole */

struct crypto *gateway_crypto_take(struct gateway *g)
{
	struct crypto *c;

	pthread_mutex_lock(&g->idle_lock);
	REQUIRE(g->idle_count > 0); /* one a thread */
	c = g->idle[--g->idle_count];
	pthread_mutex_unlock(&g->idle_lock);
	return c;
}

void gateway_crypto_give(struct gateway *g, struct crypto *c)
{
	pthread_mutex_lock(&g->idle_lock);
	g->idle[g->idle_count++] = c;
	pthread_mutex_unlock(&g->idle_lock);
}

static void init_locks(struct gateway *g)
{
	pthread_rwlockattr_t attributes;

	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&g->lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
	pthread_mutex_init(&g->idle_lock, NULL);
}

enum veil_status gateway_create(struct gateway **out, const struct config *config, unsigned threads,
	struct metrics *metrics, struct veil_error *err)
{
	struct gateway *g = calloc(1, sizeof *g);
	enum veil_status st;

	*out = NULL;
	if (!g)
		return error_set(err, VEIL_E_NOMEM, "no memory for the gateway");
	init_locks(g);
	g->config = config;
	g->metrics = metrics;
	set_clock(g);
	g->idle = calloc(threads, sizeof(struct crypto *));
	st = g->idle ? crypto_create(&g->crypto, err)
		     : error_set(err, VEIL_E_NOMEM, "no memory for the gateway");
	for (; st == VEIL_OK && g->idle_count < threads; g->idle_count += st == VEIL_OK)
		st = crypto_create(g->idle + g->idle_count, err);
	if (st == VEIL_OK)
		st = gateway_reload(g, err);
	if (st == VEIL_OK)
		*out = g;
	else
		gateway_destroy(g);
	return st;
}

void gateway_destroy(struct gateway *g)
{
	if (!g)
		return;
	keys_destroy(g->keys);
	for (unsigned i = 0; i < g->idle_count; i++)
		crypto_destroy(g->idle[i]);
	free(g->idle);
	crypto_destroy(g->crypto);
	pthread_rwlock_destroy(&g->lock);
	pthread_mutex_destroy(&g->idle_lock);
	free(g);
}
