/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_STATE_H
#define BENCH_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "bench.h"
#include "loops.h"

#define BENCH_READ_SETS 32

struct bench {
	unsigned features;
	const struct loops *loops; /* for that mask */
	bool json;
	const char *filter; /* part of a name, or NULL */
	size_t dram_set; /* a working set that no cache holds */
	void *memory; /* dram_set bytes */
	struct {
		size_t set;
		double bytes_per_us;
	} read[BENCH_READ_SETS], update[BENCH_READ_SETS]; /* what was measured so far */
	double muls_per_us, wide_muls_per_us; /* 0: not measured yet */
};

struct bench_time {
	double min_us;
	double median_us;
};

/** Time one call, over about `seconds` of thread CPU time. */
struct bench_time bench_time(void (*fn)(void *arg), void *arg, double seconds);
void bench_print(const struct bench *b, const char *name, struct bench_time t, double limit_us, double bytes,
	const char *note);

/** The answer to one query of a table that is prepared, or pretends to be; "bytes" are all that travel, the
 * static half of the reply included. */
struct silent_shop;
void bench_silent_answer(struct bench *b, struct silent_shop *shop, const char *name);

void machine_init(struct bench *b);
void machine_clear(struct bench *b);

#endif
