/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "inside.h"
#include "privacy/schedule.h"
#include "sdk/crowd_inside.h"
#include "sdk/search.h"
#include "support/test.h"
#include "veil/privacy.h"

#define EPOCH_MS 200
#define USERS 500

/* A crowd of one client on a server inside, and what that server saw. */
struct world {
	struct inside *server;
	struct veil_client *client;
	struct veil_crowd *crowd;
	atomic_uint queries[INSIDE_SHARDS], all, epochs, modes[4], requests, failures;
	uint32_t users;
	enum veil_status attests; /* what asking for an attestation comes to */
};
static struct world w; /* the seam for the attestation has no state of its own */

static enum veil_status attest(const struct veil_client *client, struct attest *out, struct veil_error *err)
{
	(void)client;
	*out = (struct attest){
		.issued = (uint64_t)time(NULL), .users = w.users, .epoch_seconds = 0, .epochs = 100};
	if (w.attests != VEIL_OK)
		snprintf(err->text, sizeof err->text, "no attestation today");
	return w.attests;
}

static enum veil_status count(void *state, struct transport_reply *reply,
	const struct transport_request *request, struct veil_error *err)
{
	uint8_t id[HASH_BYTES];
	uint32_t shard;

	if (request->body.data) {
		cr_assert(wire_query_target(id, &shard, request->body.data, request->body.size));
		if (shard == WIRE_ALL_SHARDS)
			w.all++;
		else
			w.queries[shard]++;
	}
	return inside_exchange(state, reply, request, err);
}

static void watch(void *arg, const struct veil_crowd_epoch *epoch)
{
	(void)arg;
	w.modes[epoch->mode]++;
	w.requests += epoch->requests;
	w.epochs++;
	cr_assert_eq(epoch->problem[0] == 0, epoch->mode == VEIL_CROWD_HIDDEN);
	cr_assert_eq(epoch->users, epoch->mode == VEIL_CROWD_HIDDEN ? USERS : 0);
	if (epoch->questions >
		0) { /* they hold the session, by which their answers are read, until the end */
		pthread_mutex_lock(&w.crowd->lock);
		cr_assert_gt(w.crowd->busy, 0);
		pthread_mutex_unlock(&w.crowd->lock);
	}
}

