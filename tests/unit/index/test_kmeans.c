/* SPDX-License-Identifier: Apache-2.0 */
#include "index/kmeans.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "index/nearest.h"
#include "index/quantize.h"
#include "support/test.h"

/* Every piece in reverse order: what threads may do at worst. */
static void backwards(void *state, size_t count, void (*body)(void *arg, size_t i), void *arg)
{
	(void)state;
	while (count > 0)
		body(arg, --count);
}

static float *random_rows(const struct rng *rng, uint32_t count, uint32_t dim)
{
	float *rows = malloc((size_t)count * dim * sizeof *rows);

	for (size_t i = 0; i < (size_t)count * dim; i++)
		rows[i] = (float)test_normal(rng);
	for (uint32_t i = 0; i < count; i++)
		index_normalise(rows + (size_t)i * dim, dim);
	return rows;
}

static double inner(const float *a, const float *b, uint32_t dim)
{
	double sum = 0;

	for (uint32_t j = 0; j < dim; j++)
		sum += (double)a[j] * b[j];
	return sum;
}

Test(nearest, the_best_centroids_are_those_of_a_plain_search)
{
	struct rng rng = test_rng();
	struct exec exec = exec_serial();
	struct veil_error err;

	for (int round = 0; round < 30; round++) {
		uint32_t clusters = 1 + (uint32_t)test_below(&rng, 50),
			 dim = 1 + (uint32_t)test_below(&rng, 40);
		uint32_t count = 1 + (uint32_t)test_below(&rng, 600),
			 top = 1 + (uint32_t)test_below(&rng, clusters);
		float *centroids = random_rows(&rng, clusters, dim), *rows = random_rows(&rng, count, dim);
		uint32_t *got = malloc((size_t)count * top * sizeof *got);
		float *scores = malloc((size_t)count * top * sizeof *scores);
		struct index_nearest n;

		cr_assert_eq(index_nearest_init(&n, centroids, clusters, dim, &err), VEIL_OK);
		index_nearest_find(&n, rows, count, top, got, scores, &exec);
		for (uint32_t i = 0; i < count; i++) {
			const float *s = scores + (size_t)i * top;
			const uint32_t *g = got + (size_t)i * top;
			uint32_t better = 0;

			for (uint32_t c = 0; c < clusters;
				c++) /* none outside the list is better than its last */
				better += inner(rows + (size_t)i * dim, centroids + (size_t)c * dim, dim) >
					  (double)s[top - 1] + 1e-5;
			cr_assert_lt(better, top);
			for (uint32_t k = 0; k < top; k++) {
				double want =
					inner(rows + (size_t)i * dim, centroids + (size_t)g[k] * dim, dim);

				cr_assert_float_eq(s[k], want, 1e-5);
				cr_assert(k == 0 || s[k - 1] > s[k] || (s[k - 1] == s[k] && g[k - 1] < g[k]));
			}
		}
		index_nearest_clear(&n);
		free(got);
		free(scores);
		free(centroids);
		free(rows);
	}
}

Test(kmeans, separate_groups_are_found)
{
	enum { GROUPS = 10, EACH = 60, DIM = 32 };
	struct rng rng = test_rng();
	struct exec exec = exec_serial();
	float *middles = random_rows(&rng, GROUPS, DIM), *rows = random_rows(&rng, GROUPS * EACH, DIM);
	float centroids[GROUPS * DIM];
	struct veil_error err;

	for (uint32_t i = 0; i < GROUPS * EACH; i++) {
		for (uint32_t j = 0; j < DIM; j++)
			rows[i * DIM + j] = middles[i % GROUPS * DIM + j] + 0.1f * rows[i * DIM + j];
		index_normalise(rows + (size_t)i * DIM, DIM);
	}
	cr_assert_eq(
		index_kmeans(centroids, GROUPS, rows, GROUPS * EACH, DIM, &rng, &exec, NULL, &err), VEIL_OK);
	for (uint32_t g = 0; g < GROUPS; g++) {
		double best = -1;

		for (uint32_t c = 0; c < GROUPS; c++)
			best = fmax(best, inner(middles + (size_t)g * DIM, centroids + (size_t)c * DIM, DIM));
		cr_assert_gt(best, 0.98, "group %u is nobody's", g);
	}
	free(middles);
	free(rows);
}

Test(kmeans, the_result_follows_from_the_seed_and_not_from_the_order_of_the_work)
{
	enum { ROWS = 3000, DIM = 12, K = 9 };
	struct exec exec[2] = {exec_serial(), {.parallel_for = backwards, .width = 1}};
	struct rng any = test_rng();
	float *rows = random_rows(&any, ROWS, DIM), out[3][K * DIM];
	struct veil_error err;

	for (int i = 0; i < 3; i++) {
		struct rng_seeded state;
		struct rng rng = rng_seeded_init_u64(&state, i == 2 ? 6 : 5);

		cr_assert_eq(
			index_kmeans(out[i], K, rows, ROWS, DIM, &rng, &exec[i % 2], NULL, &err), VEIL_OK);
		for (uint32_t c = 0; c < K; c++)
			cr_assert_float_eq(inner(out[i] + c * DIM, out[i] + c * DIM, DIM), 1, 1e-5);
	}
	cr_assert_arr_eq(out[0], out[1], sizeof out[0]);
	cr_assert_neq(memcmp(out[0], out[2], sizeof out[0]), 0);
	free(rows);
}

static uint64_t steps_done, steps_total;

