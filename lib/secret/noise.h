/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_NOISE_H
#define SECRET_NOISE_H

#include "ring/ring.h"

/** How far n phases are from their messages, as centred residues mod q. */
struct secret_noise {
	double rms;
	uint64_t max;
};

/** The exact error phase - message, mod one prime. For tests and parameter checks: time depends on the
 * values. */
struct secret_noise secret_noise_measure_vartime(
	const struct ring_prime *r, const void *phase, const void *message);

#endif
