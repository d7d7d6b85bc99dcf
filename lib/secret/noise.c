/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/noise.h"

#include <math.h>

struct secret_noise secret_noise_measure_vartime(
	const struct ring_prime *r, const void *phase, const void *message)
{
	struct secret_noise noise = {0};
	uint64_t q = r->p.q;
	double squares = 0;

	for (size_t i = 0; i < r->n; i++) {
		uint64_t p = ring_get(r, phase, i), m = ring_get(r, message, i),
			 e = p >= m ? p - m : p - m + q;

		if (e > q / 2)
			e = q - e;
		if (e > noise.max)
			noise.max = e;
		squares += (double)e * (double)e;
	}
	noise.rms = sqrt(squares / (double)r->n);
	return noise;
}
