/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_MEMORY_H
#define SEARCH_MEMORY_H

#include <stddef.h>

#include "search/config.h"
#include "search/snapshot.h"
#include "veil/status.h"

/* How --memory-limit is divided (docs/operating.md, Memory). */
struct memory_plan {
	size_t bodies; /* for bodies being received, and as much for replies */
	size_t cache; /* for transformed shards; SIZE_MAX without a limit */
};

/** `workers` of worker_bytes each, serving `s`. VEIL_E_INVALID says what the least limit is. */
enum veil_status memory_plan(struct memory_plan *out, const struct config *config, unsigned workers,
	size_t worker_bytes, const struct snapshot *s, struct veil_error *err) VEIL_MUST_CHECK;

#endif
