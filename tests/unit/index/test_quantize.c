/* SPDX-License-Identifier: Apache-2.0 */
#include "index/quantize.h"

#include <criterion/criterion.h>
#include <math.h>

#include "support/test.h"

Test(quantize, unit_vectors_become_their_nearest_int8_under_one_scale)
{
	struct rng rng = test_rng();

	for (int round = 0; round < 300; round++) {
		uint32_t dim = 1 + (uint32_t)test_below(&rng, 200);
		double size = pow(10, (double)test_below(&rng, 60) - 30), sum = 0;
		float x[200], max, scale;
		uint32_t norm2 = 0;
		int8_t y[200];

		for (uint32_t j = 0; j < dim; j++)
			x[j] = (float)(test_normal(&rng) * size);
		if (index_max_abs(x, dim) == 0)
			continue;
		index_normalise(x, dim);
		for (uint32_t j = 0; j < dim; j++)
			sum += (double)x[j] * x[j];
		cr_assert_float_eq(sum, 1, 1e-5);
		max = index_max_abs(x, dim);
		scale = index_scale(max);
		index_quantise(y, x, dim, scale);
		for (uint32_t j = 0; j < dim; j++) {
			cr_assert(fabs((double)x[j] * scale - y[j]) <= 0.5001);
			cr_assert(fabsf(x[j]) < max || y[j] == 127 || y[j] == -127);
			norm2 += (uint32_t)(y[j] * y[j]);
		}
		cr_assert_eq(index_norm2(y, dim), norm2);
	}
}

Test(quantize, norms_are_rounded_up)
{
	for (uint32_t n = 0; n < 9000; n++) {
		cr_assert_eq(index_norm_ceil(n * n), n);
		cr_assert_eq(index_norm_ceil(n * n + 1), n + 1);
		cr_assert_eq(index_norm_ceil((n + 1) * (n + 1) - 1), n == 0 ? 0 : n + 1);
	}
}
