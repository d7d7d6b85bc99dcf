/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/metrics.h"

static const struct metrics_row rows[] = {
#define COUNTER(id, name, help) {METRICS_COUNTER, name, help},
#define GAUGE(id, name, help) {METRICS_GAUGE, name, help},
#define SECONDS(id, name, help) {METRICS_SECONDS, name, help},
#define SIZES(id, name, help) {METRICS_SIZES, name, help},
#include "kit/metrics.def"
#include "relay/metrics.def"
#undef COUNTER
#undef GAUGE
#undef SECONDS
#undef SIZES
};

const struct metrics_table relay_metrics = {rows, sizeof rows / sizeof *rows};
