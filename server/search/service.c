/* SPDX-License-Identifier: Apache-2.0 */
#include "search/service.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "kit/lifecycle.h"
#include "kit/listen.h"
#include "kit/log.h"

static unsigned processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static unsigned worker_count(const struct config *config)
{
	return config->workers ? config->workers : processors();
}

static enum veil_status start_workers(
	struct service *s, const struct snapshot *snapshot, struct veil_error *err)
{
	unsigned count = worker_count(s->config);

	s->workers = calloc(count, sizeof *s->workers);
	if (!s->workers || buffers_create(&s->replies, s->plan.bodies) != VEIL_OK)
		return error_set(err, VEIL_E_NOMEM, "no memory for %u workers", count);
	for (; s->worker_count < count; s->worker_count++)
		if (worker_init(s->workers + s->worker_count, snapshot) != VEIL_OK) {
			worker_clear(s->workers + s->worker_count);
			return error_set(err, VEIL_E_NOMEM, "no memory for worker %u of %u",
				s->worker_count + 1, count);
		}
	return pool_create(&s->pool, count, s->config->queue, worker_run, s, err);
}

static size_t body_limit(const struct service *s)
{
	size_t query = atomic_load(&s->query_bytes);

	return s->gateway ? gateway_request_bytes(query) : query;
}

/* Of the versions served, `previous` may be NULL: clients of the version before still send queries of its
 * size. */
static void set_sizes(struct service *s, const struct snapshot *now, const struct snapshot *previous)
{
	const struct snapshot *all[] = {now, previous};
	size_t query = 0, reply = 0;

	for (size_t i = 0; i < 2 && all[i]; i++) {
		const size_t up[] = {
			all[i]->query_bytes, all[i]->sealed_query_bytes, all[i]->lookup_query_bytes};
		const size_t down[] = {
			all[i]->reply_bytes, all[i]->sealed_reply_bytes, all[i]->lookup_reply_bytes};

		for (size_t k = 0; k < 3; k++) {
			query = up[k] > query ? up[k] : query;
			reply = down[k] > reply ? down[k] : reply;
		}
	}
	atomic_store(&s->query_bytes, query);
	atomic_store(&s->reply_bytes, reply);
	if (s->front)
		http_set_body_limit(s->front, body_limit(s));
}

size_t service_buffer_bytes(const struct service *s)
{
	size_t reply = atomic_load(&s->reply_bytes);

	return s->gateway ? gateway_buffer_bytes(reply) : reply;
}

static enum veil_status start_front(struct service *s, struct veil_error *err)
{
	const struct config *c = s->config;
	struct http_options o = {.address = c->listen,
		.threads = c->io_threads,
		.receive_ms = c->receive_timeout_ms,
		.total_ms = c->total_timeout_ms,
		.body_memory = s->plan.bodies,
		.reply_ms = c->reply_deadline_ms,
		.body_limit = body_limit(s),
		.routes = front_routes,
		.route_count = front_route_count,
		.state = s,
		.metrics = s->metrics};
	enum veil_status st = lifecycle_connections(&o.connections, c->connections, err);

	return st == VEIL_OK ? http_create(&s->front, &o, err) : st;
}

/* The gauges of /metrics. */
static void refresh(void *state)
{
	struct service *s = state;
	size_t limit = cache_limit(s->cache);

	metrics_set(s->metrics, METRICS_queue_depth, (int64_t)pool_depth(s->pool));
	metrics_set(s->metrics, METRICS_previous, versions_has_previous(&s->versions));
	metrics_set(s->metrics, METRICS_cache_bytes, (int64_t)cache_bytes(s->cache));
	metrics_set(s->metrics, METRICS_cache_limit_bytes, limit == SIZE_MAX ? 0 : (int64_t)limit);
	metrics_set(s->metrics, METRICS_buffer_bytes,
		(int64_t)(buffers_held_bytes(s->replies) + http_body_bytes(s->front)));
}

static enum veil_status start_admin(struct service *s, struct veil_error *err)
{
	s->admin.metrics = s->metrics;
	s->admin.refresh = refresh;
	s->admin.state = s;
	return admin_start(&s->admin, s->config->admin, err);
}

static enum veil_status tell_addresses(const struct service *s, struct veil_error *err)
{
	const char *front = http_address(s->front), *admin = admin_address(&s->admin);
	char text[2 * LISTEN_ADDRESS_SIZE + 3];

	log_info("listening on %s, admin %s, %u workers", front, admin, s->worker_count);
	snprintf(text, sizeof text, "%s\n%s\n", front, admin);
	return s->config->port_file[0] ? lifecycle_write_file(s->config->port_file, text, err) : VEIL_OK;
}

static void tell_index(const struct snapshot *s)
{
	char id[HASH_HEX_SIZE];

	hash_hex(id, s->index->id);
	log_info("index '%s' version %.16s: %u shards of %u rows, %u coordinates, %s kernels, query %zu and "
		 "reply "
		 "%zu bytes",
		s->index->name, id, (unsigned)s->index->shards, (unsigned)s->index->spec.rows,
		(unsigned)s->index->spec.dim, cpu_features_name(cpu_features()), s->query_bytes,
		s->reply_bytes);
}

