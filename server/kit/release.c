/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/release.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/require.h"
#include "kit/clock.h"

struct entry {
	uint64_t at_ns;
	void *thing;
};

struct release {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed; /* an earlier first entry, or the end */
	struct entry *heap; /* none is earlier than its parent, (i - 1) / 2 */
	unsigned count;
	unsigned limit;
	bool stopping;
	bool started;
	void (*let_go)(void *thing);
	pthread_t thread;
};

static void sift_up(struct entry *heap, unsigned i, struct entry e)
{
	for (; i > 0 && e.at_ns < heap[(i - 1) / 2].at_ns; i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = e;
}

/* Removes the first. */
static void *pop(struct release *r)
{
	struct entry *heap = r->heap, last = heap[r->count - 1];
	void *thing = heap[0].thing;
	unsigned i = 0, child;

	r->count--;
	while ((child = 2 * i + 1) < r->count) {
		if (child + 1 < r->count && heap[child + 1].at_ns < heap[child].at_ns)
			child++;
		if (last.at_ns <= heap[child].at_ns)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = last;
	return thing;
}

static void sleep_until(struct release *r, uint64_t at_ns)
{
	struct timespec t = {.tv_sec = (time_t)(at_ns / 1000000000), .tv_nsec = (long)(at_ns % 1000000000)};

	pthread_cond_timedwait(&r->changed, &r->lock, &t);
}

static void *work(void *arg)
{
	struct release *r = arg;

	pthread_mutex_lock(&r->lock);
	while (!r->stopping || r->count > 0) {
		if (r->count == 0) {
			pthread_cond_wait(&r->changed, &r->lock);
		} else if (!r->stopping && clock_ns() < r->heap[0].at_ns) {
			sleep_until(r, r->heap[0].at_ns);
		} else {
			void *thing = pop(r);

			pthread_mutex_unlock(&r->lock);
			r->let_go(thing);
			pthread_mutex_lock(&r->lock);
		}
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

enum veil_status release_create(
	struct release **out, unsigned limit, void (*let_go)(void *thing), struct veil_error *err)
{
	struct release *r = calloc(1, sizeof *r);
	pthread_condattr_t attributes;
	int rc;

	*out = NULL;
	if (!r)
		return error_set(err, VEIL_E_NOMEM, "no memory for a timer");
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	r->let_go = let_go;
	r->limit = limit;
	r->heap = calloc(limit, sizeof *r->heap);
	rc = r->heap ? pthread_create(&r->thread, NULL, work, r) : ENOMEM;
	r->started = rc == 0;
	if (!r->started) {
		release_destroy(r);
		return error_set(err, VEIL_E_NOMEM, "a timer for %u replies: %s", limit, strerror(rc));
	}
	*out = r;
	return VEIL_OK;
}

void release_stop(struct release *r)
{
	if (!r || !r->started)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	r->started = false;
}

void release_destroy(struct release *r)
{
	if (!r)
		return;
	release_stop(r);
	REQUIRE(r->count == 0);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r->heap);
	free(r);
}

void release_at(struct release *r, void *thing, uint64_t at_ns)
{
	bool kept = false;

	pthread_mutex_lock(&r->lock);
	if (!r->stopping && r->count < r->limit) {
		sift_up(r->heap, r->count++, (struct entry){at_ns, thing});
		kept = true;
		if (r->heap[0].thing == thing)
			pthread_cond_signal(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
	if (!kept)
		r->let_go(thing);
}
