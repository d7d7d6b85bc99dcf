/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PRIVACY_PLD_H
#define PRIVACY_PLD_H

#include <stddef.h>

#include "privacy/law.h"

/** A privacy-loss distribution on a grid: under the first world, ln(P / Q) is (low + i) step with probability
 * mass[i], and infinite (impossible in the second world) with probability `infinite`. Losses of independent
 * parts add up, so distributions are convolved.
 *
 * Pessimistic: every number is an upper bound of the true delta. An outcome whose loss falls between two
 * points of the grid is split over both such that its mass in both worlds stays what it is; a spread of the
 * likelihood ratio only helps the test (Doroshenko, Ghazi, Kamath, Kumar, Manurangsi, "Connect the dots",
 * 2022). What is cut off at the bottom is moved up, at the top to infinity; sums are rounded up. */
struct privacy_pld {
	double step;
	long low;
	size_t count;
	double *mass;
	double infinite;
};

/** Which world has the questions: the shard that they leave (PRIVACY_LEAVE: there in the first world), or the
 * one they come to (PRIVACY_COME). */
enum privacy_side { PRIVACY_LEAVE, PRIVACY_COME };

/** One shard's count with `moved` questions more in one of the worlds. */
enum veil_status privacy_pld_init(struct privacy_pld *pld, const struct privacy_table *table,
	enum privacy_side side, uint32_t moved, double step) VEIL_MUST_CHECK;
/** Both shards: an epoch in which `moved` questions go from one shard to another. */
enum veil_status privacy_pld_init_epoch(struct privacy_pld *pld, const struct privacy_table *table,
	uint32_t moved, double step) VEIL_MUST_CHECK;
/** Nothing has been seen. */
enum veil_status privacy_pld_init_nothing(struct privacy_pld *pld, double step) VEIL_MUST_CHECK;
/** Accepts NULL and zeroed objects. */
void privacy_pld_clear(struct privacy_pld *pld);

/** *out: what a and b show together. Steps must be equal up to a power of two: the finer one is made coarse,
 * and the result too where it would have more than PRIVACY_PLD_CELLS. `out` is not a or b. */
enum veil_status privacy_pld_compose(
	struct privacy_pld *out, const struct privacy_pld *a, const struct privacy_pld *b) VEIL_MUST_CHECK;
#define PRIVACY_PLD_CELLS 8192

/** *out: `times` times a, by squaring. */
enum veil_status privacy_pld_repeat(
	struct privacy_pld *out, const struct privacy_pld *a, uint64_t times) VEIL_MUST_CHECK;

/** delta(eps), any eps. */
double privacy_pld_delta(const struct privacy_pld *pld, double eps);
/** delta(eps) of a and b together in one pass, without composing them; eps is rounded down to the grid, which
 * both share. */
double privacy_pld_delta_of_two(const struct privacy_pld *a, const struct privacy_pld *b, double eps);
/** How far delta(eps) of a is above that of b, at the eps where it is the most; 0 if nowhere. One step. */
double privacy_pld_excess(const struct privacy_pld *a, const struct privacy_pld *b);
/** The smallest eps >= 0 with delta(eps) <= delta; INFINITY where there is none. */
double privacy_pld_eps(const struct privacy_pld *pld, double delta);

#endif
