/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_WORKER_H
#define SEARCH_WORKER_H

#include <stdint.h>

#include "base/arena.h"
#include "base/rng.h"
#include "search/snapshot.h"
#include "veil/status.h"

/** What a thread needs to answer queries without malloc. */
struct worker {
	struct arena arena;
	struct keystream *keystream;
};

/** Sized for the queries of one snapshot. VEIL_E_NOMEM. */
enum veil_status worker_init(struct worker *w, const struct snapshot *s) VEIL_MUST_CHECK;
/** Accepts zeroed objects. */
void worker_clear(struct worker *w);

/** pool_run: `state` is a struct service, `job` a request of POST /v1/query, which is answered. */
void worker_run(void *state, unsigned number, void *job, uint64_t waited_ns);

#endif
