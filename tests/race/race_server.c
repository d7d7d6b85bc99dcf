/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/require.h"
#include "kit/buffers.h"
#include "kit/clock.h"
#include "kit/deadline.h"
#include "kit/pool.h"
#include "search/metrics.h"
#include "search/versions.h"

/* What the threads of veild share, all at once: several submit jobs, workers take them with a snapshot and a
 * buffer in hand, one thread replaces the snapshot, one reads the metrics, one opens and closes connections
 * under deadlines. */

#define WORKERS 3
#define SUBMITTERS 3
#define JOBS 4000 /* of a submitter */
#define QUEUE 16
#define BUFFERS 2
#define SLOTS 7
#define SLOT_BYTES 10000
#define SLOTS_AT_ONCE 4

struct job {
	atomic_uint runs;
};

struct shared {
	struct pool *pool;
	struct metrics *metrics;
	struct buffers *buffers;
	struct versions versions;
	struct cache *cache;
	struct cache_slot slot[SLOTS];
	struct deadlines *deadlines;
	atomic_bool done;
	atomic_uint refused;
	atomic_uint cut;
	struct job jobs[SUBMITTERS][JOBS];
};

/* Its parts agree with each other: a mixture of two versions would show. */
static struct snapshot *make_snapshot(uint8_t version)
{
	struct snapshot *s = calloc(1, sizeof *s);

	REQUIRE(s);
	atomic_init(&s->references, 1);
	s->config_size = 64;
	s->config = malloc(s->config_size);
	REQUIRE(s->config);
	memset(s->config, version, s->config_size);
	s->query_bytes = s->reply_bytes = version;
	return s;
}

static void fill(void *state, void *memory)
{
	memset(memory, *(int *)state, SLOT_BYTES);
}

/* More slots than fit, of which each worker uses one: the content is that of the slot, however often it was
 * thrown out meanwhile. */
static void use_slot(struct shared *shared, int number)
{
	struct cache_slot *slot = shared->slot + number;
	const uint8_t *memory = cache_take(shared->cache, slot, (struct cache_fill){fill, &number});

	REQUIRE(memory);
	for (int i = 0; i < SLOT_BYTES; i += 999)
		REQUIRE(memory[i] == number);
	cache_give(shared->cache, slot);
}

static void run(void *state, unsigned worker, const struct pool_job *arg)
{
	struct shared *shared = state;
	struct snapshot *s = versions_current(&shared->versions);
	uint8_t *buffer = buffers_take(shared->buffers, s->config_size);
	struct job *job = arg->job;

	REQUIRE(worker < WORKERS && s->query_bytes == s->reply_bytes);
	for (size_t i = 0; i < s->config_size; i++)
		REQUIRE(s->config[i] == s->query_bytes);
	if (buffer)
		memcpy(buffer, s->config, s->config_size);
	buffers_give(buffer);
	snapshot_release(s);
	metrics_observe(shared->metrics, METRICS_queue_seconds, clock_ns() - arg->since_ns);
	metrics_add(shared->metrics, METRICS_queries, 1);
	use_slot(shared, (int)((size_t)(job - shared->jobs[0]) * 5 / 3 % SLOTS));
	atomic_fetch_add(&job->runs, 1);
}

struct submitter {
	struct shared *shared;
	struct job *jobs;
};

static void *submit(void *arg)
{
	struct submitter *s = arg;

	for (int i = 0; i < JOBS; i++) {
		struct pool_job job = {.job = s->jobs + i};

		while (!pool_submit(s->shared->pool, &job)) {
			atomic_fetch_add(&s->shared->refused, 1);
			sched_yield();
		}
	}
	return NULL;
}

static void *replace(void *arg)
{
	struct shared *s = arg;

	for (uint8_t version = 1; !atomic_load(&s->done); version++)
		versions_replace(&s->versions, make_snapshot(version), version % 3 * 1000);
	return NULL;
}

static void *read_metrics(void *arg)
{
	struct shared *s = arg;

	while (!atomic_load(&s->done)) {
		size_t size = 0;
		char *text = metrics_text(s->metrics, &size);

		REQUIRE(text && strlen(text) == size && strstr(text, "veil_queries_total "));
		free(text);
		metrics_set(s->metrics, METRICS_queue_depth, (int64_t)pool_depth(s->pool));
		versions_expire(&s->versions);
		REQUIRE(cache_bytes(s->cache) <= SLOTS_AT_ONCE * SLOT_BYTES);
	}
	return NULL;
}

