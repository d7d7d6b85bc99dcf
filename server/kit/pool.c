/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/require.h"
#include "kit/clock.h"
#include "kit/locked.h"

#define LOOK_AHEAD 256 /* waiting jobs that pool_take_alike looks at */

struct worker {
	struct pool *pool;
	unsigned number;
	pthread_t thread;
};

struct pool {
	pthread_mutex_t lock; /* guards queue, first, count, stopping */
	pthread_cond_t more;
	struct pool_job *queue; /* a ring of `limit` jobs */
	size_t limit;
	size_t first;
	size_t count;
	bool stopping;
	pool_run *run;
	void *state;
	unsigned workers; /* started */
	struct worker *worker;
};

/* The next job; its job is NULL when the pool stops and none is left. */
static struct pool_job next(struct pool *pool)
{
	struct pool_job job = {0};

	pthread_mutex_lock(&pool->lock);
	while (pool->count == 0 && !pool->stopping)
		pthread_cond_wait(&pool->more, &pool->lock);
	if (pool->count > 0) {
		job = pool->queue[pool->first];
		pool->first = (pool->first + 1) % pool->limit;
		pool->count--;
	}
	pthread_mutex_unlock(&pool->lock);
	return job;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct pool_job next_job;

	while ((next_job = next(w->pool)).job)
		(next_job.run ? next_job.run : w->pool->run)(w->pool->state, w->number, &next_job);
	return NULL;
}

enum veil_status pool_create(struct pool **out, unsigned workers, size_t queue_limit, pool_run *run,
	void *state, struct veil_error *err)
{
	struct pool *pool = calloc(1, sizeof *pool);
	int rc;

	*out = NULL;
	REQUIRE(workers > 0 && queue_limit > 0);
	if (!pool)
		return error_set(err, VEIL_E_NOMEM, "no memory for a pool of %u workers", workers);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->more, NULL);
	pool->limit = queue_limit;
	pool->run = run;
	pool->state = state;
	pool->queue = calloc(queue_limit, sizeof *pool->queue);
	pool->worker = calloc(workers, sizeof *pool->worker);
	if (!pool->queue || !pool->worker) {
		pool_destroy(pool);
		return error_set(err, VEIL_E_NOMEM, "no memory for a queue of %zu jobs", queue_limit);
	}
	for (; pool->workers < workers; pool->workers++) {
		struct worker *w = pool->worker + pool->workers;

		*w = (struct worker){.pool = pool, .number = pool->workers};
		rc = pthread_create(&w->thread, NULL, work, w);
		if (rc != 0) {
			pool_destroy(pool);
			return error_set(err, VEIL_E_NOMEM, "%u worker threads could not be started: %s",
				workers, strerror(rc));
		}
	}
	*out = pool;
	return VEIL_OK;
}

/* The job with `i` others before it; the lock is held. */
static struct pool_job *at(struct pool *pool, size_t i)
{
	return pool->queue + (pool->first + i) % pool->limit;
}

bool pool_submit(struct pool *pool, const struct pool_job *job)
{
	bool taken = false;

	REQUIRE(job->job != NULL);
	pthread_mutex_lock(&pool->lock);
	if (!pool->stopping && pool->count < pool->limit) {
		struct pool_job *last = at(pool, pool->count++);

		*last = *job;
		last->since_ns = clock_ns();
		taken = true;
		pthread_cond_signal(&pool->more);
	}
	pthread_mutex_unlock(&pool->lock);
	return taken;
}

size_t pool_take_alike(struct pool *pool, const struct pool_job *job, struct pool_job *out, size_t max)
{
	size_t taken = 0, end, to;

	if (!job->keyed)
		return 0;
	pthread_mutex_lock(&pool->lock);
	to = end = pool->count < LOOK_AHEAD ? pool->count : LOOK_AHEAD;
	for (size_t i = 0; i < end && taken < max; i++) {
		struct pool_job *other = at(pool, i);

		if (!other->keyed || memcmp(other->key, job->key, POOL_KEY_BYTES) != 0)
			continue;
		out[taken++] = *other;
		other->job = NULL;
	}
	/* The gaps go to the front of the ring: what lies beyond `end` need not move. */
	for (size_t i = end; taken > 0 && i-- > 0;)
		if (at(pool, i)->job)
			*at(pool, --to) = *at(pool, i);
	pool->first = (pool->first + taken) % pool->limit;
	pool->count -= taken;
	pthread_mutex_unlock(&pool->lock);
	return taken;
}

size_t pool_depth(struct pool *pool)
{
	return locked_read(&pool->lock, &pool->count);
}

void pool_stop(struct pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->more);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->workers; i++)
		pthread_join(pool->worker[i].thread, NULL);
	pool->workers = 0;
}

void pool_destroy(struct pool *pool)
{
	if (!pool)
		return;
	pool_stop(pool);
	pthread_cond_destroy(&pool->more);
	pthread_mutex_destroy(&pool->lock);
	free(pool->queue);
	free(pool->worker);
	free(pool);
}
