/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/crowd.h"

#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "base/require.h"
#include "sdk/crowd_inside.h"

int64_t crowd_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void crowd_wait_until(struct veil_crowd *c, int64_t ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	pthread_cond_timedwait(&c->changed, &c->lock, &t);
}

void crowd_settle(struct veil_crowd *c, struct question *q, enum veil_status st, const struct veil_error *err)
{
	if (st != VEIL_OK && q->status == VEIL_OK) {
		q->status = st;
		q->err = *err;
	}
	REQUIRE(q->left > 0);
	q->left--;
	pthread_cond_broadcast(&c->changed);
}

enum veil_status crowd_take(struct veil_crowd *c, struct question *q, struct veil_error *err)
{
	const enum veil_crowd_mode mode = c->epoch.terms.mode;
	enum veil_status st;

	q->asked.sealed = mode == VEIL_CROWD_SEALED;
	st = search_create(&q->search, c->client, &q->asked, mode == VEIL_CROWD_ALL_SHARDS, err);
	if (st == VEIL_OK)
		c->busy++; /* its answer is read by what the session says */
	return st;
}

void crowd_drop(struct veil_crowd *c, struct question *q)
{
	if (!q->search)
		return;
	search_destroy(q->search);
	q->search = NULL;
	c->busy--;
	pthread_cond_broadcast(&c->changed);
}

void crowd_refuse_waiting(struct veil_crowd *c, enum veil_status st, const struct veil_error *err)
{
	struct question *q;

	while ((q = c->first)) {
		c->first = q->next;
		q->left = 1;
		crowd_settle(c, q, st, err);
	}
	c->last = &c->first;
}

void crowd_note(struct veil_crowd *c, enum veil_status st)
{
	if (st == VEIL_E_VERSION || st == VEIL_E_NOT_FOUND)
		c->stale = true;
}

/* --- between epochs */

static enum veil_status fetch_attestation(
	const struct veil_client *client, struct attest *out, struct veil_error *err)
{
	return transport_ohttp_attestation(&client->transport, out, CROWD_MAX_AGE_S, client->timeout_ms, err);
}

/* The configuration, when nobody uses the old one. */
static void refresh(struct veil_crowd *c)
{
	struct veil_error err = {""};
	enum veil_status st;

	while (c->busy > 0 && !c->stop)
		pthread_cond_wait(&c->changed, &c->lock);
	if (c->stop)
		return;
	c->busy++; /* nobody asks at once meanwhile */
	pthread_mutex_unlock(&c->lock);
	st = veil_client_refresh(c->client, &err);
	pthread_mutex_lock(&c->lock);
	c->busy--;
	c->stale = st != VEIL_OK;
	if (st != VEIL_OK)
		c->why = err;
}

static void keep_up(struct veil_crowd *c)
{
	struct veil_client *client = c->client;
	uint64_t now = (uint64_t)time(NULL), age;
	struct veil_error err = {""};
	struct attest attest;
	enum veil_status st;

	if (c->stale || !client->session || (client->trusting && (int64_t)now >= client->valid_until))
		refresh(c);
	age = c->attested && now > c->attest.issued ? now - c->attest.issued : 0;
	if (c->stop || !client->session || (c->attested && age <= CROWD_FRESH_S))
		return;
	pthread_mutex_unlock(&c->lock);
	st = (c->options.attest ? c->options.attest : fetch_attestation)(client, &attest, &err);
	pthread_mutex_lock(&c->lock);
	if (st == VEIL_OK)
		c->attest = attest;
	else
		c->why = err;
	c->attested = st == VEIL_OK || (c->attested && age <= CROWD_MAX_AGE_S);
}

