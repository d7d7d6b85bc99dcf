/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/require.h"
#include "state.h"

/* What the machine allows on one core: everything else in this program is judged by these figures of the same
 * run. */

static volatile uint64_t sink; /* results go here, so that no loop is removed */

static void mul_once(void *arg)
{
	const struct loops *loops = arg;

	sink = loops->mul(3);
}

static void wide_mul_once(void *arg)
{
	const struct loops *loops = arg;

	sink = loops->wide_mul(0);
}

static void chain_once(void *arg)
{
	(void)arg;
	sink = loops_chain(3);
}

struct read {
	const struct loops *loops;
	void *data;
	size_t size;
	unsigned passes;
};

static void read_once(void *arg)
{
	const struct read *r = arg;

	for (unsigned i = 0; i < r->passes; i++)
		sink = r->loops->read(r->data, r->size);
}

static struct bench_time time_read(struct bench *b, size_t set)
{
	/* At least 64 KiB a call: the call itself must not show in a set of a few KiB. */
	struct read r = {
		.loops = b->loops, .data = b->memory, .size = set, .passes = 1 + (unsigned)(65535 / set)};
	struct bench_time t = bench_time(read_once, &r, 0.3);

	return (struct bench_time){t.min_us / r.passes, t.median_us / r.passes};
}

static struct bench_time measure_read(struct bench *b, size_t set)
{
	struct bench_time t = time_read(b, set);

	for (size_t i = 0; i < BENCH_READ_SETS; i++) {
		if (b->read[i].set)
			continue;
		b->read[i].set = set;
		b->read[i].bytes_per_us = (double)set / t.min_us;
		break;
	}
	return t;
}

double bench_limit_read_us(struct bench *b, size_t working_set, size_t bytes)
{
	size_t set = (working_set + 4095) & ~(size_t)4095;

	set = set > b->dram_set ? b->dram_set : set;
	for (size_t i = 0; i < BENCH_READ_SETS; i++)
		if (b->read[i].set == set)
			return (double)bytes / b->read[i].bytes_per_us;
	return (double)bytes * measure_read(b, set).min_us / (double)set;
}

static void update_once(void *arg)
{
	const struct read *r = arg;

	for (unsigned i = 0; i < r->passes; i++)
		r->loops->update(r->data, (const uint8_t *)r->data + r->size / 2, r->size / 2);
}

double bench_limit_update_us(struct bench *b, size_t working_set, size_t bytes)
{
	const size_t set = (working_set + 4095) & ~(size_t)4095;
	struct read r = {
		.loops = b->loops, .data = b->memory, .size = set, .passes = 1 + (unsigned)(65535 / set)};
	size_t i = 0;

	REQUIRE(set <= b->dram_set);
	while (i < BENCH_READ_SETS - 1 && b->update[i].set && b->update[i].set != set)
		i++;
	if (b->update[i].set != set) {
		b->update[i].set = set;
		b->update[i].bytes_per_us =
			1.5 * (double)set * r.passes / bench_time(update_once, &r, 0.3).min_us;
	}
	return (double)bytes / b->update[i].bytes_per_us;
}

double bench_limit_mul_us(struct bench *b, double count)
{
	if (b->muls_per_us == 0)
		b->muls_per_us = LOOPS_MULS / bench_time(mul_once, (void *)(uintptr_t)b->loops, 0.3).min_us;
	return count / b->muls_per_us;
}

double bench_limit_butterflies_us(struct bench *b, unsigned q_bits, double count)
{
	if (q_bits <= 31)
		return bench_limit_mul_us(b, 2 * count);
	if (q_bits > 50)
		return bench_limit_mul_us(b, b->loops->butterfly_muls[1] * count);
	if (b->wide_muls_per_us == 0)
		b->wide_muls_per_us =
			LOOPS_MULS / bench_time(wide_mul_once, (void *)(uintptr_t)b->loops, 0.3).min_us;
	return b->loops->butterfly_muls[0] * count / b->wide_muls_per_us;
}

void machine_init(struct bench *b)
{
	long l3 = sysconf(_SC_LEVEL3_CACHE_SIZE);

	b->loops = &loops_generic;
#ifdef __x86_64__
	if (b->features & CPU_AVX2 && b->features & CPU_FMA)
		b->loops = &loops_avx2;
	if (b->features & CPU_AVX512)
		b->loops = &loops_avx512;
	if (b->features & CPU_AVX512 && b->features & CPU_IFMA)
		b->loops = &loops_ifma;
#endif
	/* Four times the last cache, so that what is left of the last pass does not count; huge pages, so
	 * that this is the limit of the memory and not of address translation. */
	b->dram_set = (size_t)256 << 20;
	while (l3 > 0 && b->dram_set < (size_t)l3 * 4 && b->dram_set < (size_t)512 << 20)
		b->dram_set *= 2;
	b->memory = aligned_alloc((size_t)2 << 20, b->dram_set);
	REQUIRE(b->memory);
	madvise(b->memory, b->dram_set, MADV_HUGEPAGE);
	memset(b->memory, 1, b->dram_set);
}

void machine_clear(struct bench *b)
{
	free(b->memory);
}

static void print_read(struct bench *b, const char *name, size_t set)
{
	char note[96];
	struct bench_time t = measure_read(b, set);
	double bytes_per_s = (double)set / t.min_us * 1e6;

	snprintf(note, sizeof note, "%.1f GB/s over %zu KiB; bytes: a second", bytes_per_s * 1e-9, set >> 10);
	bench_print(b, name, t, 0, bytes_per_s, note);
}

void bench_machine(struct bench *b)
{
	char note[96];
	struct bench_time t;

	t = bench_time(chain_once, NULL, 0.2);
	snprintf(note, sizeof note, "%d additions in a chain: %.2f GHz", LOOPS_CHAIN,
		LOOPS_CHAIN / t.min_us * 1e-3);
	bench_print(b, "machine/clock", t, 0, 0, note);

	print_read(b, "machine/read_bandwidth", b->dram_set);
	print_read(b, "machine/read_bandwidth/l1", (size_t)16 << 10);
	print_read(b, "machine/read_bandwidth/l2", (size_t)256 << 10);
	print_read(b, "machine/read_bandwidth/l3", (size_t)4 << 20);

	t = bench_time(mul_once, (void *)(uintptr_t)b->loops, 0.3);
	b->muls_per_us = LOOPS_MULS / t.min_us;
	snprintf(note, sizeof note, "%.2f G lane multiplies/s (%s)", b->muls_per_us * 1e-3,
		b->loops->mul_note);
	bench_print(b, "machine/multiply", t, 0, 0, note);
}
