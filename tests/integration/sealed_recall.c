/* SPDX-License-Identifier: Apache-2.0 */
/* sealed_recall URL STORED QUERIES LABELS STEP MODE: asks a server that has STORED as its index for every
 * STEP-th held-out row of QUERIES and says how often the row of that number is the first, and among the first
 * ten: of the server's answer, and of an exact search in floats over all. Prints four numbers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "veil/client.h"
#include "veil/vectors.h"

#define TOP 10

static void die(const char *what, const char *why)
{
	fprintf(stderr, "sealed_recall: %s: %s\n", what, why);
	exit(1);
}

static double cosine(const float *x, const float *y, uint32_t dim)
{
	double xy = 0, xx = 0, yy = 0;

	for (uint32_t j = 0; j < dim; j++) {
		xy += (double)x[j] * (double)y[j];
		xx += (double)x[j] * (double)x[j];
		yy += (double)y[j] * (double)y[j];
	}
	return xy / sqrt(xx * yy);
}

/* How many rows are nearer than the right one. */
static uint32_t exact_rank(const struct veil_vectors *stored, const float *x, uint32_t row, uint32_t dim)
{
	const double right = cosine(x, veil_vectors_row(stored, row), dim);
	uint32_t nearer = 0;

	for (uint32_t i = 0; i < veil_vectors_count(stored); i++)
		nearer += cosine(x, veil_vectors_row(stored, i), dim) > right;
	return nearer;
}

/* Some rows are stored twice: either one is right. */
static uint32_t asked_rank(const struct veil_client *client, const struct veil_vectors *stored,
	const float *x, uint32_t row, uint32_t dim)
{
	struct veil_error err = {""};
	struct veil_hits *hits;
	uint32_t rank = TOP;

	if (veil_client_search(client, &hits, x, dim, 1, TOP, &err) != VEIL_OK)
		die("search", err.text);
	for (uint32_t i = (uint32_t)veil_hits_count(hits); i-- > 0;)
		if (cosine(veil_vectors_row(stored, veil_hits_at(hits, i)->record),
			    veil_vectors_row(stored, row), dim) > 0.999999)
			rank = i;
	veil_hits_destroy(hits);
	return rank;
}

/* The last column of the row's line is 1. */
static int is_held_out(const char *line)
{
	const char *tab = strrchr(line, '\t');

	return tab && tab[1] == '1';
}

int main(int argc, char **argv)
{
	struct veil_vectors *stored = NULL, *queries = NULL;
	struct veil_client *client = NULL;
	struct veil_error err = {""};
	double exact1 = 0, exact10 = 0, first = 0, ten = 0, count = 0;
	char line[512];
	FILE *labels;

	if (argc != 7)
		return 2;
	labels = fopen(argv[4], "r");
	if (!labels || !fgets(line, sizeof line, labels))
		die(argv[4], "cannot be read");
	if (veil_vectors_read(&stored, argv[2], &err) != VEIL_OK ||
		veil_vectors_read(&queries, argv[3], &err) != VEIL_OK ||
		veil_client_create(&client, argv[1], &err) != VEIL_OK ||
		veil_client_set_mode(client, argv[6], &err) != VEIL_OK ||
		veil_client_refresh(client, &err) != VEIL_OK)
		die(argv[1], err.text);
	for (uint32_t row = 0, nth = 0; fgets(line, sizeof line, labels); row++) {
		const uint32_t dim = veil_vectors_dim(queries);
		const float *x = veil_vectors_row(queries, row);
		uint32_t exact, asked;

		if (!is_held_out(line) || nth++ % (uint32_t)strtoul(argv[5], NULL, 10))
			continue;
		exact = exact_rank(stored, x, row, dim);
		asked = asked_rank(client, stored, x, row, dim);
		count++;
		exact1 += exact == 0;
		exact10 += exact < TOP;
		first += asked == 0;
		ten += asked < TOP;
	}
	printf("%.5f %.5f %.5f %.5f\n", first / count, ten / count, exact1 / count, exact10 / count);
	fclose(labels);
	veil_client_destroy(client);
	veil_vectors_destroy(stored);
	veil_vectors_destroy(queries);
	return 0;
}
