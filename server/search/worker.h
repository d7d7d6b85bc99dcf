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

/** The job of a query that arrived; alike are those for one shard of one version. */
struct pool_job worker_job(struct http_request *req);
/** pool_run: `state` is a struct service; the query is answered, and with it up to WORKER_GROUP - 1 others
 * that are waiting for the same shard. */
void worker_run(void *state, unsigned number, const struct pool_job *job);

#endif
