/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_WORKER_H
#define SEARCH_WORKER_H

#include <stdint.h>

#include "base/arena.h"
#include "base/rng.h"
#include "kit/http.h"
#include "kit/pool.h"
#include "search/snapshot.h"
#include "veil/status.h"

#define WORKER_GROUP 4 /* queries of one shard answered in a pass */

/** What a thread needs to answer queries without malloc. */
struct worker {
	struct arena arena;
	struct keystream *keystream;
	struct drbg *drbg;
};

/** Bytes of the arena that queries of a snapshot need. */
size_t worker_room(const struct snapshot *s);
/** Sized for the queries of one snapshot. VEIL_E_NOMEM. */
enum veil_status worker_init(struct worker *w, const struct snapshot *s) VEIL_MUST_CHECK;
/** Accepts zeroed objects. */
void worker_clear(struct worker *w);

/** The worker's arena, empty, with room for queries of this version: a new one at the first query of a larger
 * version. False if memory ran out. */
bool worker_fit(struct worker *w, const struct snapshot *s);

/** What every answer does. The status of HTTP for a failure; docs/wire.md has the table. */
unsigned worker_http_status(enum veil_status st);
struct service;
void worker_refuse_busy(struct service *service, struct http_request *req);
/** From service->replies; NULL if there is no more room. */
uint8_t *worker_take_buffer(struct service *service, size_t reply_bytes);
/** Sends a buffer taken before. */
void worker_send(
	struct service *service, struct http_request *req, void *body, size_t size, uint64_t compute_ns);

/** The job of a query that arrived; alike are those for one shard of one version. */
struct pool_job worker_job(struct http_request *req);
/** pool_run: `state` is a struct service; the query is answered, and with it up to WORKER_GROUP - 1 others
 * that are waiting for the same shard. */
void worker_run(void *state, unsigned number, const struct pool_job *job);

/** Bytes of the arena that sealed searches need (sealed.c). */
size_t sealed_room(const struct snapshot *s);
/** Likewise retrievals (retrieve.c). */
size_t retrieve_room(const struct snapshot *s);

#endif
