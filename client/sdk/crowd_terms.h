/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_CROWD_TERMS_H
#define SDK_CROWD_TERMS_H

#include "attest/attest.h"
#include "privacy/accountant.h"
#include "sdk/session.h"
#include "veil/crowd.h"

/* On what terms a client takes part in an epoch: from how many take part, as the relay vouches, within limits
 * that no peer can move. */

/** Fewer do not hide anybody, whatever the plan says: all shards are asked. */
#define CROWD_MIN_USERS 64
/** No more are believed: the more there are said to be, the fewer fakes each sends. */
#define CROWD_MAX_USERS 1000000
/** An attestation older than this is none; when it is older than CROWD_FRESH_S another one is asked for. */
#define CROWD_MAX_AGE_S 3600
#define CROWD_FRESH_S 600

struct crowd_terms {
	enum veil_crowd_mode mode;
	uint64_t attested; /* 0: no valid attestation */
	uint32_t users; /* that the plan is for, if HIDDEN */
	struct privacy_plan plan; /* goal, and if HIDDEN its law and shares */
	char problem[sizeof(struct veil_error)]; /* why it is not HIDDEN */
};

/** `attest` is NULL where there is none, for the reason `why`. More users than CROWD_MAX_USERS count as so
 * many. Not HIDDEN: no attestation, one whose epochs are longer than ours (a client of one of ours need not
 * have been counted in one of them), fewer users than CROWD_MIN_USERS or than there are fakes for a shard
 * (asking all shards is then cheaper, and says nothing). Then requests are sealed searches where the index
 * has that, else ask all shards where the server offers that, else no question leaves. */
void crowd_terms_choose(struct crowd_terms *terms, const struct privacy_account *account,
	const struct session *session, const struct attest *attest, const char *why, uint32_t epoch_ms);

#endif
