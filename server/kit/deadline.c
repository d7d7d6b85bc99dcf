/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/deadline.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/require.h"
#include "kit/clock.h"

#define LINGER_NS 2000000000u
#define ENDED_NS 500000000u /* for the client to close its side, too */
#define DRAIN_TICK_MS 20
#define LINGER_MAX 64 /* sockets; more are closed at once */

struct deadlines {
	pthread_mutex_t lock; /* guards all below but the atomics */
	struct deadline *first; /* the newest */
	struct deadline *last;
	struct {
		int fd; /* our duplicate */
		uint64_t until_ns;
	} linger[LINGER_MAX];
	unsigned lingering;
	uint64_t drain_ns; /* UINT64_MAX: not drained */
	bool drained;
	bool stopping;
	int wake; /* an eventfd: a socket to linger on has come, or the end */
	unsigned tick_ms;
	void (*passed)(void *state);
	void *state;
	pthread_t thread;
};

static void cut(struct deadlines *d, struct deadline *e)
{
	e->cut = true;
	shutdown(e->fd, SHUT_RDWR);
	if (d->passed)
		d->passed(d->state);
}

/* Ends a connection between two requests; false if it is not, or if a request is waiting to be read. */
static bool end(struct deadline *e, uint64_t now)
{
	unsigned idle = DEADLINE_IDLE;
	char c;

	if (atomic_load(&e->use) != DEADLINE_IDLE || recv(e->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) > 0 ||
		!atomic_compare_exchange_strong(&e->use, &idle, DEADLINE_ENDED))
		return false;
	shutdown(e->fd, SHUT_WR);
	deadline_set(e, now + ENDED_NS);
	return true;
}

static void look_at(struct deadlines *d, struct deadline *e, uint64_t now)
{
	bool idle = atomic_load(&e->use) == DEADLINE_IDLE; /* before its deadline is: see deadline_begin */
	uint64_t at_ns = atomic_load_explicit(&e->at_ns, memory_order_relaxed);

	if (e->cut || (now < at_ns && !(idle && now >= d->drain_ns)))
		return;
	if (!idle)
		cut(d, e);
	else if (!end(e, now) && atomic_load(&e->use) == DEADLINE_IDLE && now >= at_ns + ENDED_NS)
		cut(d, e); /* who drips the bytes of a head may always have some waiting */
}

static void sweep(struct deadlines *d, uint64_t now)
{
	for (struct deadline *e = d->first; e; e = e->next)
		look_at(d, e, now);
}

/* True when the socket is done with. */
static bool swallow(int fd)
{
	char waste[16384];
	ssize_t n;

	do
		n = recv(fd, waste, sizeof waste, MSG_DONTWAIT);
	while (n > 0);
	return n == 0 || (errno != EAGAIN && errno != EINTR);
}

static void swallow_all(struct deadlines *d, uint64_t now)
{
	for (unsigned i = 0; i < d->lingering;) {
		if (!swallow(d->linger[i].fd) && now < d->linger[i].until_ns) {
			i++;
			continue;
		}
		close(d->linger[i].fd);
		d->linger[i] = d->linger[--d->lingering];
	}
}

static void *watch(void *arg)
{
	struct deadlines *d = arg;
	struct pollfd fds[LINGER_MAX + 1] = {{.fd = d->wake, .events = POLLIN}};
	uint64_t swept = 0;
	unsigned count = 0, tick_ms = d->tick_ms;
	bool stopping = false;

	while (!stopping) {
		uint64_t now;
		eventfd_t woken;

		poll(fds, count + 1, (int)tick_ms);
		eventfd_read(d->wake, &woken);
		now = clock_ns();
		pthread_mutex_lock(&d->lock);
		tick_ms = d->drain_ns == UINT64_MAX ? d->tick_ms : DRAIN_TICK_MS;
		if (now - swept >= (uint64_t)tick_ms * 1000000) {
			sweep(d, now);
			swept = now;
		}
		swallow_all(d, now);
		count = d->lingering;
		for (unsigned i = 0; i < count; i++)
			fds[i + 1] = (struct pollfd){.fd = d->linger[i].fd, .events = POLLIN};
		stopping = d->stopping;
		pthread_mutex_unlock(&d->lock);
	}
	return NULL;
}