/* Eps 4 and delta 0.01: few fakes. */
static void join(const struct rng *rng, uint32_t questions, uint32_t users, enum veil_status attests)
{
	const struct crowd_options options = {.epoch_ms = EPOCH_MS, .watch = watch, .attest = attest};
	struct veil_privacy_plan *plan;
	struct veil_error err = {""};

	w = (struct world){.server = inside_create(rng, 16), .users = users, .attests = attests};
	w.client = inside_client(w.server);
	w.client->transport.exchange = count;
	cr_assert_eq(
		veil_privacy_plan_create(&plan, 4, 0.01, questions, 0, 0, &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(
		veil_privacy_budget_create(test_file("budget"), plan, 3, 4, &err), VEIL_OK, "%s", err.text);
	veil_privacy_plan_destroy(plan);
	cr_assert_eq(crowd_create(&w.crowd, w.client, test_file("budget"), &options, &err), VEIL_OK, "%s",
		err.text);
}

static void leave(void)
{
	veil_crowd_destroy(w.crowd);
	veil_client_destroy(w.client);
	inside_destroy(w.server);
}

static unsigned queries(void)
{
	unsigned sum = w.all;

	for (int i = 0; i < INSIDE_SHARDS; i++)
		sum += w.queries[i];
	return sum;
}

/* Until so many epochs have begun. */
static void await(unsigned epochs)
{
	while (w.epochs < epochs)
		usleep(2000);
}

static uint64_t spent(void)
{
	struct veil_privacy_budget *budget;
	uint64_t ever;

	cr_assert_eq(veil_privacy_budget_read(&budget, test_file("budget"), NULL), VEIL_OK);
	ever = veil_privacy_budget_spending(budget)->ever;
	veil_privacy_budget_destroy(budget);
	return ever;
}

static const float vector[INSIDE_DIM] = {0.5f, 0.1f, 0.9f, 0.2f};

/* The crowd's answer is that of a search. On a machine that stands still an epoch may be missed: that is
 * said, and the question asked again. */
static enum veil_status ask(uint32_t probes, int now, struct veil_error *err)
{
	struct veil_hits *hits, *plain;
	enum veil_status st;

	for (int tries = 0; tries < 20; tries++) {
		st = veil_crowd_search(w.crowd, &hits, vector, INSIDE_DIM, probes, 5, now, err);
		if (st != VEIL_E_TIMEOUT)
			break;
		w.failures++;
	}
	if (st != VEIL_OK)
		return st;
	cr_assert_eq(veil_client_search(w.client, &plain, vector, INSIDE_DIM,
			     w.modes[VEIL_CROWD_ALL_SHARDS] ? INSIDE_SHARDS : probes, 5, err),
		VEIL_OK, "%s", err->text);
	cr_assert_eq(veil_hits_count(hits), 5);
	for (size_t i = 0; i < 5; i++) {
		cr_assert_eq(veil_hits_at(hits, i)->record, veil_hits_at(plain, i)->record);
		cr_assert_eq(veil_hits_at(hits, i)->score, veil_hits_at(plain, i)->score);
		cr_assert_str_eq(veil_hits_at(hits, i)->name, veil_hits_at(plain, i)->name);
	}
	veil_hits_destroy(plain);
	veil_hits_destroy(hits);
	return VEIL_OK;
}

Test(crowd, an_epoch_without_a_question_sends_fakes_and_is_not_charged)
{
	struct rng rng = test_rng();

	join(&rng, 2, USERS, VEIL_OK);
	await(4);
	cr_assert_gt(queries(), 0);
	cr_assert_eq(w.modes[VEIL_CROWD_HIDDEN], w.epochs);
	cr_assert_gt(w.requests, w.epochs, "more than nothing in each");
	cr_assert_eq(spent(), 0);
	leave();
}

Test(crowd, a_question_is_answered_as_by_a_search_and_charged_once_with_its_probes)
{
	struct rng rng = test_rng();
	struct veil_error err = {""};

	join(&rng, 2, USERS, VEIL_OK);
	cr_assert_eq(ask(2, 0, &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(spent(), 1 + w.failures);
	cr_assert_eq(
		veil_crowd_search(w.crowd, &(struct veil_hits *){NULL}, vector, INSIDE_DIM, 3, 5, 0, &err),
		VEIL_E_INVALID);
	cr_assert(strstr(err.text, "the budget has 2"), "%s", err.text);
	cr_assert_eq(veil_crowd_search(
			     w.crowd, &(struct veil_hits *){NULL}, vector, INSIDE_DIM - 1, 1, 5, 0, &err),
		VEIL_E_INVALID);
	cr_assert(strstr(err.text, "31 numbers"), "%s", err.text);
	leave();
}

Test(crowd, without_enough_users_every_request_asks_all_shards_and_costs_nothing)
{
	static const struct {
		uint32_t users;
		enum veil_status attests;
	} cases[] = {{CROWD_MIN_USERS - 1, VEIL_OK}, {USERS, VEIL_E_NETWORK}};
	struct rng rng = test_rng();
	struct veil_error err = {""};

	for (int i = 0; i < 2; i++) {
		join(&rng, 2, cases[i].users, cases[i].attests);
		await(2);
		w.queries[0] = w.queries[1] = w.queries[2] = w.queries[3] = 0;
		cr_assert_eq(ask(1, i, &err), VEIL_OK, "%s", err.text);
		veil_crowd_destroy(w.crowd);
		w.crowd = NULL;
		cr_assert_eq(w.modes[VEIL_CROWD_ALL_SHARDS], w.epochs);
		cr_assert_eq(
			queries() - w.all, INSIDE_SHARDS, "none but those of the search to compare with");
		cr_assert(w.failures || w.all <= w.requests, "a question takes the place of a fake");
		cr_assert_eq(w.requests, 2 * w.epochs);
		cr_assert_eq(spent(), 0);
		leave();
		unlink(test_file("budget"));
		unlink(test_file("budget.boots"));
	}
}

Test(crowd, what_the_budget_does_not_have_is_not_asked_and_fakes_go_on)
{
	struct rng rng = test_rng();
	struct veil_error err = {""};
	unsigned epochs;

	join(&rng, 1, USERS, VEIL_OK);
	while (spent() < 3) /* of a day; at midnight one more would be in it */
		if (ask(1, 0, &err) != VEIL_OK)
			break;
	cr_assert_leq(spent(), 4);
	if (spent() == 3) {
		enum veil_status st = ask(1, 0, &err);

		cr_assert(st == VEIL_E_BUSY || st == VEIL_OK, "%s", err.text);
		cr_assert(st == VEIL_OK || strstr(err.text, "the 3 epochs of this day"), "%s", err.text);
	}
	epochs = w.epochs;
	await(epochs + 2);
	cr_assert_eq(w.modes[VEIL_CROWD_HIDDEN], w.epochs);
	leave();
}

/* In the gap between two epochs, and in one that has had its questions, it is told to wait. */
static enum veil_status ask_now(struct veil_error *err)
{
	enum veil_status st;

	do
		st = ask(1, 1, err);
	while (st == VEIL_E_BUSY && (strstr(err->text, "under way") || strstr(err->text, "this epoch")));
	return st;
}

Test(crowd, a_question_asked_now_is_one_of_the_epochs)
{
	struct rng rng = test_rng();
	struct veil_error err = {""};

	join(&rng, 1, USERS, VEIL_OK);
	await(1);
	cr_assert_eq(ask_now(&err), VEIL_OK, "%s", err.text);
	cr_assert_eq(spent(), 1);
	leave();
}

/* Both ways count epochs alike: else each would take the other's last epoch for one to come, or long gone. */
Test(crowd, a_question_may_be_asked_now_after_one_that_waited_for_its_epoch)
{
	struct rng rng = test_rng();
	struct veil_error err = {""};

	join(&rng, 1, USERS, VEIL_OK);
	cr_assert_eq(ask(1, 0, &err), VEIL_OK, "%s", err.text);
	if (w.failures == 0) /* else the day's three epochs may be spent */
		cr_assert_eq(ask_now(&err), VEIL_OK, "%s", err.text);
	leave();
}

static void *ask_and_fail(void *arg)
{
	struct veil_hits *hits;
	struct veil_error err = {""};

	(void)arg;
	cr_assert_eq(veil_crowd_search(w.crowd, &hits, vector, INSIDE_DIM, 1, 5, 0, &err), VEIL_E_BUSY, "%s",
		err.text);
	cr_assert_null(hits);
	return NULL;
}

Test(crowd, who_leaves_does_not_wait_for_an_epoch_and_nobody_is_left_waiting)
{
	const struct crowd_options options = {.epoch_ms = PRIVACY_MAX_EPOCH_MS, .attest = attest};
	struct rng rng = test_rng();
	struct veil_error err = {""};
	pthread_t thread;

	join(&rng, 1, USERS, VEIL_OK);
	cr_assert_eq(
		crowd_create(&(struct veil_crowd *){NULL}, w.client, test_file("budget"), &options, &err),
		VEIL_E_BUSY, "one writer of a budget: %s", err.text);
	veil_crowd_destroy(w.crowd);
	cr_assert_eq(crowd_create(&w.crowd, w.client, test_file("budget"), &options, &err), VEIL_OK, "%s",
		err.text);
	cr_assert_eq(pthread_create(&thread, NULL, ask_and_fail, NULL), 0);
	while (crowd_callers(w.crowd) == 0)
		usleep(1000);
	veil_crowd_destroy(w.crowd);
	w.crowd = NULL;
	pthread_join(thread, NULL);
	leave();
}

/* Else the question would leave alone. */
Test(crowd, what_runs_out_within_an_epoch_stops_its_question_with_its_fakes)
{
	const struct search_question asked = {vector, INSIDE_DIM, 1, 5, false, false};
	struct rng rng = test_rng();
	struct inside *server = inside_create(&rng, 16);
	struct veil_client *client = inside_client(server);
	const struct crowd_terms terms = {.mode = VEIL_CROWD_ALL_SHARDS, .plan = {.goal.questions = 2}};
	struct privacy_random random;
	struct epoch_request request;
	struct search *search, *fake;
	struct epoch epoch;

	privacy_random_init(&random, rng);
	cr_assert_eq(veil_client_refresh(client, NULL), VEIL_OK);
	client->trusting = true;
	client->valid_until = INT64_MAX;
	epoch_init(&epoch, client, &terms);
	cr_assert_eq(search_create(&search, client, &asked, true, NULL), VEIL_OK);
	cr_assert(epoch_add(&epoch, search));
	cr_assert_eq(epoch_draw(&epoch, EPOCH_MS, &random), VEIL_OK);
	cr_assert_eq(epoch.schedule.count, 2, "a question and a fake");
	for (int out = 0; out < 2; out++) {
		client->valid_until = out ? 0 : INT64_MAX;
		for (int i = 0; i < 2; i++) {
			cr_assert_eq(epoch_request(&epoch, &epoch.schedule.items[i], &request, &fake, NULL),
				out ? VEIL_E_VERSION : VEIL_OK);
			search_destroy(fake);
		}
	}
	epoch_clear(&epoch);
	search_destroy(search);
	privacy_random_clear(&random);
	veil_client_destroy(client);
	inside_destroy(server);
}

Test(crowd, terms_have_a_floor_and_a_ceiling_that_no_peer_moves)
{
	struct rng rng = test_rng();
	struct inside *server = inside_create(&rng, 16);
	struct veil_client *client = inside_client(server);
	const struct privacy_account account = {
		.goal = {.eps = 0.8, .delta = 1e-6, .questions = 1}, .r64 = 2073, .p32 = 2524280832u};
	struct attest a = {.users = CROWD_MIN_USERS, .epoch_seconds = 60};
	struct crowd_terms t;
	uint64_t rate;

	cr_assert_eq(veil_client_refresh(client, NULL), VEIL_OK);
	crowd_terms_choose(&t, &account, client->session, &a, "", 60000);
	cr_assert_eq(t.mode, VEIL_CROWD_HIDDEN);
	cr_assert_eq(t.users, CROWD_MIN_USERS);
	cr_assert_eq(t.plan.goal.shards, INSIDE_SHARDS);
	cr_assert_float_eq(t.plan.fakes_per_client,
		privacy_law_mean(&t.plan.law) * INSIDE_SHARDS / CROWD_MIN_USERS, 1e-9);
	crowd_terms_choose(&t, &account, client->session, &a, "", 59999);
	cr_assert_eq(t.mode, VEIL_CROWD_ALL_SHARDS);
	cr_assert(strstr(t.problem, "longer than ours"), "%s", t.problem);
	a.users--;
	crowd_terms_choose(&t, &account, client->session, &a, "", 60000);
	cr_assert_eq(t.mode, VEIL_CROWD_ALL_SHARDS);
	cr_assert(strstr(t.problem, "vouches for 63"), "%s", t.problem);
	a.users = CROWD_MAX_USERS;
	crowd_terms_choose(&t, &account, client->session, &a, "", 60000);
	rate = t.plan.rate;
	a.users = UINT64_MAX;
	crowd_terms_choose(&t, &account, client->session, &a, "", 60000);
	cr_assert_eq(t.users, CROWD_MAX_USERS);
	cr_assert_eq(t.plan.rate, rate, "a relay that says more removes no noise");
	client->session->config.reply_bytes = SEARCH_LIMIT_ALL / INSIDE_SHARDS + 1;
	crowd_terms_choose(&t, &account, client->session, NULL, "no attestation", 60000);
	cr_assert_eq(t.mode, VEIL_CROWD_COVER);
	cr_assert(strstr(t.problem, "no attestation"), "%s", t.problem);
	veil_client_destroy(client);
	inside_destroy(server);
}
