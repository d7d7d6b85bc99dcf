/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cpu.h"
#include "base/require.h"
#include "state.h"

#define MAX_SAMPLES 4096
#define MIN_SAMPLES 5
#define BATCH_US 200.0 /* reading the clock takes less than a microsecond */

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec * 1e-3;
}

static double time_batch(void (*fn)(void *arg), void *arg, unsigned calls)
{
	double start = now_us();

	for (unsigned i = 0; i < calls; i++)
		fn(arg);
	return now_us() - start;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct bench_time bench_time(void (*fn)(void *arg), void *arg, double seconds)
{
	static double samples[MAX_SAMPLES];
	double spent = 0;
	unsigned calls = 1, count = 0;

	/* Warm up caches, branch predictor and clock, and find the batch. */
	for (double warm = 0; warm < 20e3;) {
		double us = time_batch(fn, arg, calls);

		warm += us;
		if (us >= BATCH_US)
			continue;
		calls *= 2;
	}
	while (count < MIN_SAMPLES || (spent < seconds * 1e6 && count < MAX_SAMPLES)) {
		double us = time_batch(fn, arg, calls);

		spent += us;
		samples[count++] = us / calls;
	}
	qsort(samples, count, sizeof samples[0], compare);
	return (struct bench_time){.min_us = samples[0], .median_us = samples[count / 2]};
}

void bench_print(const struct bench *b, const char *name, struct bench_time t, double limit_us, double bytes,
	const char *note)
{
	char ratio[32] = "";

	note = note ? note : "";
	if (b->json) {
		REQUIRE(!strpbrk(note, "\"\\\n"));
		printf("{\"name\":\"%s\",\"isa\":\"%s\",\"min_us\":%.4f,\"median_us\":%.4f,\"limit_us\":%.4f,"
		       "\"bytes\":%.0f,\"note\":\"%s\"}\n",
			name, bench_isa(b), t.min_us, t.median_us, limit_us, bytes, note);
	} else {
		if (limit_us > 0)
			snprintf(ratio, sizeof ratio, "%.2f", t.median_us / limit_us);
		printf("%-36s %-8s %12.3f %12.3f %12.3f %7s %12.0f  %s\n", name, bench_isa(b), t.min_us,
			t.median_us, limit_us, ratio, bytes, note);
	}
	fflush(stdout);
}

void bench_run(struct bench *b, const char *name, void (*fn)(void *arg), void *arg, double limit_us,
	double bytes, const char *note)
{
	if (bench_wanted(b, name))
		bench_print(b, name, bench_time(fn, arg, 0.7), limit_us, bytes, note);
}

void bench_run_form(struct bench *b, const char *name, void (*fn)(void *arg), void *arg, void *generic,
	double limit_us, const char *form)
{
	char note[96];

	if (!bench_wanted(b, name))
		return;
	snprintf(note, sizeof note, "%s", form);
	if (generic) {
		struct bench_time time = bench_time(fn, generic, 0.2);

		snprintf(note, sizeof note, "%s; generic: min %.2f us, median %.2f us", form, time.min_us,
			time.median_us);
	}
	bench_run(b, name, fn, arg, limit_us, 0, note);
}

int bench_wanted(const struct bench *b, const char *name)
{
	return !b->filter || strstr(name, b->filter);
}

unsigned bench_features(const struct bench *b)
{
	return b->features;
}

const char *bench_isa(const struct bench *b)
{
	return cpu_features_name(b->features);
}