enum veil_status deadlines_create(struct deadlines **out, unsigned tick_ms, void (*passed)(void *state),
	void *state, struct veil_error *err)
{
	struct deadlines *d = calloc(1, sizeof *d);
	int rc;

	*out = NULL;
	if (!d)
		return error_set(err, VEIL_E_NOMEM, "no memory for the deadlines");
	d->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	d->tick_ms = tick_ms;
	d->drain_ns = UINT64_MAX;
	d->passed = passed;
	d->state = state;
	pthread_mutex_init(&d->lock, NULL);
	rc = d->wake < 0 ? errno : pthread_create(&d->thread, NULL, watch, d);
	if (rc != 0) {
		if (d->wake >= 0)
			close(d->wake);
		pthread_mutex_destroy(&d->lock);
		free(d);
		return error_set(err, VEIL_E_NOMEM, "the thread of the deadlines could not be started: %s",
			strerror(rc));
	}
	*out = d;
	return VEIL_OK;
}

void deadlines_destroy(struct deadlines *d)
{
	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->stopping = true;
	pthread_mutex_unlock(&d->lock);
	eventfd_write(d->wake, 1);
	pthread_join(d->thread, NULL);
	REQUIRE(d->first == NULL);
	for (unsigned i = 0; i < d->lingering; i++)
		close(d->linger[i].fd);
	close(d->wake);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

void deadlines_add(struct deadlines *d, struct deadline *entry, int fd, uint64_t at_ns)
{
	entry->fd = fd;
	entry->cut = false;
	atomic_init(&entry->dawdling, true);
	atomic_init(&entry->use, DEADLINE_IDLE);
	deadline_set(entry, at_ns);
	pthread_mutex_lock(&d->lock);
	if (d->drained) {
		atomic_store(&entry->use, DEADLINE_ENDED);
		cut(d, entry);
	}
	entry->previous = NULL;
	entry->next = d->first;
	*(d->first ? &d->first->previous : &d->last) = entry;
	d->first = entry;
	pthread_mutex_unlock(&d->lock);
}

bool deadline_begin(struct deadline *entry, uint64_t at_ns)
{
	unsigned idle = DEADLINE_IDLE;

	/* First the deadline: whoever sees the request sees it, too. */
	if (atomic_load(&entry->use) != DEADLINE_IDLE)
		return false;
	deadline_set(entry, at_ns);
	return atomic_compare_exchange_strong(&entry->use, &idle, DEADLINE_BUSY);
}

void deadline_idle(struct deadline *entry, uint64_t at_ns)
{
	deadline_set(entry, at_ns);
	atomic_store(&entry->use, DEADLINE_IDLE);
}

void deadlines_drain(struct deadlines *d, uint64_t at_ns)
{
	pthread_mutex_lock(&d->lock);
	d->drain_ns = at_ns;
	pthread_mutex_unlock(&d->lock);
	eventfd_write(d->wake, 1);
}

bool deadlines_drained(struct deadlines *d)
{
	pthread_mutex_lock(&d->lock);
	d->drained = !d->first && d->lingering == 0;
	pthread_mutex_unlock(&d->lock);
	return d->drained;
}

/* The lock is held. */
static struct deadline *find_dawdling(struct deadlines *d, const struct deadline *newcomer)
{
	struct deadline *e = d->last;

	while (e && (e == newcomer || e->cut || !atomic_load_explicit(&e->dawdling, memory_order_relaxed)))
		e = e->previous;
	return e;
}

/* The same, and it is ended. */
static struct deadline *end_idle(struct deadlines *d, const struct deadline *newcomer)
{
	struct deadline *e = d->last;

	while (e && (e == newcomer || e->cut || !end(e, 0)))
		e = e->previous;
	return e;
}

void deadlines_make_room(struct deadlines *d, const struct deadline *newcomer)
{
	struct deadline *e;

	pthread_mutex_lock(&d->lock);
	e = find_dawdling(d, newcomer);
	if (!e)
		e = end_idle(d, newcomer);
	if (e)
		cut(d, e);
	pthread_mutex_unlock(&d->lock);
}

void deadlines_remove(struct deadlines *d, struct deadline *entry, bool linger)
{
	pthread_mutex_lock(&d->lock);
	*(entry->previous ? &entry->previous->next : &d->first) = entry->next;
	*(entry->next ? &entry->next->previous : &d->last) = entry->previous;
	if (linger && !entry->cut && d->lingering < LINGER_MAX) {
		int fd = dup(entry->fd);

		if (fd >= 0) {
			shutdown(fd, SHUT_WR); /* the reply has gone to the system: the client sees its end at
						  once */
			d->linger[d->lingering].fd = fd;
			d->linger[d->lingering++].until_ns = clock_ns() + LINGER_NS;
			eventfd_write(d->wake, 1);
		}
	}
	pthread_mutex_unlock(&d->lock);
}
