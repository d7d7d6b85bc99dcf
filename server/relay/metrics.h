/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RELAY_METRICS_H
#define RELAY_METRICS_H

#include "kit/metrics.h"

/** The metrics of veil-relay: those of the kit, then one row each in relay/metrics.def. */
enum {
	METRICS_BEFORE_RELAY = METRICS_OF_KIT - 1,
#define COUNTER(id, name, help) METRICS_##id,
#define GAUGE(id, name, help) METRICS_##id,
#define SECONDS(id, name, help) METRICS_##id,
#define SIZES(id, name, help) METRICS_##id,
#include "relay/metrics.def"
#undef COUNTER
#undef GAUGE
#undef SECONDS
#undef SIZES
};

extern const struct metrics_table relay_metrics;

#endif
