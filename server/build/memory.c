/* SPDX-License-Identifier: Apache-2.0 */
#include "build/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "build/plan.h"
#include "index/kmeans.h"
#include "index/nearest.h"

#define MIB ((uint64_t)1 << 20)

enum {
	SAMPLE_MOST = 65536, /* rows to train on, or all */
	SAMPLE_MOST_EACH = 256, /* for each shard, where that is more */
	SAMPLE_LEAST = 4096,
	SAMPLE_LEAST_EACH = 32,
	WIDTH_LEAST = 2,
	SHARD_BYTES = 8192, /* of each shard: manifest, its text, names, mappings */
};

uint64_t memory_fixed(uint32_t threads)
{
	return 16 * MIB + threads * (MIB / 4);
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint32_t sample_rows(const struct memory_shape *s, uint64_t rows, uint64_t each)
{
	uint64_t count = most(rows, each * s->shards);

	return count < s->rows ? (uint32_t)count : s->rows;
}

static uint64_t needed(const struct memory_shape *s, uint32_t sample, uint32_t width)
{
	double copies = fmin(s->closure->replication, fmin(width, s->closure->max_copies));
	uint64_t vector = (uint64_t)s->dim * sizeof(float);
	uint64_t stored = (uint64_t)(fmax(copies, INDEX_MAX_PADDING) * s->rows);
	uint64_t base, train, assign, write;

	base = memory_fixed(s->threads) + s->held + PLAN_PIECE_BYTES + vector * PLAN_PIECE_LEAST +
	       s->shards * (vector + SHARD_BYTES);
	train = sample * (vector + 8) + index_kmeans_bytes(s->shards, sample, s->dim);
	assign = (uint64_t)s->rows * width * 8 + (s->shards + INDEX_NEAREST_LANES) * vector +
		 index_assign_bytes(s->rows, width, s->shards, s->closure);
	write = (stored / s->shards + 1) * (s->dim + s->label_bytes) + stored * 4 + s->shards * (uint64_t)8;
	return base + most(train, most(assign, write));
}

enum veil_status memory_fit(
	struct memory_plan *plan, const struct memory_shape *s, uint64_t limit, struct veil_error *err)
{
	uint32_t least_sample = sample_rows(s, SAMPLE_LEAST, SAMPLE_LEAST_EACH), low = least_sample;
	uint32_t high = sample_rows(s, SAMPLE_MOST, SAMPLE_MOST_EACH);
	uint32_t width = s->shards < INDEX_MAX_COPIES ? s->shards : INDEX_MAX_COPIES;

	if (!limit)
		limit = UINT64_MAX;
	while (width > WIDTH_LEAST && needed(s, least_sample, width) > limit)
		width--;
	if (needed(s, least_sample, width) > limit)
		return error_set(err, VEIL_E_INVALID,
			"--memory: %lluM are too little for %u rows of dimension %u in %u shards; at least "
			"%lluM are needed",
			(unsigned long long)(limit / MIB), s->rows, s->dim, s->shards,
			(unsigned long long)((needed(s, least_sample, width) + MIB - 1) / MIB));
	while (low < high) {
		uint32_t middle = low + (high - low + 1) / 2;

		if (needed(s, middle, width) > limit)
			high = middle - 1;
		else
			low = middle;
	}
	*plan = (struct memory_plan){low, width, needed(s, low, width)};
	return VEIL_OK;
}

uint64_t memory_peak(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	uint64_t kib = 0;

	while (status && fgets(line, sizeof line, status))
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtoull(line + 6, NULL, 10);
	if (status)
		fclose(status);
	return kib * 1024;
}
