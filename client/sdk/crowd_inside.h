/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_CROWD_INSIDE_H
#define SDK_CROWD_INSIDE_H

#include <pthread.h>

#include "sdk/crowd.h"
#include "sdk/epoch.h"

/* What crowd.c (joining, asking) and crowd_epoch.c (sending) share. */

/* With less of the epoch left, what was missed is given up: it would leave as a bunch. */
#define CROWD_LEAST_LEFT_MS(epoch_ms) ((epoch_ms) / 8)

/* A question that waits, on the stack of who asks. */
struct question {
	struct search_question asked;
	struct search *search; /* once an epoch has taken it */
	uint32_t left; /* requests that have no reply yet */
	enum veil_status status;
	struct veil_error err;
	struct question *next;
};

struct veil_crowd {
	struct veil_client *client;
	struct crowd_options options;
	struct privacy_accountant *accountant;
	struct privacy_random random;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what is below; the thread leaves it while it waits or fetches */
	pthread_cond_t changed; /* any of it; its clock is that of epochs */
	bool stop;
	bool stale; /* the server has another version by now */
	struct job *over; /* requests whose threads are to be joined */
	unsigned busy; /* requests under way and questions not yet finished: they use the client's session */
	unsigned callers; /* within veil_crowd_search */
	struct question *first, **last; /* that wait for an epoch */
	bool attested; /* `attest` is one; else `why` not */
	struct attest attest;
	struct veil_error why;
	bool runs; /* an epoch, `begin_ms`: */
	struct epoch epoch;
	struct question *asked[PRIVACY_MAX_MOVED]; /* whose requests epoch.question are */
	uint32_t used; /* questions in it, with those that were asked at once */
	int64_t begin_ms;
};

/** Milliseconds since 1970: the clock of epochs. */
int64_t crowd_now_ms(void);
/** Until then, or until something changed. The lock is held, here and below. */
void crowd_wait_until(struct veil_crowd *c, int64_t ms);
/** A request of it is over, well or not. */
void crowd_settle(
	struct veil_crowd *c, struct question *q, enum veil_status st, const struct veil_error *err);
/** Makes its search, on the terms of the epoch. */
enum veil_status crowd_take(struct veil_crowd *c, struct question *q, struct veil_error *err) VEIL_MUST_CHECK;
/** Its search, if it has one. */
void crowd_drop(struct veil_crowd *c, struct question *q);
/** All of what waits. */
void crowd_refuse_waiting(struct veil_crowd *c, enum veil_status st, const struct veil_error *err);
/** What came of a request says whether the server has another version. */
void crowd_note(struct veil_crowd *c, enum veil_status st);

/** Draws the epoch; the charge is on the disk before anything of it is. */
void crowd_epoch_begin(struct veil_crowd *c, int64_t begin_ms);
/** Sends each item at its instant, until the epoch is over. */
void crowd_epoch_run(struct veil_crowd *c);
/** Joins the threads of requests that are over. */
void crowd_epoch_reap(struct veil_crowd *c);

#endif
