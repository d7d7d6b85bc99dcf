/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/crowd_terms.h"

#include <stdio.h>

#include "base/error.h"
#include "sdk/search.h"

/* The plan of the budget, for so many users and these shards. */
static enum veil_status hide(struct crowd_terms *t, const struct attest *attest,
	const struct session *session, uint32_t epoch_ms, struct veil_error *err)
{
	uint32_t users = attest->users < CROWD_MAX_USERS ? (uint32_t)attest->users : CROWD_MAX_USERS;
	double fakes = privacy_law_mean(&t->plan.law);
	enum veil_status st;

	if ((uint64_t)attest->epoch_seconds * 1000 > epoch_ms)
		return error_set(err, VEIL_E_INVALID,
			"the relay counts who takes part in epochs of %u s, longer than ours",
			attest->epoch_seconds);
	if (users < CROWD_MIN_USERS || users < fakes)
		return error_set(err, VEIL_E_INVALID, "the relay vouches for %u clients, and it takes %.0f",
			users, fakes > CROWD_MIN_USERS ? fakes : CROWD_MIN_USERS);
	st = privacy_plan_share(&t->plan, session->config.shards, users, err);
	if (st == VEIL_OK)
		t->users = users;
	return st;
}

void crowd_terms_choose(struct crowd_terms *terms, const struct privacy_account *account,
	const struct session *session, const struct attest *attest, const char *why, uint32_t epoch_ms)
{
	struct crowd_terms t = {.mode = VEIL_CROWD_HIDDEN,
		.attested = attest ? attest->users : 0,
		.plan = {.goal = account->goal,
			.law = {account->r64 / 64.0, account->p32 * 0x1p-32},
			.p32 = account->p32}};
	struct veil_error err = {""};
	enum veil_status st = attest ? hide(&t, attest, session, epoch_ms, &err)
				     : error_set(&err, VEIL_E_INVALID, "%.400s", why);

	if (st != VEIL_OK) {
		const char *instead = "fakes are sent, and no question, for all shards at once are too many";

		t.mode = VEIL_CROWD_COVER;
		if (session->sealed) {
			t.mode = VEIL_CROWD_SEALED;
			instead = "every request is a sealed search";
		} else if (search_can_ask_all(session)) {
			t.mode = VEIL_CROWD_ALL_SHARDS;
			instead = "every request asks all shards";
		}
		snprintf(t.problem, sizeof t.problem, "%.420s; %s", err.text, instead);
	}
	*terms = t;
}
