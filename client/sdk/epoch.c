/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/epoch.h"

#include "base/ct.h"
#include "base/require.h"

void epoch_init(struct epoch *e, const struct veil_client *client, const struct crowd_terms *terms)
{
	*e = (struct epoch){.client = client, .terms = *terms};
}

bool epoch_add(struct epoch *e, struct search *search)
{
	uint32_t count = search_requests(search);

	if (count > e->terms.plan.goal.questions - e->questions)
		return false;
	for (uint32_t i = 0; i < count; i++)
		e->question[e->questions++] = (struct epoch_request){search, i};
	return true;
}

enum veil_status epoch_draw(struct epoch *e, uint32_t epoch_ms, struct privacy_random *random)
{
	const struct privacy_plan *plan = &e->terms.plan;
	uint32_t shard[PRIVACY_MAX_MOVED] = {0};
	enum veil_status st;

	if (e->terms.mode != VEIL_CROWD_HIDDEN)
		/* As many as questions may be: their number says nothing, nor does where they go. */
		return privacy_schedule_draw_plain(&e->schedule, shard, e->questions, plan->goal.questions,
			e->client->session->config.shards, epoch_ms, random);
	for (uint32_t i = 0; i < e->questions; i++)
		shard[i] = search_shard(e->question[i].search, e->question[i].i);
	st = privacy_schedule_draw(&e->schedule, plan, shard, e->questions, true, epoch_ms, random);
	wipe(shard, sizeof shard);
	return st;
}

enum veil_status epoch_request(const struct epoch *e, const struct privacy_item *item,
	struct epoch_request *out, struct search **fake, struct veil_error *err)
{
	uint32_t shard = e->terms.mode == VEIL_CROWD_ALL_SHARDS ? WIRE_ALL_SHARDS : item->shard;
	/* A question was made when the epoch began: what runs out since must stop it as it stops fakes. */
	enum veil_status st = question_check_session(e->client, err);

	*fake = NULL;
	if (st != VEIL_OK)
		return st;
	if (item->question < e->questions) {
		*out = e->question[item->question];
		return VEIL_OK;
	}
	REQUIRE(item->question == PRIVACY_FAKE || item->question == PRIVACY_FILL);
	st = search_create_fake(fake, e->client, shard, e->terms.mode == VEIL_CROWD_SEALED, err);
	*out = (struct epoch_request){*fake, 0};
	return st;
}

void epoch_clear(struct epoch *e)
{
	privacy_schedule_clear(&e->schedule);
	wipe(e, sizeof *e);
}
