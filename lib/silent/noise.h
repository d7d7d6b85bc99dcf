/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SILENT_NOISE_H
#define SILENT_NOISE_H

#include "silent/context.h"

/* The noise of a retrieval by formula; docs/protocol.md derives it, tests/unit/secret/test_silent.c measures
 * every stage. Standard deviations. */
struct silent_noise {
	double scan; /* of a sum of the scan, mod q */
	double pack; /* that the packing adds, mod q */
	double reply; /* that rounding the static half adds, as a fraction of q */
	double step; /* the short half is off by at most step / 2, uniformly; a fraction of q */
	double total; /* of all but the step, as a fraction of q */
};

/** For a table whose bytes have this root mean square: 128 is the worst. */
void silent_noise(struct silent_noise *noise, const struct silent_context *ctx, double rms);

/** log2 of a bound of the probability that any byte of a row decodes wrongly, for the worst table. */
double silent_failure_log2(const struct silent_context *ctx);

#endif
