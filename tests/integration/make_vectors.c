/* SPDX-License-Identifier: Apache-2.0 */
/* make_vectors FILE ROWS DIM: an int8 .npy of ROWS vectors around ROWS / 2000 + 1 middles, sorted by middle
 * (the worst order for a builder that would look at the beginning only), the same at every call. */
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"

#define SPREAD 1.2 /* of a row around its middle, where that is 1 */
#define SCALE 30

/* Nearly normal: sums of four bytes, of variance 1. */
static void fill_noise(struct rng *rng, double *out, unsigned long count)
{
	uint8_t b[4 * 64];

	for (unsigned long i = 0; i < count; i++) {
		const uint8_t *four = b + i % 64 * 4;

		if (i % 64 == 0)
			rng_fill(rng, b, sizeof b);
		out[i] = (four[0] + four[1] + four[2] + four[3] - 510) / 147.8;
	}
}

static int8_t clip(double x)
{
	return (int8_t)(x > 127 ? 127 : x < -127 ? -127 : lrint(x));
}

int main(int argc, char **argv)
{
	unsigned long rows = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned long dim = argc == 4 ? strtoul(argv[3], NULL, 10) : 0, middle = ULONG_MAX;
	struct rng_seeded state;
	struct rng rng = rng_seeded_init_u64(&state, 11);
	double *center = calloc(dim + 1, sizeof *center), *noise = calloc(dim + 1, sizeof *noise);
	int8_t *row = calloc(dim + 1, 1);
	FILE *out = argc == 4 ? fopen(argv[1], "we") : NULL;

	if (!rows || !dim || !center || !noise || !row || !out)
		return fprintf(stderr, "make_vectors FILE ROWS DIM\n") < 0 ? 1 : 2;
	fprintf(out, "\x93NUMPY\x01%c%c%c%-117s\n", 0, 118, 0, "");
	fseek(out, 10, SEEK_SET);
	fprintf(out, "{'descr': '|i1', 'fortran_order': False, 'shape': (%lu, %lu), }", rows, dim);
	fseek(out, 0, SEEK_END);
	for (unsigned long i = 0; i < rows; i++) {
		if (i / 2000 != middle)
			fill_noise(&rng, center, dim);
		middle = i / 2000;
		fill_noise(&rng, noise, dim);
		for (unsigned long j = 0; j < dim; j++)
			row[j] = clip(SCALE * (center[j] + SPREAD * noise[j]));
		fwrite(row, 1, dim, out);
	}
	free(center);
	free(noise);
	free(row);
	return ferror(out) | fclose(out) ? 1 : 0;
}
