/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_POOL_H
#define KIT_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

/** Worker threads behind one bounded queue, first come first served. */
struct pool;

/** Runs one job that waited for waited_ns; `worker` is 0..workers-1 and names the thread, for its scratch. */
typedef void pool_run(void *state, unsigned worker, void *job, uint64_t waited_ns);

enum veil_status pool_create(struct pool **out, unsigned workers, size_t queue_limit, pool_run *run,
	void *state, struct veil_error *err) VEIL_MUST_CHECK;

/** Hands a job over: it may be running, even be finished, before this returns. False, and the job stays the
 * caller's, when queue_limit jobs are waiting or the pool stops. Any thread. */
bool pool_submit(struct pool *pool, void *job);

/** Jobs waiting, for metrics. */
size_t pool_depth(struct pool *pool);

/** Refuses new jobs, finishes those that wait, ends the threads. Accepts NULL; a second call does nothing. */
void pool_stop(struct pool *pool);
/** Stops; nobody submits any more. Accepts NULL. */
void pool_destroy(struct pool *pool);

#endif
