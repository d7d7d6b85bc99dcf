/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/mix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/require.h"

struct waiting {
	void *thing;
	uint64_t client;
	uint32_t epoch;
	bool first; /* no other before it is of its client */
	uint64_t since_ns;
	uint64_t leave_ns; /* MIX_JITTER */
};

struct mix {
	struct mix_options options;
	const struct rng *rng;
	size_t limit, count;
	uint32_t epoch; /* the newest */
	uint32_t distinct; /* clients of that epoch */
	uint64_t round_ns; /* since when the batch is awaited */
	struct waiting *all; /* [limit] */
};

enum veil_status mix_mode_read(struct mix_options *out, const char *text, struct veil_error *err)
{
	const uint32_t longest_ms = MIX_HOLD_NS / 1000000;
	char mode[8] = "", rest = 0;
	unsigned a = 0, b = 0;
	int n = sscanf(text, "%7[a-z] %9u %9u %c", mode, &a, &b, &rest);

	*out = (struct mix_options){.mode = MIX_OFF};
	if (n == 1 && strcmp(mode, "off") == 0)
		return VEIL_OK;
	if (n == 2 && strcmp(mode, "jitter") == 0 && a > 0 && a <= longest_ms) {
		*out = (struct mix_options){.mode = MIX_JITTER, .wait_ns = (uint64_t)a * 1000000};
		return VEIL_OK;
	}
	if (n == 3 && strcmp(mode, "batch") == 0 && a > 0 && a <= 100000 && b > 0 && b <= longest_ms) {
		*out = (struct mix_options){.mode = MIX_BATCH, .k = a, .wait_ns = (uint64_t)b * 1000000};
		return VEIL_OK;
	}
	return error_set(err, VEIL_E_INVALID,
		"mix is '%.40s', not `off`, `jitter MS` or `batch K MS` with MS from 1 to %u and K from 1 to "
		"100000",
		text, (unsigned)longest_ms);
}

enum veil_status mix_create(
	struct mix **out, const struct mix_options *options, size_t limit, const struct rng *rng)
{
	struct mix *m = calloc(1, sizeof *m);

	*out = NULL;
	REQUIRE(options->wait_ns <= MIX_HOLD_NS && options->keep_percent <= 50);
	if (!m)
		return VEIL_E_NOMEM;
	m->options = *options;
	m->rng = rng;
	m->limit = limit;
	m->all = calloc(limit, sizeof *m->all);
	if (!m->all) {
		free(m);
		return VEIL_E_NOMEM;
	}
	*out = m;
	return VEIL_OK;
}

void mix_destroy(struct mix *m)
{
	if (!m)
		return;
	free(m->all);
	free(m);
}

size_t mix_waiting(const struct mix *m)
{
	return m->count;
}

/* Uniform below n <= 2^32, without bias: what lies beyond the last whole multiple is drawn again. */
static uint64_t draw(const struct rng *rng, uint64_t n)
{
	uint64_t v, last = UINT64_MAX - UINT64_MAX % n;

	do
		rng_fill(rng, &v, sizeof v);
	while (v >= last);
	return v % n;
}

/* Entry `i` joins those before it. */
static void count_client(struct mix *m, size_t i)
{
	struct waiting *w = m->all + i;

	if (i == 0 || w->epoch > m->epoch) {
		m->epoch = w->epoch;
		m->distinct = 0;
	}
	w->first = w->epoch == m->epoch;
	for (size_t j = 0; w->first && j < i; j++)
		w->first = m->all[j].epoch != w->epoch || m->all[j].client != w->client;
	m->distinct += w->first;
}

bool mix_add(struct mix *m, void *thing, uint64_t client, uint32_t epoch, uint64_t now_ns)
{
	struct waiting *w = m->all + m->count;

	if (m->count == m->limit)
		return false;
	*w = (struct waiting){.thing = thing, .client = client, .epoch = epoch, .since_ns = now_ns};
	if (m->options.mode == MIX_JITTER)
		w->leave_ns = now_ns + draw(m->rng, m->options.wait_ns);
	if (m->options.mode == MIX_BATCH)
		count_client(m, m->count);
	if (m->count == 0)
		m->round_ns = now_ns;
	m->count++;
	return true;
}

static bool full(const struct mix *m)
{
	return m->count >= m->options.k && m->distinct >= m->options.d;
}

uint64_t mix_next_ns(const struct mix *m)
{
	uint64_t next = UINT64_MAX;

	if (m->count == 0)
		return next;
	if (m->options.mode == MIX_OFF || (m->options.mode == MIX_BATCH && full(m)))
		return 0;
	if (m->options.mode == MIX_BATCH)
		return m->round_ns + m->options.wait_ns;
	for (size_t i = 0; i < m->count; i++)
		next = m->all[i].leave_ns < next ? m->all[i].leave_ns : next;
	return next;
}

/* Fisher-Yates. */
static void shuffle(struct mix *m)
{
	for (size_t i = m->count; i > 1; i--) {
		size_t j = draw(m->rng, i);
		struct waiting w = m->all[i - 1];

		m->all[i - 1] = m->all[j];
		m->all[j] = w;
	}
}

static bool stays(const struct mix *m, const struct waiting *w, uint64_t now_ns, size_t *keep)
{
	if (m->options.mode == MIX_OFF)
		return false;
	if (m->options.mode == MIX_JITTER)
		return w->leave_ns > now_ns;
	if (*keep == 0 || now_ns - w->since_ns + m->options.wait_ns > MIX_HOLD_NS)
		return false;
	--*keep;
	return true;
}

size_t mix_release(struct mix *m, uint64_t now_ns, void **out, bool *few)
{
	size_t count = m->count, leave = 0, keep = count * m->options.keep_percent / 100;

	if (few)
		*few = m->options.mode == MIX_BATCH && m->distinct < m->options.d;
	if (mix_next_ns(m) > now_ns)
		return 0;
	if (keep >= m->options.k && m->options.mode == MIX_BATCH)
		keep = m->options.k - 1; /* what stays is no batch by itself */
	if (m->options.mode != MIX_OFF)
		shuffle(m);
	m->count = 0;
	m->distinct = 0;
	m->round_ns = now_ns;
	for (size_t i = 0; i < count; i++) {
		if (!stays(m, m->all + i, now_ns, &keep)) {
			out[leave++] = m->all[i].thing;
			continue;
		}
		m->all[m->count] = m->all[i];
		if (m->options.mode == MIX_BATCH)
			count_client(m, m->count);
		m->count++;
	}
	return leave;
}
