/* SPDX-License-Identifier: Apache-2.0 */
#include "index/quantize.h"

#include <math.h>

#include "base/require.h"

void index_normalise(float *vector, uint32_t dim)
{
	double sum = 0, norm;

	for (uint32_t j = 0; j < dim; j++)
		sum += (double)vector[j] * vector[j];
	norm = sqrt(sum);
	REQUIRE(norm > 0 && isfinite(norm));
	for (uint32_t j = 0; j < dim; j++)
		vector[j] = (float)(vector[j] / norm);
}

float index_max_abs(const float *vector, uint32_t dim)
{
	float max = 0;

	for (uint32_t j = 0; j < dim; j++)
		if (fabsf(vector[j]) > max)
			max = fabsf(vector[j]);
	return max;
}

float index_scale(float max_abs)
{
	REQUIRE(max_abs > 0);
	return 127.0f / max_abs;
}

void index_quantise(int8_t *out, const float *vector, uint32_t dim, float scale)
{
	for (uint32_t j = 0; j < dim; j++) {
		long value = lrintf(vector[j] * scale);

		out[j] = (int8_t)(value > 127 ? 127 : value < -127 ? -127 : value);
	}
}

uint32_t index_norm2(const int8_t *row, uint32_t dim)
{
	int32_t sum = 0;

	for (uint32_t j = 0; j < dim; j++)
		sum += (int32_t)row[j] * row[j];
	return (uint32_t)sum;
}

uint32_t index_norm_ceil(uint32_t norm2)
{
	uint32_t norm = (uint32_t)sqrt((double)norm2);

	while ((uint64_t)norm * norm < norm2)
		norm++;
	while (norm > 0 && (uint64_t)(norm - 1) * (norm - 1) >= norm2)
		norm--;
	return norm;
}
