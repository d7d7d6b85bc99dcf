/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/unit.h"

#include <math.h>

#include "base/ct.h"
#include "base/error.h"

static enum veil_status refuse(const float *vector, uint32_t dim, struct veil_error *err)
{
	for (uint32_t i = 0; i < dim; i++)
		if (!isfinite(vector[i]))
			return error_set(err, VEIL_E_INVALID, "coordinate %u of the query is %s", i,
				isnan(vector[i]) ? "not a number" : "infinite");
	return error_set(err, VEIL_E_INVALID, "the query is a zero vector: it has no direction");
}

enum veil_status secret_unit(double *x, const float *vector, uint32_t dim, struct veil_error *err)
{
	double sum = 0, factor;
	uint64_t bits, usable;

	for (uint32_t i = 0; i < dim; i++)
		sum += (double)vector[i] * vector[i];
	/* positive and finite, told by the bits: a NaN or an infinity has all ones in the exponent */
	memcpy(&bits, &sum, sizeof bits);
	usable = ct_mask_nonzero(bits) & ct_mask_less(bits & INT64_MAX, (uint64_t)0x7ff << 52);
	ct_unpoison(&usable, sizeof usable);
	if (!usable)
		return refuse(vector, dim, err);
	factor = 1 / sqrt(sum);
	for (uint32_t i = 0; i < dim; i++)
		x[i] = vector[i] * factor;
	return VEIL_OK;
}