static void *run(void *arg)
{
	struct veil_crowd *c = arg;
	const int64_t length = c->options.epoch_ms;
	int64_t last = crowd_now_ms() / length; /* an epoch is taken from its begin, or not at all */
	int64_t kept_up = -1;

	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		int64_t now, this;

		if (kept_up != crowd_now_ms() / length) { /* once an epoch, whatever comes of it */
			kept_up = crowd_now_ms() / length;
			keep_up(c);
			if (c->stop) /* said while the lock was given up: nobody says it again */
				break;
		}
		now = crowd_now_ms();
		this = now / length;
		if (this < last - 1)
			last = this; /* the clock went back; what is charged only goes forward */
		if (this <= last || now % length + CROWD_LEAST_LEFT_MS(length) > length) {
			crowd_wait_until(c, (this + 1) * length);
			continue;
		}
		last = this;
		crowd_epoch_begin(c, this * length);
		crowd_epoch_run(c);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* --- the user's side */

/* In the epoch that runs, in the caller's thread. The lock is held. */
static enum veil_status ask_now(struct veil_crowd *c, struct question *q, struct veil_error *err)
{
	struct epoch *e = &c->epoch;
	const enum veil_crowd_mode mode = e->terms.mode;
	uint32_t requests;
	enum veil_status st;

	if (!c->runs || mode == VEIL_CROWD_COVER)
		return error_set(err, VEIL_E_BUSY, "%.480s",
			c->runs ? e->terms.problem : "no epoch is under way; ask again in a moment");
	st = crowd_take(c, q, err);
	if (st != VEIL_OK)
		return st;
	requests = search_requests(q->search);
	if (requests > e->terms.plan.goal.questions - c->used)
		return error_set(err, VEIL_E_BUSY,
			"this epoch has had its %u questions; ask in the next one, or without --now",
			e->terms.plan.goal.questions);
	if (mode == VEIL_CROWD_HIDDEN)
		st = privacy_accountant_charge(
			c->accountant, (uint64_t)c->begin_ms, requests, (uint64_t)time(NULL), err);
	if (st != VEIL_OK)
		return st;
	c->used += requests;
	for (uint32_t i = 0; i < requests; i++)
		privacy_schedule_spare(&e->schedule, &c->random);
	pthread_cond_broadcast(&c->changed); /* another item may be the next one */
	pthread_mutex_unlock(&c->lock);
	for (uint32_t i = 0; st == VEIL_OK && i < requests; i++)
		st = search_ask(q->search, i, err);
	pthread_mutex_lock(&c->lock);
	crowd_note(c, st);
	return st;
}

static enum veil_status ask_later(struct veil_crowd *c, struct question *q, struct veil_error *err)
{
	q->left = 1; /* until an epoch knows better */
	*c->last = q;
	c->last = &q->next;
	while (q->left > 0)
		pthread_cond_wait(&c->changed, &c->lock);
	if (q->status != VEIL_OK && err)
		*err = q->err;
	return q->status;
}

enum veil_status veil_crowd_search(struct veil_crowd *c, struct veil_hits **out, const float *vector,
	uint32_t dim, uint32_t probes, uint32_t top, int now, struct veil_error *err)
{
	struct question q = {.asked = {vector, dim, probes, top, false, false}};
	const uint32_t most = privacy_accountant_account(c->accountant)->goal.questions;
	enum veil_status st;

	*out = NULL;
	if (probes > most)
		return error_set(err, VEIL_E_INVALID,
			"%u shards to ask are %u questions, and the budget has %u for an epoch", probes,
			probes, most);
	pthread_mutex_lock(&c->lock);
	c->callers++;
	if (c->stop)
		st = error_set(err, VEIL_E_BUSY, "the crowd is being left");
	else
		st = now ? ask_now(c, &q, err) : ask_later(c, &q, err);
	if (st == VEIL_OK)
		st = search_finish(q.search, out, err);
	crowd_drop(c, &q);
	c->callers--;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	return st;
}

unsigned crowd_callers(struct veil_crowd *c)
{
	unsigned callers;

	pthread_mutex_lock(&c->lock);
	callers = c->callers;
	pthread_mutex_unlock(&c->lock);
	return callers;
}

/* --- joining and leaving */

static void free_crowd(struct veil_crowd *c)
{
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	privacy_accountant_close(c->accountant);
	privacy_random_clear(&c->random);
	free(c);
}

enum veil_status crowd_create(struct veil_crowd **out, struct veil_client *client, const char *budget,
	const struct crowd_options *options, struct veil_error *err)
{
	struct veil_crowd *c = calloc(1, sizeof *c);
	char boot[PRIVACY_BOOT_SIZE];
	enum veil_status st;

	*out = NULL;
	if (!c)
		return error_set(err, VEIL_E_NOMEM, "no memory for a crowd");
	c->client = client;
	c->options = *options;
	c->last = &c->first;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	privacy_random_init(&c->random, rng_system());
	st = privacy_boot_read(boot, err);
	if (st == VEIL_OK)
		st = privacy_accountant_open(&c->accountant, budget, boot, err);
	if (st == VEIL_E_NOT_FOUND) /* for the SDK that is a server's word */
		st = VEIL_E_IO;
	if (st == VEIL_OK && pthread_create(&c->thread, NULL, run, c) != 0)
		st = error_set(err, VEIL_E_NOMEM, "no thread for the crowd");
	if (st != VEIL_OK) {
		free_crowd(c);
		return st;
	}
	*out = c;
	return VEIL_OK;
}

enum veil_status veil_crowd_create(struct veil_crowd **out, struct veil_client *client, const char *budget,
	uint32_t epoch_seconds, void (*watch)(void *arg, const struct veil_crowd_epoch *epoch), void *arg,
	struct veil_error *err)
{
	const struct crowd_options options = {.epoch_ms = epoch_seconds * 1000, .watch = watch, .arg = arg};

	*out = NULL;
	if (epoch_seconds < 1 || epoch_seconds > PRIVACY_MAX_EPOCH_MS / 1000)
		return error_set(err, VEIL_E_INVALID, "epochs of %u s: not from 1 to %d", epoch_seconds,
			PRIVACY_MAX_EPOCH_MS / 1000);
	if (!client->relayed)
		return error_set(err, VEIL_E_INVALID,
			"a crowd is behind a relay: without one the server sees the address of each "
			"question");
	if (client->trust.relay_count == 0)
		return error_set(err, VEIL_E_INVALID,
			"the trust file has no line \"relay\": nobody would be believed how many take part; "
			"ask "
			"who runs the relay for its key");
	return crowd_create(out, client, budget, &options, err);
}

void veil_crowd_leave(struct veil_crowd *c)
{
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	crowd_refuse_waiting(c, VEIL_E_BUSY, &(struct veil_error){"the crowd is being left"});
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

void veil_crowd_destroy(struct veil_crowd *c)
{
	if (!c)
		return;
	veil_crowd_leave(c);
	pthread_join(c->thread, NULL);
	pthread_mutex_lock(&c->lock);
	while (c->busy > 0 || c->callers > 0)
		pthread_cond_wait(&c->changed, &c->lock);
	crowd_epoch_reap(c);
	pthread_mutex_unlock(&c->lock);
	free_crowd(c);
}