static void count_step(void *state, uint64_t done, uint64_t total)
{
	(void)state;
	cr_assert_gt(done, steps_done);
	cr_assert_leq(done, total);
	steps_done = done;
	steps_total = total;
}

Test(kmeans, cells_of_lopsided_data_are_balanced)
{
	enum { ROWS = 4000, DIM = 8, K = 16 };
	const struct index_progress progress = {count_step, NULL};
	struct rng rng = test_rng();
	struct exec exec = exec_serial();
	float *rows = random_rows(&rng, ROWS, DIM), centroids[K * DIM];
	uint32_t size[K] = {0}, *cluster = malloc(ROWS * sizeof *cluster);
	float *score = malloc(ROWS * sizeof *score);
	struct index_nearest n;
	struct veil_error err;
	uint32_t max = 0;

	for (uint32_t i = 0; i < ROWS; i++) { /* nine in ten are crowded around one direction */
		rows[(size_t)i * DIM] += i % 10 ? 4 : 0;
		index_normalise(rows + (size_t)i * DIM, DIM);
	}
	cr_assert_eq(index_kmeans(centroids, K, rows, ROWS, DIM, &rng, &exec, &progress, &err), VEIL_OK);
	cr_assert_gt(steps_total, K);
	cr_assert_eq(index_nearest_init(&n, centroids, K, DIM, &err), VEIL_OK);
	index_nearest_find(&n, rows, ROWS, 1, cluster, score, &exec);
	for (uint32_t i = 0; i < ROWS; i++)
		size[cluster[i]]++;
	for (uint32_t c = 0; c < K; c++)
		max = size[c] > max ? size[c] : max;
	cr_assert_lt(max, 2 * ROWS / K, "the largest cell has %u of %u rows", max, ROWS);
	index_nearest_clear(&n);
	free(cluster);
	free(score);
	free(rows);
}

Test(kmeans, equal_rows_and_as_many_clusters_as_rows_do_no_harm)
{
	struct rng rng = test_rng();
	struct exec exec = exec_serial();
	float rows[20 * 3], centroids[20 * 3];
	struct veil_error err;

	for (int i = 0; i < 20; i++)
		memcpy(rows + i * 3, (float[]){0.6f, 0, 0.8f}, 3 * sizeof *rows);
	for (uint32_t k = 1; k <= 20; k++) {
		cr_assert_eq(index_kmeans(centroids, k, rows, 20, 3, &rng, &exec, NULL, &err), VEIL_OK);
		for (uint32_t c = 0; c < k; c++)
			cr_assert_float_eq(inner(centroids + c * 3, rows, 3), 1, 1e-5);
	}
}

/* The mean inner product of a row and its centroid. */
static double closeness(const float *centroids, uint32_t k, const float *rows, uint32_t count, uint32_t dim)
{
	uint32_t *cluster = malloc(count * sizeof *cluster);
	float *score = malloc(count * sizeof *score);
	struct exec exec = exec_serial();
	struct index_nearest n;
	struct veil_error err;
	double sum = 0;

	cr_assert_eq(index_nearest_init(&n, centroids, k, dim, &err), VEIL_OK);
	index_nearest_find(&n, rows, count, 1, cluster, score, &exec);
	for (uint32_t i = 0; i < count; i++)
		sum += (double)score[i];
	index_nearest_clear(&n);
	free(cluster);
	free(score);
	return sum / count;
}

Test(kmeans, batches_find_as_good_clusters_as_rounds_over_all_rows)
{
	enum { GROUPS = 40, ROWS = 60000, ONE_BATCH = 16384, DIM = 16 };
	struct rng rng = test_rng();
	struct exec exec = exec_serial();
	float *middles = random_rows(&rng, GROUPS, DIM), *rows = random_rows(&rng, ROWS, DIM);
	float batches[GROUPS * DIM], one[GROUPS * DIM];
	double of_batches = -1, of_one = -1, of_truth;
	struct veil_error err;

	for (uint32_t i = 0; i < ROWS; i++) {
		uint32_t group = (uint32_t)test_below(&rng, GROUPS);

		for (uint32_t j = 0; j < DIM; j++)
			rows[i * DIM + j] = middles[group * DIM + j] + 0.6f * rows[i * DIM + j];
		index_normalise(rows + (size_t)i * DIM, DIM);
	}
	of_truth = closeness(middles, GROUPS, rows, ROWS, DIM);
	for (int i = 0; i < 3;
		i++) { /* either may be caught in a bad place now and then: the best of three */
		cr_assert_eq(
			index_kmeans(batches, GROUPS, rows, ROWS, DIM, &rng, &exec, NULL, &err), VEIL_OK);
		cr_assert_eq(
			index_kmeans(one, GROUPS, rows, ONE_BATCH, DIM, &rng, &exec, NULL, &err), VEIL_OK);
		of_batches = fmax(of_batches, closeness(batches, GROUPS, rows, ROWS, DIM));
		of_one = fmax(of_one, closeness(one, GROUPS, rows, ROWS, DIM));
	}
	/* What is over and above the best that is known stays small beside what a row is away from it. */
	cr_assert_gt(of_batches, of_one - 0.02 * (1 - of_one), "%g, %g, %g", of_batches, of_one, of_truth);
	cr_assert_gt(
		of_batches, of_truth - 0.02 * (1 - of_truth), "%g, %g, %g", of_batches, of_one, of_truth);
	for (uint32_t c = 0; c < GROUPS; c++)
		cr_assert_float_eq(inner(batches + c * DIM, batches + c * DIM, DIM), 1, 1e-5);
	free(middles);
	free(rows);
}