/* Opens the index and makes room for it in the cache. */
static enum veil_status open_index(struct service *s, struct snapshot **out, struct veil_error *err)
{
	struct memory_plan plan = {0};
	struct snapshot *next;
	size_t room;
	enum veil_status st =
		snapshot_load(&next, s->config->index, s->config->collection, cpu_features(), s->cache, err);

	*out = NULL;
	if (st != VEIL_OK)
		return st;
	/* The arena of a worker does not shrink. */
	room = worker_room(next) > s->worker_bytes ? worker_room(next) : s->worker_bytes;
	st = memory_plan(&plan, s->config, worker_count(s->config), room, next, err);
	if (st == VEIL_OK) {
		cache_set_limit(s->cache, plan.cache);
		st = snapshot_warm(next, err);
	}
	if (st != VEIL_OK) {
		snapshot_release(next);
		cache_set_limit(s->cache, s->plan.cache); /* as it was */
		return st;
	}
	s->worker_bytes = room;
	s->plan = plan;
	tell_index(next);
	*out = next;
	return VEIL_OK;
}

static enum veil_status load_vouched(struct service *s, const struct snapshot *now, struct veil_error *err)
{
	const char *path = s->config->signed_config;

	return path[0] ? vouched_load(&s->vouched, path, now, s->gateway, err) : VEIL_OK;
}

enum veil_status service_start(struct service *s, const struct config *config, struct veil_error *err)
{
	struct snapshot *snapshot = NULL;
	enum veil_status st;

	*s = (struct service){.config = config};
	vouched_init(&s->vouched);
	if (metrics_create(&s->metrics, &veild_metrics) != VEIL_OK)
		return error_set(err, VEIL_E_NOMEM, "no memory for the metrics");
	st = config->gateway_keys[0]
		     ? gateway_create(&s->gateway, config, worker_count(config), s->metrics, err)
		     : VEIL_OK;
	if (st == VEIL_OK && cache_create(&s->cache, SIZE_MAX, s->metrics) != VEIL_OK)
		st = error_set(err, VEIL_E_NOMEM, "no memory for the cache");
	if (st == VEIL_OK)
		st = open_index(s, &snapshot, err);
	if (st == VEIL_OK)
		st = load_vouched(s, snapshot, err);
	if (st != VEIL_OK) {
		snapshot_release(snapshot);
		goto out;
	}
	versions_init(&s->versions, snapshot);
	set_sizes(s, snapshot, NULL);
	st = start_workers(s, snapshot, err);
	if (st == VEIL_OK)
		st = start_front(s, err);
	if (st == VEIL_OK)
		st = start_admin(s, err);
	if (st == VEIL_OK)
		st = tell_addresses(s, err);
	atomic_store(&s->admin.ready, st == VEIL_OK);
out:
	if (st != VEIL_OK)
		service_stop(s);
	return st;
}

void service_reload(struct service *s)
{
	struct snapshot *now = versions_current(&s->versions), *next = NULL;
	struct veil_error err = {{0}};

	if (s->gateway && gateway_reload(s->gateway, &err) != VEIL_OK) {
		metrics_add(s->metrics, METRICS_reloads_failed, 1);
		log_error("gateway: keys not reloaded, those before stay: %s", err.text);
	}
	log_info("SIGHUP: opening %s beside what is served", s->config->index);
	if (open_index(s, &next, &err) != VEIL_OK || load_vouched(s, next, &err) != VEIL_OK) {
		snapshot_release(next);
		log_error("not reloaded, the version before is still served: %s", err.text);
		metrics_add(s->metrics, METRICS_reloads_failed, 1);
		goto out;
	}
	metrics_add(s->metrics, METRICS_reloads, 1);
	if (snapshot_same(now, next)) {
		log_info("the version is the one that is served already");
		snapshot_release(next);
		goto out;
	}
	set_sizes(s, next, now);
	versions_replace(&s->versions, next, (uint64_t)s->config->previous_seconds * 1000000000u);
out:
	snapshot_release(now);
}

void service_expire(struct service *s)
{
	struct snapshot *now;

	gateway_expire(s->gateway);
	if (!versions_expire(&s->versions))
		return;
	now = versions_current(&s->versions);
	set_sizes(s, now, NULL);
	snapshot_release(now);
	log_info("the version before is not served any more");
}

void service_stop(struct service *s)
{
	admin_drain(&s->admin, s->front, s->config->lame_duck_ms, s->config->drain_timeout_ms);
	/* Every query is answered, and so no connection suspended, before the HTTP server stops. If the drain
	 * took too long its threads may still submit: those queries get 503. */
	pool_stop(s->pool);
	admin_stop(&s->admin);
	http_destroy(s->front);
	pool_destroy(s->pool);
	for (unsigned i = 0; i < s->worker_count; i++)
		worker_clear(s->workers + i);
	free(s->workers);
	buffers_destroy(s->replies);
	gateway_destroy(s->gateway);
	vouched_clear(&s->vouched);
	versions_clear(&s->versions);
	cache_destroy(s->cache);
	metrics_destroy(s->metrics);
}
