/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/require.h"

/* Upper ends: in ns, and as Prometheus shows them in seconds. */
static const uint64_t durations_us[] = {50, 63, 100, 160, 250, 400, 630, 1000, 1600, 2500, 4000, 6300, 10000,
	16000, 25000, 40000, 63000, 100000, 160000, 250000, 400000, 630000, 1000000, 1600000, 2500000,
	4000000, 6300000, 10000000, 16000000, 30000000};
static const uint64_t sizes[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
#define MAX_BOUNDS (sizeof durations_us / sizeof *durations_us)

struct scale {
	const uint64_t *bounds;
	size_t count;
	uint64_t unit; /* of the values observed, in a bound */
	double shown; /* a value observed, in what is shown */
};

static const struct scale scales[] = {
	[METRICS_SECONDS] = {durations_us, MAX_BOUNDS, 1000, 1e-9},
	[METRICS_SIZES] = {sizes, sizeof sizes / sizeof *sizes, 1, 1},
};

struct histogram {
	atomic_uint_fast64_t bucket[MAX_BOUNDS + 1]; /* not cumulative; the last one used is +Inf */
	atomic_uint_fast64_t sum;
};

struct slot {
	atomic_int_fast64_t value;
	struct histogram *histogram; /* NULL: a counter or gauge */
};

struct metrics {
	const struct metrics_table *table;
	struct slot slots[];
};

enum veil_status metrics_create(struct metrics **out, const struct metrics_table *table)
{
	struct metrics *m = calloc(1, sizeof *m + table->count * sizeof *m->slots);

	*out = NULL;
	if (!m)
		return VEIL_E_NOMEM;
	m->table = table;
	for (size_t i = 0; i < table->count; i++) {
		if (table->rows[i].kind < METRICS_SECONDS)
			continue;
		m->slots[i].histogram = calloc(1, sizeof *m->slots[i].histogram);
		if (!m->slots[i].histogram) {
			metrics_destroy(m);
			return VEIL_E_NOMEM;
		}
	}
	*out = m;
	return VEIL_OK;
}

void metrics_destroy(struct metrics *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->table->count; i++)
		free(m->slots[i].histogram);
	free(m);
}

void metrics_add(struct metrics *m, unsigned row, int64_t n)
{
	REQUIRE(row < m->table->count);
	atomic_fetch_add_explicit(&m->slots[row].value, n, memory_order_relaxed);
}

void metrics_set(struct metrics *m, unsigned row, int64_t n)
{
	REQUIRE(row < m->table->count);
	atomic_store_explicit(&m->slots[row].value, n, memory_order_relaxed);
}

int64_t metrics_get(const struct metrics *m, unsigned row)
{
	REQUIRE(row < m->table->count);
	return atomic_load_explicit(&m->slots[row].value, memory_order_relaxed);
}

void metrics_observe(struct metrics *m, unsigned row, uint64_t value)
{
	struct histogram *h = row < m->table->count ? m->slots[row].histogram : NULL;
	const struct scale *s;
	size_t i = 0;

	REQUIRE(h);
	s = scales + m->table->rows[row].kind;
	while (i < s->count && value > s->bounds[i] * s->unit)
		i++;
	atomic_fetch_add_explicit(&h->bucket[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum, value, memory_order_relaxed);
}

int64_t metrics_resident_bytes(void)
{
	long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%*d %lld", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static void print_histogram(FILE *out, const char *name, const struct scale *s, const struct histogram *h)
{
	uint64_t total = 0;

	for (size_t i = 0; i < s->count; i++) {
		total += atomic_load_explicit(&h->bucket[i], memory_order_relaxed);
		fprintf(out, "%s_bucket{le=\"%g\"} %llu\n", name, (double)(s->bounds[i] * s->unit) * s->shown,
			(unsigned long long)total);
	}
	total += atomic_load_explicit(&h->bucket[s->count], memory_order_relaxed);
	fprintf(out, "%s_bucket{le=\"+Inf\"} %llu\n", name, (unsigned long long)total);
	fprintf(out, "%s_sum %.9f\n", name,
		(double)atomic_load_explicit(&h->sum, memory_order_relaxed) * s->shown);
	fprintf(out, "%s_count %llu\n", name, (unsigned long long)total);
}

char *metrics_text(const struct metrics *m, size_t *size)
{
	static const char *const kinds[] = {"counter", "gauge", "histogram", "histogram"};
	const char *last = "";
	int last_size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	if (!out)
		return NULL;
	for (unsigned i = 0; i < m->table->count; i++) {
		const struct metrics_row *r = m->table->rows + i;
		int family = (int)strcspn(r->name, "{");

		if (family != last_size || strncmp(last, r->name, (size_t)family) != 0)
			fprintf(out, "# HELP %.*s %s\n# TYPE %.*s %s\n", family, r->name, r->help, family,
				r->name, kinds[r->kind]);
		last = r->name;
		last_size = family;
		if (m->slots[i].histogram)
			print_histogram(out, r->name, scales + r->kind, m->slots[i].histogram);
		else
			fprintf(out, "%s %lld\n", r->name, (long long)metrics_get(m, i));
	}
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
