/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/pool.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct gate {
	pthread_mutex_t held; /* while the test holds it, the worker waits in its first job */
	atomic_uint started;
	unsigned order[16];
	unsigned count;
};

static void run(void *state, unsigned worker, const struct pool_job *job)
{
	struct gate *g = state;

	cr_assert_eq(worker, 0u);
	atomic_fetch_add(&g->started, 1);
	pthread_mutex_lock(&g->held);
	g->order[g->count++] = *(unsigned *)job->job;
	pthread_mutex_unlock(&g->held);
}

static bool submit(struct pool *pool, unsigned *number)
{
	struct pool_job job = {.job = number};

	return pool_submit(pool, &job);
}

Test(pool, takes_as_many_as_its_queue_holds_and_runs_them_in_order)
{
	struct gate g = {.held = PTHREAD_MUTEX_INITIALIZER};
	struct pool *pool = NULL;
	unsigned jobs[6] = {0, 1, 2, 3, 4, 5};

	pthread_mutex_lock(&g.held);
	cr_assert(pool_create(&pool, 1, 4, run, &g, NULL) == VEIL_OK);
	cr_assert(submit(pool, jobs));
	while (atomic_load(&g.started) == 0)
		;
	for (unsigned i = 1; i < 5; i++)
		cr_assert(submit(pool, jobs + i));
	cr_assert_eq(pool_depth(pool), 4u);
	cr_assert_not(submit(pool, jobs + 5));
	pthread_mutex_unlock(&g.held);
	pool_stop(pool);
	cr_assert_eq(g.count, 5u);
	for (unsigned i = 0; i < 5; i++)
		cr_assert_eq(g.order[i], i);
	cr_assert_not(submit(pool, jobs));
	cr_assert_eq(pool_depth(pool), 0u);
	pool_destroy(pool);
	pool_destroy(NULL);
}

struct alike {
	struct pool *pool;
	atomic_uint started;
	atomic_bool go;
	unsigned order[32];
	unsigned count;
	unsigned largest; /* jobs taken in one go */
};

static void run_alike(void *state, unsigned worker, const struct pool_job *job)
{
	struct alike *a = state;
	struct pool_job more[3];
	size_t n;

	(void)worker;
	atomic_fetch_add(&a->started, 1);
	while (!atomic_load(&a->go))
		;
	n = pool_take_alike(a->pool, job, more, 3);
	a->order[a->count++] = *(unsigned *)job->job;
	for (size_t i = 0; i < n; i++) {
		cr_assert(more[i].keyed && memcmp(more[i].key, job->key, POOL_KEY_BYTES) == 0);
		cr_assert_leq(job->since_ns, more[i].since_ns);
		a->order[a->count++] = *(unsigned *)more[i].job;
	}
	if (n + 1 > a->largest)
		a->largest = (unsigned)n + 1;
}

Test(pool, jobs_that_are_alike_are_taken_together_and_the_others_keep_their_order)
{
	/* The key of each job, 0 for none; the ring has 13 places, and its start moves each round. */
	static const unsigned char keys[] = {9, 1, 2, 1, 0, 1, 3, 1, 1, 0, 2, 1};
	static const unsigned want[] = {0, 1, 3, 5, 7, 2, 10, 4, 6, 8, 11, 9};
	static unsigned numbers[sizeof keys];

	for (int round = 0; round < 20; round++) {
		struct alike a = {.go = false};
		unsigned none = 99;
		struct pool_job filler = {.job = &none};

		cr_assert(pool_create(&a.pool, 1, 13, run_alike, &a, NULL) == VEIL_OK);
		atomic_store(&a.go, true);
		for (int i = 0; i < round; i++) { /* moves the start of the ring */
			cr_assert(pool_submit(a.pool, &filler));
			while (atomic_load(&a.started) <= (unsigned)i || pool_depth(a.pool) > 0)
				;
		}
		while (atomic_load(&a.started) < (unsigned)round)
			;
		atomic_store(&a.go, false);
		for (unsigned i = 0; i < sizeof keys; i++) {
			struct pool_job job = {.job = numbers + i, .keyed = keys[i] != 0, .key = {keys[i]}};

			numbers[i] = i;
			cr_assert(pool_submit(a.pool, &job));
			while (i == 0 && atomic_load(&a.started) <= (unsigned)round)
				;
		}
		atomic_store(&a.go, true);
		pool_stop(a.pool);
		cr_assert_eq(a.count, round + sizeof keys);
		for (unsigned i = 0; i < sizeof keys; i++)
			cr_assert_eq(a.order[(unsigned)round + i], want[i], "round %d, job %u: %u", round, i,
				a.order[(unsigned)round + i]);
		cr_assert_eq(a.largest, 4u);
		pool_destroy(a.pool);
	}
}
