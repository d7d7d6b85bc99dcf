/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_UNIT_H
#define SECRET_UNIT_H

#include <stdint.h>
#include <string.h>

#include "veil/status.h"

/* The vector of a query: doubles without branches. A float squared is a normal double or zero, so no
 * subnormal appears. */

/** The nearest integer, ties to even, for |x| < 2^51: the low bits of x + 1.5 * 2^52. */
static inline int64_t secret_nearest(double x)
{
	double shifted = x + 0x1.8p52;
	int64_t bits;

	memcpy(&bits, &shifted, sizeof bits);
	return bits - 0x4338000000000000;
}

/** x = vector / |vector|, [dim]. VEIL_E_INVALID for a NaN, an infinity or a zero vector. Constant time but
 * for that refusal. */
enum veil_status secret_unit(
	double *x, const float *vector, uint32_t dim, struct veil_error *err) VEIL_MUST_CHECK;

#endif
