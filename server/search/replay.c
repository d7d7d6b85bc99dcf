/* SPDX-License-Identifier: Apache-2.0 */
#include "search/replay.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* Two tables take turns: one fills for a span while the other, full of the span before, is only read. */
struct replay {
	pthread_mutex_t lock; /* guards all below but limit, mask and span_ns */
	uint64_t *table[2]; /* [mask + 1], open addressing, 0: free */
	uint32_t count; /* in table[0] */
	uint32_t limit;
	uint32_t mask;
	uint64_t span_ns;
	uint64_t turn_ns; /* when table[0] began; 0: nothing was seen yet */
};

static uint32_t slots(uint32_t limit)
{
	uint32_t n = 16;

	while (n < 2 * limit)
		n *= 2;
	return n;
}

size_t replay_bytes(uint32_t limit)
{
	return 2 * sizeof(uint64_t) * slots(limit);
}

enum veil_status replay_create(struct replay **out, uint32_t limit, uint64_t span_ns)
{
	struct replay *r = calloc(1, sizeof *r);

	*out = NULL;
	if (!r)
		return VEIL_E_NOMEM;
	pthread_mutex_init(&r->lock, NULL);
	r->limit = limit;
	r->mask = slots(limit) - 1;
	r->span_ns = span_ns;
	for (int i = 0; i < 2; i++) {
		r->table[i] = calloc((size_t)r->mask + 1, sizeof *r->table[i]);
		if (!r->table[i]) {
			replay_destroy(r);
			return VEIL_E_NOMEM;
		}
	}
	*out = r;
	return VEIL_OK;
}

void replay_destroy(struct replay *r)
{
	if (!r)
		return;
	free(r->table[0]);
	free(r->table[1]);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* Where the tag is, or would go; at least half of the slots are free. */
static uint64_t *find(const struct replay *r, uint64_t *table, uint64_t tag)
{
	uint32_t i = (uint32_t)tag & r->mask;

	while (table[i] && table[i] != tag)
		i = (i + 1) & r->mask;
	return table + i;
}

static void wipe_oldest(struct replay *r)
{
	uint64_t *oldest = r->table[1];

	for (size_t i = 0; i <= r->mask; i++)
		oldest[i] = 0;
	r->table[1] = r->table[0];
	r->table[0] = oldest;
	r->count = 0;
}

static void take_turns(struct replay *r, uint64_t now_ns)
{
	uint64_t passed;

	if (r->turn_ns == 0)
		r->turn_ns = now_ns;
	passed = now_ns > r->turn_ns ? now_ns - r->turn_ns : 0;
	if (passed < r->span_ns)
		return;
	wipe_oldest(r);
	if (passed >= 2 * r->span_ns)
		wipe_oldest(r);
	r->turn_ns = now_ns;
}

enum replay_verdict replay_check(struct replay *r, uint64_t tag, uint64_t now_ns)
{
	enum replay_verdict verdict = REPLAY_NEW;
	uint64_t *slot;

	tag += tag == 0;
	pthread_mutex_lock(&r->lock);
	take_turns(r, now_ns);
	slot = find(r, r->table[0], tag);
	if (*slot || *find(r, r->table[1], tag)) {
		verdict = REPLAY_SEEN;
	} else if (r->count >= r->limit) {
		verdict = REPLAY_FULL;
	} else {
		*slot = tag;
		r->count++;
	}
	pthread_mutex_unlock(&r->lock);
	return verdict;
}
