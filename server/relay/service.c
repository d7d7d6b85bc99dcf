/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/ct.h"
#include "base/error.h"
#include "kit/clock.h"
#include "kit/lifecycle.h"
#include "kit/listen.h"
#include "kit/log.h"

#define LONGEST_WAIT_MS 1000 /* of the forwarding thread */

/* --- the forwarding thread --- */

void service_hand_over(struct service *s, struct parcel *p)
{
	bool first;

	p->next = NULL;
	pthread_mutex_lock(&s->lock);
	first = s->first == NULL;
	*s->last = p;
	s->last = &p->next;
	pthread_mutex_unlock(&s->lock);
	if (first)
		forward_wake(s->forward);
}

/* True once the service stops and nothing is left. */
static bool take_parcels(struct service *s)
{
	struct parcel *p, *next;
	bool stopping;

	pthread_mutex_lock(&s->lock);
	p = s->first;
	s->first = NULL;
	s->last = &s->first;
	stopping = s->stopping;
	pthread_mutex_unlock(&s->lock);
	stopping = stopping && !p;
	for (; p; p = next) {
		next = p->next;
		if (!p->job.type) {
			forward_start(s->forward, &p->job); /* public, the same for all: nothing to mix */
		} else if (!mix_add(p->lane->mix, p, p->client.hash, p->client.epoch, p->since_ns)) {
			metrics_add(s->metrics, METRICS_refused_full, 1);
			http_answer_busy(p->req);
			free(p);
		}
	}
	return stopping;
}

/* What is due leaves, in the order that the mix gives. */
static void release(struct service *s, struct lane *lane, uint64_t now_ns)
{
	bool few = false;
	size_t n = mix_release(lane->mix, now_ns, s->released, &few);

	if (n == 0)
		return;
	metrics_observe(s->metrics, METRICS_batch, n);
	metrics_add(s->metrics, METRICS_few, few);
	for (size_t i = 0; i < n; i++) {
		struct parcel *p = s->released[i];

		metrics_observe(s->metrics, METRICS_held, now_ns - p->since_ns);
		forward_start(s->forward, &p->job);
	}
}

static void *run(void *arg)
{
	struct service *s = arg;

	while (!take_parcels(s)) {
		uint64_t now = clock_ns(), next = now + (uint64_t)LONGEST_WAIT_MS * 1000000;
		size_t waiting = 0;

		for (size_t i = 0; i < s->gateways.count; i++) {
			uint64_t due;

			release(s, s->lanes + i, now);
			due = mix_next_ns(s->lanes[i].mix);
			next = due < next ? due : next;
			waiting += mix_waiting(s->lanes[i].mix);
		}
		atomic_store_explicit(&s->waiting, waiting, memory_order_relaxed);
		forward_poll(s->forward, next > now ? (unsigned)((next - now + 999999) / 1000000) : 0);
	}
	return NULL;
}

/* --- start and stop --- */

static enum veil_status start_lane(struct service *s, size_t i, struct veil_error *err)
{
	const struct config *c = s->config;
	struct clients_options clients = {c->clients, c->rate, c->burst};
	struct lane *lane = s->lanes + i;
	enum veil_status st;

	lane->service = s;
	lane->gateway = s->gateways.entries + i;
	routes_init(lane, s->routes + i * SERVICE_ROUTES);
	st = clients_create(&lane->clients, &clients, &s->rng, clock_ns());
	if (st == VEIL_OK)
		st = mix_create(&lane->mix, &s->mix, c->connections, &s->rng);
	if (st == VEIL_OK && c->attestation_key[0])
		st = crowd_create(&lane->crowd, lane->gateway->path, c->epoch_seconds, s->seed);
	return st == VEIL_OK ? st
			     : error_set(err, st, "no memory for the clients of %s", lane->gateway->path);
}

static enum veil_status start_forward(struct service *s, struct veil_error *err)
{
	const struct config *c = s->config;
	struct forward_options o = {.connections = c->upstream_connections,
		.connect_ms = c->upstream_connect_ms,
		.timeout_ms = c->upstream_timeout_ms,
		.ca = c->upstream_ca,
		.cert = c->upstream_cert,
		.key = c->upstream_key,
		.reply_limit = c->reply_limit,
		.replies = s->replies};
	enum veil_status st = forward_create(&s->forward, &o, err);

	if (st != VEIL_OK)
		return st;
	if (pthread_create(&s->thread, NULL, run, s) != 0)
		return error_set(err, VEIL_E_NOMEM, "no thread to forward requests");
	s->has_thread = true;
	return VEIL_OK;
}

static enum veil_status start_front(struct service *s, struct veil_error *err)
{
	const struct config *c = s->config;
	struct http_options o = {.address = c->listen,
		.threads = c->io_threads,
		.receive_ms = c->receive_timeout_ms,
		.total_ms = c->total_timeout_ms,
		.body_limit = c->request_limit,
		.body_memory = c->body_memory,
		.body_grows = true,
		.routes = s->routes,
		.route_count = s->gateways.count * SERVICE_ROUTES,
		.state = s,
		.metrics = s->metrics};
	enum veil_status st = lifecycle_connections(&o.connections, c->connections, err);

