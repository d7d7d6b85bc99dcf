/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PRIVACY_LAW_H
#define PRIVACY_LAW_H

#include <stdint.h>

#include "veil/status.h"

/** The law of the fakes of one shard, over all clients: negative binomial,
 * P[k] = C(k + r - 1, k) (1 - p)^r p^k, mean r p / (1 - p), variance r p / (1 - p)^2. It is infinitely
 * divisible (each of U clients draws with r / U) and for r >= 1 log-concave, which what is below relies on.
 *
 * One user's questions of an epoch are replaced by others: `moved` of them leave one shard for another. The
 * server sees the two counts X1 = Z1 + moved, X2 = Z2, or X1 = Z1, X2 = Z2 + moved, and its best test at
 * e^eps succeeds by delta(eps) = sum over x1, x2 of max(0, f(x1 - moved) f(x2) - e^eps f(x1) f(x2 - moved)).
 * (The hockey-stick divergence: Balle, Barthe, Gaboardi, "Privacy amplification by subsampling", 2018.) */
struct privacy_law {
	double r; /* [1, 4096] */
	double p; /* (0, 1) */
};

#define PRIVACY_MAX_R 4096
#define PRIVACY_MAX_COUNT 4000000 /* terms of a table: p that near to 1 is refused */

/** The terms f(0) ... f(count - 1) as first * weight[k], `first` an upper bound of f(0) by a part in 2^45,
 * each weight right within 1 +- error; what lies beyond has at most the mass `tail`. */
struct privacy_table {
	struct privacy_law law;
	uint32_t count;
	long double first;
	long double *weight;
	long double tail;
	long double error;
};

/** As many terms as leave a tail of at most `tail`, > 0. VEIL_E_INVALID: that are too many. */
enum veil_status privacy_table_init(struct privacy_table *table, const struct privacy_law *law, double tail,
	struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts NULL and zeroed objects. */
void privacy_table_clear(struct privacy_table *table);

/** An upper bound of delta(eps): the sum over the staircase where a term is positive, in O(count), every
 * rounding error and both tails added. eps >= 0. */
double privacy_table_delta(const struct privacy_table *table, double eps, uint32_t moved);

/** The mean, and the standard deviation. */
double privacy_law_mean(const struct privacy_law *law);
double privacy_law_deviation(const struct privacy_law *law);

#endif
