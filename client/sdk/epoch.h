/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_EPOCH_H
#define SDK_EPOCH_H

#include "privacy/schedule.h"
#include "sdk/crowd_terms.h"
#include "sdk/search.h"

/** What one client sends in one epoch: requests of questions and fakes, which differ in nothing but in what
 * is encrypted. No clock, no thread: privacy/schedule.h says how it is used. */
struct epoch {
	const struct veil_client *client;
	struct crowd_terms terms;
	struct privacy_schedule schedule;
	uint32_t questions; /* requests of questions, at most terms.plan.goal.questions */
	struct epoch_request {
		struct search *search;
		uint32_t i; /* of its requests */
	} question[PRIVACY_MAX_MOVED]; /* what item.question counts */
};

void epoch_init(struct epoch *e, const struct veil_client *client, const struct crowd_terms *terms);
/** All requests of a search, if there is room for them; it outlives the epoch. */
bool epoch_add(struct epoch *e, struct search *search);
/** Draws fakes and instants, after what is to be charged has been. */
enum veil_status epoch_draw(
	struct epoch *e, uint32_t epoch_ms, struct privacy_random *random) VEIL_MUST_CHECK;
/** The request of an item: ready to search_ask. *fake: a search of its own, which the caller destroys after
 * it; NULL for a question. */
enum veil_status epoch_request(const struct epoch *e, const struct privacy_item *item,
	struct epoch_request *out, struct search **fake, struct veil_error *err) VEIL_MUST_CHECK;
/** Wipes. Accepts a zeroed object. */
void epoch_clear(struct epoch *e);

#endif
