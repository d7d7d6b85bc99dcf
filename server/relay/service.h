/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RELAY_SERVICE_H
#define RELAY_SERVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include "kit/admin.h"
#include "kit/buffers.h"
#include "kit/http.h"
#include "relay/clients.h"
#include "relay/config.h"
#include "relay/crowd.h"
#include "relay/forward.h"
#include "relay/gateways.h"
#include "relay/metrics.h"
#include "relay/mix.h"

/* All of veil-relay. The HTTP server's threads judge requests and hand them over; one thread mixes and
 * forwards; the main thread ends epochs. */

#define SERVICE_ROUTES 6 /* of a gateway: routes.c */

/** One path of the relay and what belongs to it. */
struct lane {
	struct service *service;
	const struct gateways_entry *gateway;
	char paths[SERVICE_ROUTES][GATEWAYS_PATH_SIZE + 32];
	struct clients *clients;
	struct mix *mix; /* of the forwarding thread */
	struct crowd *crowd; /* NULL: nothing is signed */
};

/** A request on its way. */
struct parcel {
	struct forward_job job;
	struct lane *lane;
	struct http_request *req;
	struct parcel *next;
	struct clients_tag client;
	uint64_t since_ns;
	char url[GATEWAYS_URL_SIZE + 96]; /* of what is fetched */
	uint8_t object[32]; /* its hash */
	bool is_object;
};

struct service {
	const struct config *config;
	struct gateways gateways;
	struct mix_options mix;
	struct rng rng;
	uint8_t seed[SIGN_SEED_BYTES];
	uint64_t epoch_end_ns;
	struct metrics *metrics;
	struct buffers *replies;
	struct forward *forward;
	struct lane lanes[GATEWAYS_MAX];
	struct http_route routes[GATEWAYS_MAX * SERVICE_ROUTES];
	char limits[512]; /* what GET PATH/limits says */
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock; /* guards what follows */
	struct parcel *first, **last; /* handed over, not yet taken */
	bool stopping;
	atomic_size_t waiting; /* in all mixes */
	void **released; /* [connections] */
	struct http *front;
	struct admin admin;
};

/** Starts to serve. On failure nothing is left running. `config` outlives the service. */
enum veil_status service_start(
	struct service *s, const struct config *config, struct veil_error *err) VEIL_MUST_CHECK;
/** Now and then: ends the epoch when its time has come. */
void service_tick(struct service *s);
/** /ready fails; after the lame duck no connection is accepted; what is under way is finished; then all ends.
 */
void service_stop(struct service *s);

/** Hands a parcel to the forwarding thread. Any thread. */
void service_hand_over(struct service *s, struct parcel *p);

/** The routes of a lane, into service->routes. */
void routes_init(struct lane *lane, struct http_route out[SERVICE_ROUTES]);
/** The gateway has answered: so do we. The type is that of forward.h. */
void routes_answer(struct forward_job *job);

#endif
