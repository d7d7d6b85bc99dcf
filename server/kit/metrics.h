/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_METRICS_H
#define KIT_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

/* Counters, gauges and histograms of a daemon, read as Prometheus text. A daemon's table has the rows of
 * metrics.def first, which the kit counts in, then its own; a metric is known by its place there. */

enum metrics_kind {
	METRICS_COUNTER,
	METRICS_GAUGE,
	METRICS_SECONDS, /* histogram of durations: five steps a decade from 50 us to 30 s */
	METRICS_SIZES, /* histogram of numbers: powers of two from 1 to 32768 */
};

struct metrics_row {
	enum metrics_kind kind;
	const char *name; /* with its labels */
	const char *help;
};

struct metrics_table {
	const struct metrics_row *rows; /* static */
	size_t count;
};

enum {
#define COUNTER(id, name, help) METRICS_##id,
#define GAUGE(id, name, help) METRICS_##id,
#include "kit/metrics.def"
#undef COUNTER
#undef GAUGE
	METRICS_OF_KIT
};

struct metrics;

/** VEIL_E_NOMEM. All functions below may be called by any thread at any time. */
enum veil_status metrics_create(struct metrics **out, const struct metrics_table *table) VEIL_MUST_CHECK;
/** Accepts NULL. */
void metrics_destroy(struct metrics *m);

void metrics_add(struct metrics *m, unsigned row, int64_t n);
void metrics_set(struct metrics *m, unsigned row, int64_t n);
int64_t metrics_get(const struct metrics *m, unsigned row);
/** A duration in ns, or a number, as the row's kind says. */
void metrics_observe(struct metrics *m, unsigned row, uint64_t value);

/** Resident memory of the process in bytes, for METRICS_resident_bytes; 0 if the system does not say. */
int64_t metrics_resident_bytes(void);

/** Prometheus text format 0.0.4, malloc'd; NULL if memory ran out. */
char *metrics_text(const struct metrics *m, size_t *size);

#endif
