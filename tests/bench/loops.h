/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_LOOPS_H
#define BENCH_LOOPS_H

#include <stddef.h>
#include <stdint.h>

/* The loops that find out what a machine can do, once per ISA (generic: loops.c). */
struct loops {
	const char *isa;
	/** Reads `size` bytes, a multiple of 512, from 64-byte aligned memory. The result only keeps the
	 * loads alive. */
	uint64_t (*read)(const void *data, size_t size);
	/** x ^= y, `size` bytes of each, likewise: what reads two arrays and writes one. */
	void (*update)(void *x, const void *y, size_t size);
	/** LOOPS_MULS 32x32->64-bit lane multiplies with enough independent chains to fill the units. */
	uint64_t (*mul)(uint64_t seed);
	const char *mul_note; /* the instruction it counts */
	/** The same of lanes of 50 bits: the instruction that a butterfly modulo q < 2^50 is made of. */
	uint64_t (*wide_mul)(uint64_t seed);
	const char *wide_note;
	/* of a butterfly with words of 64 bits: `wide_mul`s for q < 2^50, `mul`s for q above */
	unsigned butterfly_muls[2];
};

#define LOOPS_MULS 61440

extern const struct loops loops_generic, loops_avx2, loops_avx512, loops_ifma;

/** 65536 additions, each waiting for the one before: one a cycle. */
uint64_t loops_chain(uint64_t seed);
#define LOOPS_CHAIN 65536

#endif