static void on_cut(void *state)
{
	atomic_fetch_add(&((struct shared *)state)->cut, 1);
}

static void *connect_and_close(void *arg)
{
	struct shared *s = arg;

	for (int i = 0; !atomic_load(&s->done); i++) {
		struct deadline d;
		int pair[2];
		char byte;

		REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
		deadlines_add(s->deadlines, &d, pair[0], clock_ns() + 1000000000000u);
		if (i % 8 == 0) {
			/* in a request it is cut, between two it is ended gently: both let the reader go */
			if (i % 16 == 0)
				REQUIRE(deadline_begin(&d, clock_ns() + 1000000000000u));
			deadline_set(&d, clock_ns());
			REQUIRE(read(pair[1], &byte, 1) == 0);
		}
		deadlines_remove(s->deadlines, &d, i % 3 == 0);
		close(pair[0]);
		close(pair[1]);
	}
	return NULL;
}

int main(void)
{
	static struct shared s;
	struct submitter submitters[SUBMITTERS];
	pthread_t others[3], threads[SUBMITTERS];
	void *(*const bodies[])(void *) = {replace, read_metrics, connect_and_close};
	struct veil_error err;

	versions_init(&s.versions, make_snapshot(0));
	REQUIRE(metrics_create(&s.metrics, &veild_metrics) == VEIL_OK);
	REQUIRE(cache_create(&s.cache, SLOTS_AT_ONCE * SLOT_BYTES, s.metrics) == VEIL_OK);
	for (int i = 0; i < SLOTS; i++)
		s.slot[i].bytes = SLOT_BYTES;
	REQUIRE(buffers_create(&s.buffers, BUFFERS * 128) == VEIL_OK);
	REQUIRE(deadlines_create(&s.deadlines, 1, on_cut, &s, &err) == VEIL_OK);
	REQUIRE(pool_create(&s.pool, WORKERS, QUEUE, run, &s, &err) == VEIL_OK);
	for (int i = 0; i < 3; i++)
		REQUIRE(pthread_create(others + i, NULL, bodies[i], &s) == 0);
	for (int i = 0; i < SUBMITTERS; i++) {
		submitters[i] = (struct submitter){&s, s.jobs[i]};
		REQUIRE(pthread_create(threads + i, NULL, submit, submitters + i) == 0);
	}
	for (int i = 0; i < SUBMITTERS; i++)
		pthread_join(threads[i], NULL);
	pool_stop(s.pool);
	REQUIRE(!pool_submit(s.pool, &(struct pool_job){.job = s.jobs[0]}));
	atomic_store(&s.done, true);
	for (int i = 0; i < 3; i++)
		pthread_join(others[i], NULL);

	for (int i = 0; i < SUBMITTERS; i++)
		for (int j = 0; j < JOBS; j++)
			REQUIRE(atomic_load(&s.jobs[i][j].runs) == 1);
	REQUIRE(metrics_get(s.metrics, METRICS_queries) == SUBMITTERS * JOBS);
	REQUIRE(atomic_load(&s.cut) > 0 && atomic_load(&s.versions.current->references) == 1);
	REQUIRE(buffers_held_bytes(s.buffers) <= BUFFERS * 128);
	printf("%d jobs, %u times the queue was full, %u connections cut\n", SUBMITTERS * JOBS,
		atomic_load(&s.refused), atomic_load(&s.cut));
	REQUIRE(metrics_get(s.metrics, METRICS_cache_hits) + metrics_get(s.metrics, METRICS_cache_misses) ==
		SUBMITTERS * JOBS);
	REQUIRE(metrics_get(s.metrics, METRICS_cache_evictions) > 0);
	for (int i = 0; i < SLOTS; i++)
		cache_drop(s.cache, s.slot + i);
	REQUIRE(cache_bytes(s.cache) == 0);
	cache_destroy(s.cache);
	pool_destroy(s.pool);
	deadlines_destroy(s.deadlines);
	buffers_destroy(s.buffers);
	metrics_destroy(s.metrics);
	versions_clear(&s.versions);
	return 0;
}
