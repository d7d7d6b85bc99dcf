/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_REPORT_H
#define BUILD_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "build/progress.h"
#include "store/index.h"
#include "veil/status.h"

/** What only a builder knows about an index. */
struct report_build {
	uint32_t moved; /* rows outside their nearest shard, because it was full */
	uint64_t bytes; /* of all files of the version */
	uint32_t sample; /* rows trained on */
	uint32_t width; /* candidate shards of a row */
	uint64_t memory_planned; /* bytes that it was to stay within */
	uint64_t memory_peak; /* bytes that it had resident; 0: not known */
	bool resumed; /* the clusters are those of an interrupted build */
	uint32_t reused; /* and so many shards */
	const struct progress *progress; /* seconds of its phases */
	double seconds;
};

/** An index in numbers, on stdout: for people, or one JSON object. `built` may be NULL. VEIL_E_IO if it
 * cannot be written. */
enum veil_status report_index(const struct store_index *index, const struct report_build *built, bool json,
	struct veil_error *err) VEIL_MUST_CHECK;

#endif
