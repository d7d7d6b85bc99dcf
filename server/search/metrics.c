/* SPDX-License-Identifier: Apache-2.0 */
#include "search/metrics.h"

static const struct metrics_row rows[] = {
#define COUNTER(id, name, help) {METRICS_COUNTER, name, help},
#define GAUGE(id, name, help) {METRICS_GAUGE, name, help},
#define SECONDS(id, name, help) {METRICS_SECONDS, name, help},
#include "kit/metrics.def"
#include "search/metrics.def"
#undef COUNTER
#undef GAUGE
#undef SECONDS
};

const struct metrics_table veild_metrics = {rows, sizeof rows / sizeof *rows};
