/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_POOL_H
#define KIT_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

/** Worker threads behind one bounded queue, first come first served; jobs that wait and are alike may be
 * taken together. */
struct pool;

#define POOL_KEY_BYTES 40

struct pool_job;
/** Runs one job; `worker` is 0..workers-1 and names the thread, for its scratch. */
typedef void pool_run(void *state, unsigned worker, const struct pool_job *job);

struct pool_job {
	void *job;
	pool_run *run; /* NULL: the pool's */
	uint64_t since_ns; /* clock_ns() when it was submitted */
	bool keyed; /* jobs with the same key are alike; without one, like no other */
	uint8_t key[POOL_KEY_BYTES];
};

enum veil_status pool_create(struct pool **out, unsigned workers, size_t queue_limit, pool_run *run,
	void *state, struct veil_error *err) VEIL_MUST_CHECK;

/** Hands a job over (since_ns is set here): it may be running, even be finished, before this returns. False,
 * and the job stays the caller's, when queue_limit jobs are waiting or the pool stops. Any thread. */
bool pool_submit(struct pool *pool, const struct pool_job *job);

/** For a worker while it runs `job`: takes up to `max` jobs that are like it out of the queue, oldest first,
 * and returns how many. They are the caller's to finish. Only so many waiting jobs are looked at that a long
 * queue costs nothing. */
size_t pool_take_alike(struct pool *pool, const struct pool_job *job, struct pool_job *out, size_t max);

/** Jobs waiting, for metrics. */
size_t pool_depth(struct pool *pool);

/** Refuses new jobs, finishes those that wait, ends the threads. Accepts NULL; a second call does nothing. */
void pool_stop(struct pool *pool);
/** Stops; nobody submits any more. Accepts NULL. */
void pool_destroy(struct pool *pool);

#endif
