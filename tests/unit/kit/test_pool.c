/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/pool.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>

struct gate {
	pthread_mutex_t held; /* while the test holds it, the worker waits in its first job */
	atomic_uint started;
	unsigned order[16];
	unsigned count;
};

static void run(void *state, unsigned worker, void *job, uint64_t waited_ns)
{
	struct gate *g = state;

	(void)waited_ns;
	cr_assert_eq(worker, 0u);
	atomic_fetch_add(&g->started, 1);
	pthread_mutex_lock(&g->held);
	g->order[g->count++] = *(unsigned *)job;
	pthread_mutex_unlock(&g->held);
}

Test(pool, takes_as_many_as_its_queue_holds_and_runs_them_in_order)
{
	struct gate g = {.held = PTHREAD_MUTEX_INITIALIZER};
	struct pool *pool = NULL;
	unsigned jobs[6] = {0, 1, 2, 3, 4, 5};

	pthread_mutex_lock(&g.held);
	cr_assert(pool_create(&pool, 1, 4, run, &g, NULL) == VEIL_OK);
	cr_assert(pool_submit(pool, jobs));
	while (atomic_load(&g.started) == 0)
		;
	for (unsigned i = 1; i < 5; i++)
		cr_assert(pool_submit(pool, jobs + i));
	cr_assert_eq(pool_depth(pool), 4u);
	cr_assert_not(pool_submit(pool, jobs + 5));
	pthread_mutex_unlock(&g.held);
	pool_stop(pool);
	cr_assert_eq(g.count, 5u);
	for (unsigned i = 0; i < 5; i++)
		cr_assert_eq(g.order[i], i);
	cr_assert_not(pool_submit(pool, jobs));
	cr_assert_eq(pool_depth(pool), 0u);
	pool_destroy(pool);
	pool_destroy(NULL);
}