	snprintf(s->limits, sizeof s->limits,
		"request_bytes %llu\nreply_bytes %llu\nrequests_per_minute %u\nburst %u\nhold_ms %u\nmix "
		"%.40s\n"
		"mix_clients %u\nmix_keep_percent %u\nepoch_seconds %u",
		(unsigned long long)c->request_limit, (unsigned long long)c->reply_limit, c->rate, c->burst,
		(unsigned)(s->mix.mode == MIX_JITTER ? s->mix.wait_ns / 1000000
						     : (s->mix.mode == MIX_OFF ? 0 : MIX_HOLD_NS / 1000000)),
		c->mix, c->mix_clients, c->mix_keep, c->epoch_seconds);
	return st == VEIL_OK ? http_create(&s->front, &o, err) : st;
}

static void refresh(void *state)
{
	struct service *s = state;

	metrics_set(s->metrics, METRICS_waiting, (int64_t)atomic_load(&s->waiting));
	metrics_set(s->metrics, METRICS_buffer_bytes,
		(int64_t)(buffers_held_bytes(s->replies) + http_body_bytes(s->front)));
}

static enum veil_status start_admin(struct service *s, struct veil_error *err)
{
	char text[2 * LISTEN_ADDRESS_SIZE + 3];
	enum veil_status st;

	s->admin.metrics = s->metrics;
	s->admin.refresh = refresh;
	s->admin.state = s;
	st = admin_start(&s->admin, s->config->admin, err);
	if (st != VEIL_OK)
		return st;
	log_info("listening on %s, admin %s, %zu gateways, mix %s", http_address(s->front),
		admin_address(&s->admin), s->gateways.count, s->config->mix);
	snprintf(text, sizeof text, "%s\n%s\n", http_address(s->front), admin_address(&s->admin));
	return s->config->port_file[0] ? lifecycle_write_file(s->config->port_file, text, err) : VEIL_OK;
}

static uint64_t epoch_ns(const struct service *s)
{
	return (uint64_t)s->config->epoch_seconds * 1000000000u;
}

static enum veil_status prepare(struct service *s, struct veil_error *err)
{
	const struct config *c = s->config;
	enum veil_status st = gateways_read(&s->gateways, c->gateways, err);

	if (st == VEIL_OK)
		st = mix_mode_read(&s->mix, c->mix, err);
	s->mix.d = c->mix_clients;
	s->mix.keep_percent = c->mix_keep;
	if (st == VEIL_OK && c->attestation_key[0])
		st = crowd_key_read(s->seed, c->attestation_key, err);
	if (st == VEIL_OK && metrics_create(&s->metrics, &relay_metrics) != VEIL_OK)
		st = error_set(err, VEIL_E_NOMEM, "no memory for the metrics");
	s->released = calloc(c->connections, sizeof *s->released);
	if (st == VEIL_OK && (!s->released || buffers_create(&s->replies, c->body_memory) != VEIL_OK))
		st = error_set(err, VEIL_E_NOMEM, "no memory for %u requests", c->connections);
	return st;
}

enum veil_status service_start(struct service *s, const struct config *config, struct veil_error *err)
{
	enum veil_status st;

	*s = (struct service){.config = config, .rng = rng_system()};
	pthread_mutex_init(&s->lock, NULL);
	s->last = &s->first;
	st = prepare(s, err);
	for (size_t i = 0; i < s->gateways.count && st == VEIL_OK; i++)
		st = start_lane(s, i, err);
	s->epoch_end_ns = clock_ns() + epoch_ns(s);
	if (st == VEIL_OK)
		st = start_forward(s, err);
	if (st == VEIL_OK)
		st = start_front(s, err);
	if (st == VEIL_OK)
		st = start_admin(s, err);
	atomic_store(&s->admin.ready, st == VEIL_OK);
	if (st != VEIL_OK)
		service_stop(s);
	return st;
}

void service_tick(struct service *s)
{
	uint64_t now = clock_ns();

	if (now < s->epoch_end_ns)
		return;
	s->epoch_end_ns += epoch_ns(s);
	for (size_t i = 0; i < s->gateways.count; i++) {
		uint32_t count = clients_next_epoch(s->lanes[i].clients, now);

		if (s->lanes[i].crowd)
			crowd_add(s->lanes[i].crowd, count, (uint64_t)time(NULL));
	}
}

static void stop_thread(struct service *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_mutex_unlock(&s->lock);
	if (!s->has_thread)
		return;
	forward_wake(s->forward);
	pthread_join(s->thread, NULL);
}

void service_stop(struct service *s)
{
	admin_drain(&s->admin, s->front, s->config->lame_duck_ms, s->config->drain_timeout_ms);
	stop_thread(s);
	admin_stop(&s->admin);
	http_destroy(s->front);
	forward_destroy(s->forward);
	for (size_t i = 0; i < s->gateways.count; i++) {
		clients_destroy(s->lanes[i].clients);
		mix_destroy(s->lanes[i].mix);
		crowd_destroy(s->lanes[i].crowd);
	}
	buffers_destroy(s->replies);
	free(s->released);
	metrics_destroy(s->metrics);
	wipe(s->seed, sizeof s->seed);
	pthread_mutex_destroy(&s->lock);
}
