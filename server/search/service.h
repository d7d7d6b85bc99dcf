/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_SERVICE_H
#define SEARCH_SERVICE_H

#include <stdatomic.h>

#include "kit/admin.h"
#include "kit/buffers.h"
#include "kit/http.h"
#include "kit/pool.h"
#include "search/config.h"
#include "search/gateway.h"
#include "search/memory.h"
#include "search/metrics.h"
#include "search/versions.h"
#include "search/vouched.h"
#include "search/worker.h"
#include "veil/status.h"

/* All of veild: what is served, who computes, where it listens. Handlers get it as their state. */
struct service {
	const struct config *config;
	struct metrics *metrics;
	struct cache *cache; /* transformed shards, of all versions */
	struct memory_plan plan;
	size_t worker_bytes; /* the largest so far */
	struct versions versions;
	atomic_size_t query_bytes, reply_bytes; /* the largest of the versions served */
	struct gateway *gateway; /* NULL: off */
	struct vouched vouched;
	struct buffers *replies; /* bodies of replies to queries */
	struct worker *workers; /* [worker_count] */
	unsigned worker_count;
	struct pool *pool;
	struct http *front;
	struct admin admin;
};

/** Loads the index and starts to serve. On failure nothing is left running. `config` outlives the service. */
enum veil_status service_start(
	struct service *s, const struct config *config, struct veil_error *err) VEIL_MUST_CHECK;
/** Opens the index again, beside the version in force and off the path of requests; on success it takes over,
 * and the one before is served for config->previous_seconds more. On failure all stays as it is. The log and
 * the metrics say which. */
void service_reload(struct service *s);
/** Gives back what is not served any more; now and then. */
void service_expire(struct service *s);
/** /ready fails; after the lame duck no connection is accepted; what is under way is finished; then all ends.
 */
void service_stop(struct service *s);

/** The buffer for the reply to a query: one size, so that the store of buffers keeps one. */
size_t service_buffer_bytes(const struct service *s);

/* routes.c */
extern const struct http_route front_routes[];
extern const size_t front_route_count;
/* What may be asked through the gateway. */
extern const struct http_route inside_routes[];
extern const size_t inside_route_count;

/* Handlers, one file each; `state` is a struct service. */
void route_config(void *state, struct http_request *req);
void route_object(void *state, struct http_request *req);
void route_signed(void *state, struct http_request *req);
void route_query(void *state, struct http_request *req);
void route_sealed(void *state, struct http_request *req);
void route_retrieve(void *state, struct http_request *req);
void route_collection(void *state, struct http_request *req);
void route_gateway(void *state, struct http_request *req);
void route_gateway_keys(void *state, struct http_request *req);

#endif
