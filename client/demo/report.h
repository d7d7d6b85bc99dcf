/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEMO_REPORT_H
#define DEMO_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "demo/labels.h"
#include "veil/client.h"

/** How one query went: ranks from 1, PLAIN_NOWHERE where the thing asked was not found. */
struct outcome {
	bool heldout;
	uint32_t encrypted, plain, exact;
	double server_us, client_us; /* server_us negative: not told */
};

struct demo_costs {
	uint64_t bytes_up, bytes_down; /* of one query, the same for all: HTTP bodies */
};

/** What was asked, and the five best, as a person reads them. */
void report_query(const struct label *labels, uint32_t count, uint32_t asked, const struct veil_hits *hits,
	uint32_t rank);

/** What was found for a picture: the names, or with `json` one object. False where it could not be written.
 */
bool report_image(const struct label *labels, uint32_t count, const char *image, const struct veil_hits *hits,
	bool json);
#define REPORT_IMAGE_HITS 5

/** Recall and costs: a table, or with `json` exactly one object on one line. False where it could not be
 * written. */
bool report_all(const struct veil_index_info *info, const struct outcome *outcomes, size_t count,
	const struct demo_costs *costs, bool json);

#endif
