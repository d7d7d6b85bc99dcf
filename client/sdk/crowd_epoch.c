/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "sdk/crowd_inside.h"

/* An item this late has been missed, and gets another instant. */
#define LATE_MS(epoch_ms) ((epoch_ms) < 4000 ? (epoch_ms) / 4 : 1000)

/* A request at its instant, in a thread of its own. */
struct job {
	pthread_t thread;
	struct job *next; /* of those that are over */
	struct veil_crowd *crowd;
	struct privacy_item item; /* what it was made for */
	struct epoch_request request;
	struct search *fake;
	struct question *question;
};

/* --- requests */

/* One way for all, whatever it is: encrypt, send, receive, decrypt, keep the best. */
static void *send_request(void *arg)
{
	struct job *job = arg;
	struct veil_crowd *c = job->crowd;
	struct veil_error err = {""};
	enum veil_status st = search_ask(job->request.search, job->request.i, &err);

	pthread_mutex_lock(&c->lock);
	crowd_note(c, st);
	if (job->question)
		crowd_settle(c, job->question, st, &err);
	search_destroy(job->fake);
	job->next = c->over;
	c->over = job;
	c->busy--;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

void crowd_epoch_reap(struct veil_crowd *c)
{
	struct job *job;

	while ((job = c->over)) {
		c->over = job->next;
		pthread_join(job->thread, NULL); /* it needs the lock no more */
		free(job);
	}
}

/* Made before its instant, so that this one does not tell what it took. NULL: `why`. */
static struct job *prepare(struct veil_crowd *c, const struct privacy_item *item, struct veil_error *why)
{
	struct job *job = calloc(1, sizeof *job);

	if (!job) {
		error_set(why, VEIL_E_NOMEM, "no memory for a request; ask again");
		return NULL;
	}
	job->crowd = c;
	job->item = *item;
	if (epoch_request(&c->epoch, item, &job->request, &job->fake, why) != VEIL_OK) {
		free(job);
		return NULL;
	}
	if (item->question < c->epoch.questions)
		job->question = c->asked[item->question];
	return job;
}

static void discard(struct job *job)
{
	if (job)
		search_destroy(job->fake);
	free(job);
}

/* An item that cannot leave: a question fails, a fake is missing. */
static void give_up(struct veil_crowd *c, const struct privacy_item *item, const char *why)
{
	struct veil_error err;

	if (item->question < c->epoch.questions)
		crowd_settle(c, c->asked[item->question], error_set(&err, VEIL_E_TIMEOUT, "%s", why), &err);
}

static void launch(struct veil_crowd *c, struct job *job)
{
	crowd_epoch_reap(c);
	c->busy++;
	if (pthread_create(&job->thread, NULL, send_request, job) == 0)
		return;
	c->busy--;
	give_up(c, &job->item, "no thread for a request; ask again");
	discard(job);
}

/* --- one epoch */

/* What waits and has room, in the order in which it was asked. */
static void take_questions(struct veil_crowd *c)
{
	struct epoch *e = &c->epoch;
	struct question *q;

	while ((q = c->first)) {
		uint32_t before = e->questions;
		enum veil_status st = crowd_take(c, q, &q->err);

		if (st == VEIL_OK && !epoch_add(e, q->search)) {
			crowd_drop(c, q);
			return;
		}
		c->first = q->next;
		if (!c->first)
			c->last = &c->first;
		q->left = st == VEIL_OK ? search_requests(q->search) : 1;
		for (uint32_t i = before; i < e->questions; i++)
			c->asked[i] = q;
		if (st != VEIL_OK)
			crowd_settle(c, q, st, &q->err);
	}
}

/* Nothing of these leaves. */
static void refuse_taken(struct veil_crowd *c, enum veil_status st, const struct veil_error *err)
{
	for (uint32_t i = 0; i < c->epoch.questions; i++)
		crowd_settle(c, c->asked[i], st, err);
	c->epoch.questions = 0;
}

static void tell(struct veil_crowd *c, const char *problem)
{
	const struct crowd_terms *t = &c->epoch.terms;
	const struct veil_crowd_epoch e = {.begin_s = (uint64_t)(c->begin_ms / 1000),
		.mode = t->mode,
		.attested = t->attested,
		.users = t->users,
		.shards = c->client->session ? c->client->session->config.shards : 0,
		.questions = c->epoch.questions,
		.requests = c->epoch.schedule.count,
		.problem = problem};

	if (!c->options.watch)
		return;
	pthread_mutex_unlock(&c->lock); /* who watches may ask */
	c->options.watch(c->options.arg, &e);
	pthread_mutex_lock(&c->lock);
}

void crowd_epoch_begin(struct veil_crowd *c, int64_t begin_ms)
{
	struct crowd_terms terms = {.mode = VEIL_CROWD_COVER};
	struct veil_error err = c->why;
	enum veil_status st = VEIL_OK;

	c->begin_ms = begin_ms;
	if (!c->client->session) {
		crowd_refuse_waiting(c, VEIL_E_NETWORK, &err);
		epoch_init(&c->epoch, c->client, &terms);
		tell(c, err.text);
		return;
	}
	crowd_terms_choose(&terms, privacy_accountant_account(c->accountant), c->client->session,
		c->attested ? &c->attest : NULL, c->why.text, c->options.epoch_ms);
	epoch_init(&c->epoch, c->client, &terms);
	error_set(&err, VEIL_E_BUSY, "nothing hides a question at present: %.440s", terms.problem);
	if (terms.mode == VEIL_CROWD_COVER)
		crowd_refuse_waiting(c, VEIL_E_BUSY, &err);
	take_questions(c);
	if (terms.mode == VEIL_CROWD_HIDDEN && c->epoch.questions > 0)
		st = privacy_accountant_charge(
			c->accountant, (uint64_t)begin_ms, c->epoch.questions, (uint64_t)time(NULL), &err);
	if (st != VEIL_OK)
		refuse_taken(c, st, &err);
	c->used = c->epoch.questions;
	st = epoch_draw(&c->epoch, c->options.epoch_ms, &c->random);
	if (st != VEIL_OK)
		refuse_taken(c, st, &(struct veil_error){"no memory for an epoch"});
	c->runs = st == VEIL_OK;
	tell(c, terms.problem);
}

void crowd_epoch_run(struct veil_crowd *c)
{
	struct privacy_schedule *s = &c->epoch.schedule;
	const int64_t length = c->options.epoch_ms, late = LATE_MS(length);
	const struct privacy_item *item;
	struct veil_error why;
	struct job *job = NULL;

	while (!c->stop) {
		int64_t at = crowd_now_ms() - c->begin_ms;

		item = privacy_schedule_next(s);
		if (job && (!item || memcmp(&job->item, item, sizeof *item) != 0)) {
			discard(job);
			job = NULL;
		}
		if (at < -late || at >= length + (item ? late : 0))
			break;
		if (!item) {
			crowd_wait_until(c, c->begin_ms + length);
			continue;
		}
		if (at > item->at_ms + late) { /* the device slept */
			if (at + CROWD_LEAST_LEFT_MS(length) > length)
				break;
			privacy_schedule_redraw(s, (uint32_t)at, &c->random);
			continue;
		}
		if (!job)
			job = prepare(c, item, &why);
		if (at < item->at_ms) {
			crowd_wait_until(c, c->begin_ms + item->at_ms);
			continue;
		}
		if (job)
			launch(c, job);
		else
			give_up(c, item, why.text);
		job = NULL;
		privacy_schedule_sent(s);
	}
	discard(job);
	for (; (item = privacy_schedule_next(s)); privacy_schedule_sent(s))
		give_up(c, item, "the question could not leave in its epoch: this device slept; ask again");
	c->runs = false;
	epoch_clear(&c->epoch);
}
