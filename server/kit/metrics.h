/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_METRICS_H
#define KIT_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

/* Counters, gauges and latency histograms of a daemon, listed in metrics.def, read as Prometheus text. */

enum metrics_value {
#define COUNTER(id, name, help) METRICS_##id,
#define GAUGE(id, name, help) METRICS_##id,
#define HISTOGRAM(id, name, help)
#include "kit/metrics.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
	METRICS_VALUES
};

enum metrics_histogram {
#define COUNTER(id, name, help)
#define GAUGE(id, name, help)
#define HISTOGRAM(id, name, help) METRICS_##id,
#include "kit/metrics.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
	METRICS_HISTOGRAMS
};

struct metrics;

/** VEIL_E_NOMEM. All functions below may be called by any thread at any time. */
enum veil_status metrics_create(struct metrics **out) VEIL_MUST_CHECK;
/** Accepts NULL. */
void metrics_destroy(struct metrics *m);

void metrics_add(struct metrics *m, enum metrics_value value, int64_t n);
void metrics_set(struct metrics *m, enum metrics_value value, int64_t n);
int64_t metrics_get(const struct metrics *m, enum metrics_value value);
/** A duration, for p50/p95/p99 by buckets of about a factor 1.6 from 50 us to 30 s. */
void metrics_observe_ns(struct metrics *m, enum metrics_histogram histogram, uint64_t ns);

/** Prometheus text format 0.0.4, malloc'd; NULL if memory ran out. */
char *metrics_text(const struct metrics *m, size_t *size);

#endif
