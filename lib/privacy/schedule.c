/* SPDX-License-Identifier: Apache-2.0 */
#include "privacy/schedule.h"

#include <stdlib.h>

#include "base/ct.h"
#include "base/require.h"

void privacy_schedule_clear(struct privacy_schedule *s)
{
	if (!s)
		return;
	if (s->items)
		wipe(s->items, s->count * sizeof *s->items);
	free(s->items);
	*s = (struct privacy_schedule){0};
}

static void shuffle(struct privacy_item *items, uint32_t count, struct privacy_random *random)
{
	for (uint32_t i = count; i > 1; i--) {
		uint32_t j = (uint32_t)privacy_random_below(random, i);
		struct privacy_item item = items[i - 1];

		items[i - 1] = items[j];
		items[j] = item;
	}
}

/* Stable, so that the shuffle decides between equal instants; few items, mostly in order after a redraw. */
static void sort(struct privacy_item *items, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		struct privacy_item item = items[i];
		uint32_t j = i;

		for (; j > 0 && items[j - 1].at_ms > item.at_ms; j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

static void add(struct privacy_schedule *s, uint32_t shard, uint32_t question)
{
	s->items[s->count++] = (struct privacy_item){.shard = shard, .question = question};
}

/* Room for `total` items, the questions first. */
static enum veil_status begin(struct privacy_schedule *s, const uint32_t *shard, uint32_t questions,
	uint64_t total, uint32_t shards)
{
	s->items = calloc(total ? total : 1, sizeof *s->items);
	if (!s->items)
		return VEIL_E_NOMEM;
	for (uint32_t i = 0; i < questions; i++) {
		REQUIRE(shard[i] < shards);
		add(s, shard[i], i);
	}
	return VEIL_OK;
}

/* Fills up, and gives every item its place and instant. */
static void finish(struct privacy_schedule *s, uint64_t total, uint32_t shards, struct privacy_random *random)
{
	while (s->count < total)
		add(s, (uint32_t)privacy_random_below(random, shards), PRIVACY_FILL);
	shuffle(s->items, s->count, random);
	for (uint32_t i = 0; i < s->count; i++)
		s->items[i].at_ms = (uint32_t)privacy_random_below(random, s->epoch_ms);
	sort(s->items, s->count);
}

enum veil_status privacy_schedule_draw(struct privacy_schedule *schedule, const struct privacy_plan *plan,
	const uint32_t *shard, uint32_t questions, bool constant, uint32_t epoch_ms,
	struct privacy_random *random)
{
	struct privacy_schedule s = {.epoch_ms = epoch_ms};
	const uint32_t shards = plan->goal.shards;
	uint32_t *fakes = calloc(shards, sizeof *fakes);
	uint64_t total;
	enum veil_status st;

	*schedule = s;
	REQUIRE(questions <= plan->goal.questions && epoch_ms > 0 && epoch_ms <= PRIVACY_MAX_EPOCH_MS);
	if (!fakes)
		return VEIL_E_NOMEM;
	total = questions + privacy_noise_draw(plan, fakes, random);
	if (constant && total < plan->constant)
		total = plan->constant;
	st = begin(&s, shard, questions, total, shards);
	for (uint32_t i = 0; st == VEIL_OK && i < shards; i++)
		for (; fakes[i] > 0; fakes[i]--)
			add(&s, i, PRIVACY_FAKE);
	wipe(fakes, shards * sizeof *fakes);
	free(fakes);
	if (st != VEIL_OK)
		return st;
	finish(&s, total, shards, random);
	*schedule = s;
	return VEIL_OK;
}

enum veil_status privacy_schedule_draw_plain(struct privacy_schedule *schedule, const uint32_t *shard,
	uint32_t questions, uint32_t count, uint32_t shards, uint32_t epoch_ms, struct privacy_random *random)
{
	struct privacy_schedule s = {.epoch_ms = epoch_ms};
	enum veil_status st;

	*schedule = s;
	REQUIRE(questions <= count && epoch_ms > 0 && epoch_ms <= PRIVACY_MAX_EPOCH_MS);
	st = begin(&s, shard, questions, count, shards);
	if (st != VEIL_OK)
		return st;
	finish(&s, count, shards, random);
	*schedule = s;
	return VEIL_OK;
}

const struct privacy_item *privacy_schedule_next(const struct privacy_schedule *s)
{
	return s->sent < s->count ? &s->items[s->sent] : NULL;
}

void privacy_schedule_sent(struct privacy_schedule *s)
{
	REQUIRE(s->sent < s->count);
	s->sent++;
}

bool privacy_schedule_spare(struct privacy_schedule *s, struct privacy_random *random)
{
	uint32_t chosen = s->count;
	uint64_t seen = 0;

	for (uint32_t i = s->sent; i < s->count; i++)
		if (s->items[i].question == PRIVACY_FILL && privacy_random_below(random, ++seen) == 0)
			chosen = i;
	if (seen == 0)
		return false;
	for (s->count--; chosen < s->count; chosen++)
		s->items[chosen] = s->items[chosen + 1];
	wipe(&s->items[s->count], sizeof *s->items);
	return true;
}

void privacy_schedule_redraw(struct privacy_schedule *s, uint32_t now_ms, struct privacy_random *random)
{
	uint32_t missed = s->sent;

	REQUIRE(now_ms < s->epoch_ms);
	while (missed < s->count && s->items[missed].at_ms < now_ms)
		missed++;
	/* in a random order before they get instants, so that equal ones are not in the old order */
	shuffle(s->items + s->sent, missed - s->sent, random);
	for (uint32_t i = s->sent; i < missed; i++)
		s->items[i].at_ms = now_ms + (uint32_t)privacy_random_below(random, s->epoch_ms - now_ms);
	sort(s->items + s->sent, s->count - s->sent);
}
