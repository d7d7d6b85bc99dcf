/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_METRICS_H
#define SEARCH_METRICS_H

#include "kit/metrics.h"

/** The metrics of veild: those of the kit, then one row each in search/metrics.def. */
enum {
	METRICS_BEFORE_VEILD = METRICS_OF_KIT - 1,
#define COUNTER(id, name, help) METRICS_##id,
#define GAUGE(id, name, help) METRICS_##id,
#define SECONDS(id, name, help) METRICS_##id,
#include "search/metrics.def"
#undef COUNTER
#undef GAUGE
#undef SECONDS
};

extern const struct metrics_table veild_metrics;

#endif
