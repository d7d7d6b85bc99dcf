/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/metrics.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Upper ends, in microseconds: five steps a decade. */
static const uint32_t bounds_us[] = {50, 63, 100, 160, 250, 400, 630, 1000, 1600, 2500, 4000, 6300, 10000,
	16000, 25000, 40000, 63000, 100000, 160000, 250000, 400000, 630000, 1000000, 1600000, 2500000,
	4000000, 6300000, 10000000, 16000000, 30000000};
#define BOUNDS (sizeof bounds_us / sizeof *bounds_us)

struct histogram {
	atomic_uint_fast64_t bucket[BOUNDS + 1]; /* not cumulative; the last is +Inf */
	atomic_uint_fast64_t sum_ns;
};

struct metrics {
	atomic_int_fast64_t value[METRICS_VALUES];
	struct histogram histogram[METRICS_HISTOGRAMS];
};

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };

static const struct row {
	enum kind kind;
	int at;
	const char *name;
	const char *help;
} rows[] = {
#define COUNTER(id, name, help) {KIND_COUNTER, METRICS_##id, name, help},
#define GAUGE(id, name, help) {KIND_GAUGE, METRICS_##id, name, help},
#define HISTOGRAM(id, name, help) {KIND_HISTOGRAM, METRICS_##id, name, help},
#include "kit/metrics.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
};

enum veil_status metrics_create(struct metrics **out)
{
	*out = calloc(1, sizeof **out);
	return *out ? VEIL_OK : VEIL_E_NOMEM;
}

void metrics_destroy(struct metrics *m)
{
	free(m);
}

void metrics_add(struct metrics *m, enum metrics_value value, int64_t n)
{
	atomic_fetch_add_explicit(&m->value[value], n, memory_order_relaxed);
}

void metrics_set(struct metrics *m, enum metrics_value value, int64_t n)
{
	atomic_store_explicit(&m->value[value], n, memory_order_relaxed);
}

int64_t metrics_get(const struct metrics *m, enum metrics_value value)
{
	return atomic_load_explicit(&m->value[value], memory_order_relaxed);
}

void metrics_observe_ns(struct metrics *m, enum metrics_histogram histogram, uint64_t ns)
{
	struct histogram *h = &m->histogram[histogram];
	size_t i = 0;

	while (i < BOUNDS && ns > (uint64_t)bounds_us[i] * 1000)
		i++;
	atomic_fetch_add_explicit(&h->bucket[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum_ns, ns, memory_order_relaxed);
}

static void print_histogram(FILE *out, const char *name, const struct histogram *h)
{
	uint64_t total = 0;

	for (size_t i = 0; i < BOUNDS; i++) {
		total += atomic_load_explicit(&h->bucket[i], memory_order_relaxed);
		fprintf(out, "%s_bucket{le=\"%g\"} %llu\n", name, bounds_us[i] * 1e-6,
			(unsigned long long)total);
	}
	total += atomic_load_explicit(&h->bucket[BOUNDS], memory_order_relaxed);
	fprintf(out, "%s_bucket{le=\"+Inf\"} %llu\n", name, (unsigned long long)total);
	fprintf(out, "%s_sum %.9f\n", name,
		(double)atomic_load_explicit(&h->sum_ns, memory_order_relaxed) * 1e-9);
	fprintf(out, "%s_count %llu\n", name, (unsigned long long)total);
}

char *metrics_text(const struct metrics *m, size_t *size)
{
	static const char *const kinds[] = {"counter", "gauge", "histogram"};
	const char *last = "";
	int last_size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = rows + i;
		int family = (int)strcspn(r->name, "{");

		if (family != last_size || strncmp(last, r->name, (size_t)family) != 0)
			fprintf(out, "# HELP %.*s %s\n# TYPE %.*s %s\n", family, r->name, r->help, family,
				r->name, kinds[r->kind]);
		last = r->name;
		last_size = family;
		if (r->kind == KIND_HISTOGRAM)
			print_histogram(out, r->name, &m->histogram[r->at]);
		else
			fprintf(out, "%s %lld\n", r->name,
				(long long)metrics_get(m, (enum metrics_value)r->at));
	}
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
