/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_INTERVAL_H
#define AUDIT_INTERVAL_H

#include <stdint.h>

/** The interval of Clopper and Pearson: an event of true probability p came up `hits` times in `trials`; with
 * probability at most `alpha` each, p is below *low or above *high. trials >= 1, hits <= trials. */
void interval_clopper_pearson(double *low, double *high, uint64_t hits, uint64_t trials, double alpha);

/** P[Binomial(trials, p) >= hits], for 1 <= hits <= trials: the incomplete beta function. */
double interval_binomial_tail(uint64_t hits, uint64_t trials, double p);

#endif
