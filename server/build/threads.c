/* SPDX-License-Identifier: Apache-2.0 */
#include "build/threads.h"

#include <pthread.h>
#include <stdatomic.h>

#define MAX_HELPERS 255

struct job {
	atomic_size_t next;
	size_t count;
	void (*body)(void *arg, size_t i);
	void *arg;
};

static void *work(void *arg)
{
	struct job *job = arg;
	size_t i;

	while ((i = atomic_fetch_add(&job->next, 1)) < job->count)
		job->body(job->arg, i);
	return NULL;
}

static void parallel_for(void *state, size_t count, void (*body)(void *arg, size_t i), void *arg)
{
	size_t helpers = *(const unsigned *)state - 1, started = 0;
	struct job job = {.count = count, .body = body, .arg = arg};
	pthread_t thread[MAX_HELPERS];

	if (helpers > MAX_HELPERS)
		helpers = MAX_HELPERS;
	if (count > 0 && helpers > count - 1)
		helpers = count - 1;
	while (started < helpers && pthread_create(thread + started, NULL, work, &job) == 0)
		started++;
	work(&job);
	while (started > 0)
		pthread_join(thread[--started], NULL);
}

struct exec threads_exec(unsigned *count)
{
	return (struct exec){.parallel_for = parallel_for, .state = count, .width = *count};
}
