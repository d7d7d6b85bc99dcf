/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PRIVACY_SCHEDULE_H
#define PRIVACY_SCHEDULE_H

#include <stdbool.h>

#include "privacy/noise.h"

/** What one client sends in one epoch. The order of use, once an epoch:
 *
 *     1. with questions: privacy_accountant_charge, which reaches the disk or fails; without any: no charge,
 * but the epoch is drawn and sent all the same;
 *     2. privacy_schedule_draw;
 *     3. until privacy_schedule_next gives none: wait for its instant; where the clock is beyond it (the
 * device slept), privacy_schedule_redraw and ask again; else send it as a request of its own, with fresh
 * secrets, by one path of code whatever `question` says, and privacy_schedule_sent.
 *
 * Nothing here sends, waits or looks at a clock. What the fakes are is as secret as the questions are: clear
 * wipes. */
struct privacy_item {
	uint32_t shard;
	uint32_t question; /* which of the questions, or: */
	uint32_t at_ms; /* since the epoch's begin */
};
#define PRIVACY_FAKE UINT32_MAX /* noise: it is what hides the questions */
#define PRIVACY_FILL (UINT32_MAX - 1) /* makes up the constant count; hides how many questions there were */

struct privacy_schedule {
	struct privacy_item *items; /* by instant */
	uint32_t count;
	uint32_t sent; /* the first `sent` have left */
	uint32_t epoch_ms;
};

#define PRIVACY_MAX_EPOCH_MS 86400000

/** Draws the fakes of `plan`; shard[i] < goal.shards, i < questions <= goal.questions, is where question i
 * goes. `constant`: fills up to plan->constant with requests to uniform shards; where there are more anyway
 * (probability delta / 10) all are sent. The items are shuffled, then each gets an instant of its own,
 * uniform over the epoch and independent of all else. *schedule is for privacy_schedule_clear. */
enum veil_status privacy_schedule_draw(struct privacy_schedule *schedule, const struct privacy_plan *plan,
	const uint32_t *shard, uint32_t questions, bool constant, uint32_t epoch_ms,
	struct privacy_random *random) VEIL_MUST_CHECK;
/** The same without noise, for requests that do not tell where they go, or hold no question: `questions` of
 * `count` items, the others are PRIVACY_FILL, uniform over `shards` of them. */
enum veil_status privacy_schedule_draw_plain(struct privacy_schedule *schedule, const uint32_t *shard,
	uint32_t questions, uint32_t count, uint32_t shards, uint32_t epoch_ms,
	struct privacy_random *random) VEIL_MUST_CHECK;
/** Wipes. Accepts NULL and zeroed objects. */
void privacy_schedule_clear(struct privacy_schedule *schedule);

/** The next item; NULL when all are sent. */
const struct privacy_item *privacy_schedule_next(const struct privacy_schedule *schedule);
/** It has left, or is given up. */
void privacy_schedule_sent(struct privacy_schedule *schedule);
/** Gives up a PRIVACY_FILL that has not left, a uniform one, for a question that leaves now in its place;
 * false if there is none. */
bool privacy_schedule_spare(struct privacy_schedule *schedule, struct privacy_random *random);

/** At now_ms < epoch_ms: each item whose instant has been missed gets a new one, uniform over what is left of
 * the epoch, so that none are bunched. Instants to come stay. After the epoch's end nothing is redrawn:
 * clear. */
void privacy_schedule_redraw(
	struct privacy_schedule *schedule, uint32_t now_ms, struct privacy_random *random);

#endif
