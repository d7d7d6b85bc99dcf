/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_MEMORY_H
#define BUILD_MEMORY_H

#include <stdint.h>

#include "index/assign.h"
#include "veil/status.h"

/** What the memory of a build follows from. */
struct memory_shape {
	uint32_t rows;
	uint32_t dim;
	uint32_t shards;
	uint32_t label_bytes;
	uint32_t threads;
	uint64_t held; /* by the input: index_vectors_held */
	const struct index_closure *closure;
};

/** How large its working sets are made. */
struct memory_plan {
	uint32_t sample; /* rows to train on */
	uint32_t width; /* candidates of a row: shards that it may go to */
	uint64_t bytes; /* resident at most, all in all */
};

/** The part that no shape changes: program, libraries, stacks, buffers for files. */
uint64_t memory_fixed(uint32_t threads);

/** As many candidates (up to INDEX_MAX_COPIES) and then as large a sample (up to max(65536, 256 a shard)
 * rows) as `limit` bytes allow; 0: no limit. VEIL_E_INVALID says how many bytes are needed at the least. */
enum veil_status memory_fit(struct memory_plan *plan, const struct memory_shape *shape, uint64_t limit,
	struct veil_error *err) VEIL_MUST_CHECK;

/** The most that this process has had resident so far, or 0 where the system does not tell (VmHWM of proc(5);
 * ru_maxrss would begin with what its parent had). */
uint64_t memory_peak(void);

#endif
