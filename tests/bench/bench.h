/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stddef.h>

/* One program, veil-bench, one file a group (bench_<group>.c), one row here: groups[] in main.c. Times are
 * thread CPU time on one core. Every result carries the limit that the machine itself sets, measured in the
 * same run. */

struct bench; /* options, the machine's figures, the output */

/** The feature mask to build contexts with (cpu_features lowered by --isa). */
unsigned bench_features(const struct bench *b);
/** Name of that mask. */
const char *bench_isa(const struct bench *b);

/** Microseconds to read `bytes` bytes that belong to a working set of `working_set` bytes, at the read
 * bandwidth measured in this run for a set of that size. */
double bench_limit_read_us(struct bench *b, size_t working_set, size_t bytes);
/** The same to read one part of them and to read and write another, two bytes read for one written, at the
 * rate measured for x ^= y: `bytes` are those read and those written. */
double bench_limit_update_us(struct bench *b, size_t working_set, size_t bytes);
/** Microseconds for `count` 32x32->64-bit lane multiplies at the throughput measured in this run for this
 * ISA. */
double bench_limit_mul_us(struct bench *b, double count);
/** Microseconds for the multiplications of `count` butterflies modulo a prime of q_bits bits: with lanes of
 * 32 bits four (two 64-bit products, two low halves), which take the multiplier as long as two 64-bit
 * products; with lanes of 64 what the best form known for this ISA needs (loops.h), at its instruction's
 * throughput. */
double bench_limit_butterflies_us(struct bench *b, unsigned q_bits, double count);

/** Time fn(arg): warms up, then repeats in batches for a fixed time; prints min and median of a call.
 *  limit_us  what the machine's limits allow (0: none known)
 *  bytes     what the note says they are (traffic, memory read); 0: none
 *  note      free text, may be NULL */
void bench_run(struct bench *b, const char *name, void (*fn)(void *arg), void *arg, double limit_us,
	double bytes, const char *note);
/** The same for one form of a kernel. The note names the form and says what the generic one takes in the same
 * run: fn(generic), unless that is NULL. */
void bench_run_form(struct bench *b, const char *name, void (*fn)(void *arg), void *arg, void *generic,
	double limit_us, const char *form);
/** Is this name asked for (a filter may be given)? Skip expensive set-up otherwise. */
int bench_wanted(const struct bench *b, const char *name);

/* The groups. */
void bench_machine(struct bench *b);
void bench_ntt(struct bench *b);
void bench_kernels(struct bench *b);
void bench_bfv(struct bench *b);
void bench_nn(struct bench *b);
void bench_pnns(struct bench *b); /* a part of bfv */
void bench_ohttp(struct bench *b);
void bench_relay(struct bench *b);
void bench_pir(struct bench *b);
void bench_sealed(struct bench *b);

#endif
