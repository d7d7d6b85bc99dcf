/* SPDX-License-Identifier: Apache-2.0 */
#include "index/kmeans.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/require.h"
#include "index/nearest.h"
#include "index/random.h"

enum {
	FIRST_ROUNDS = 12, /* after seeding */
	BALANCE_MOVES = 12, /* at the most */
	BALANCE_ROUNDS = 4, /* after each */
	PIECE_ROWS = 1024,
	BATCH_ROWS = 16384, /* at the least, or all */
	BATCH_EACH = 64, /* for each cluster, where that is more */
};
#define MEMORY 0.5 /* of what earlier batches said, after each */
#define TOO_LARGE 1.25 /* times the average */

struct kmeans {
	float *centroids;
	uint32_t clusters;
	const float *rows;
	uint32_t count;
	uint32_t dim;
	uint32_t batch; /* rows of a round; `count`: all of them */
	uint32_t at; /* where the next batch begins */
	const struct rng *rng;
	const struct exec *exec;
	const struct index_progress *progress;
	uint64_t done, total; /* inner products */
	uint32_t *cluster; /* [count] */
	float *score; /* [count] */
	double *sums; /* [clusters][dim] */
	uint32_t *size; /* [clusters] */
	uint32_t *order; /* [clusters], by size */
	float *best; /* [clusters][dim] */
};

static const float *row(const struct kmeans *k, uint32_t i)
{
	return k->rows + (size_t)i * k->dim;
}

static float *centroid(const struct kmeans *k, uint32_t c)
{
	return k->centroids + (size_t)c * k->dim;
}

static void step(struct kmeans *k, uint64_t products)
{
	k->done += products;
	if (k->progress)
		k->progress->step(k->progress->state, k->done, k->total);
}

/* Eight sums, so that the compiler may use vectors; always in this order. */
static float dot(const float *a, const float *b, uint32_t dim)
{
	float sum[8] = {0}, rest = 0;
	uint32_t j;

	for (j = 0; j + 8 <= dim; j += 8)
		for (unsigned l = 0; l < 8; l++)
			sum[l] += a[j + l] * b[j + l];
	for (; j < dim; j++)
		rest += a[j] * b[j];
	return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7])) + rest;
}

/* Seeding. score[i] is the largest inner product with a centroid so far; the squared distance is 2 - 2 score.
 */
struct seeding {
	struct kmeans *k;
	uint32_t latest;
};

static void seed_piece(void *arg, size_t piece)
{
	const struct seeding *s = arg;
	struct kmeans *k = s->k;
	uint32_t at = (uint32_t)piece * PIECE_ROWS,
		 end = k->batch - at < PIECE_ROWS ? k->batch : at + PIECE_ROWS;

	for (; at < end; at++) {
		float score = dot(row(k, at), centroid(k, s->latest), k->dim);

		if (s->latest == 0 || score > k->score[at])
			k->score[at] = score;
	}
}

static double weight(float score)
{
	return score < 1 ? 1 - (double)score : 0;
}

/* A row with probability proportional to its squared distance; any row if all are at a centroid. */
static uint32_t draw(const struct kmeans *k)
{
	double sum = 0, at;

	for (uint32_t i = 0; i < k->batch; i++)
		sum += weight(k->score[i]);
	at = index_random_unit(k->rng) * sum;
	for (uint32_t i = 0; i < k->batch && sum > 0; i++) {
		at -= weight(k->score[i]);
		if (at < 0)
			return i;
	}
	return index_random_below(k->rng, k->batch);
}

static void seed(struct kmeans *k)
{
	size_t pieces = ((size_t)k->batch + PIECE_ROWS - 1) / PIECE_ROWS;

	for (uint32_t c = 0; c < k->clusters; c++) {
		struct seeding s = {k, c};
		uint32_t i = c == 0 ? index_random_below(k->rng, k->batch) : draw(k);

		memcpy(centroid(k, c), row(k, i), k->dim * sizeof(float));
		exec_for(k->exec, pieces, seed_piece, &s);
		step(k, k->batch);
	}
}

/* The nearest centroids of some rows. */
static enum veil_status assign(struct kmeans *k, uint32_t first, uint32_t count, struct veil_error *err)
{
	struct index_nearest nearest;
	enum veil_status st = index_nearest_init(&nearest, k->centroids, k->clusters, k->dim, err);

	if (st != VEIL_OK)
		return st;
	index_nearest_find(&nearest, row(k, first), count, 1, k->cluster + first, k->score + first, k->exec);
	index_nearest_clear(&nearest);
	step(k, (uint64_t)count * k->clusters);
	return VEIL_OK;
}

static enum veil_status assign_all(struct kmeans *k, struct veil_error *err)
{
	enum veil_status st = assign(k, 0, k->count, err);

	memset(k->size, 0, k->clusters * sizeof *k->size);
	for (uint32_t i = 0; st == VEIL_OK && i < k->count; i++)
		k->size[k->cluster[i]]++;
	return st;
}

/* The direction of the sum; a cluster that is empty, or whose rows cancel out, starts again at a random row.
 */
static void update(struct kmeans *k, uint32_t first, uint32_t count)
{
	const double memory = k->batch < k->count ? MEMORY : 0;

	for (size_t i = 0; i < (size_t)k->clusters * k->dim; i++)
		k->sums[i] *= memory;
	for (uint32_t i = first; i < first + count; i++)
		for (uint32_t j = 0; j < k->dim; j++)
			k->sums[(size_t)k->cluster[i] * k->dim + j] += row(k, i)[j];
	for (uint32_t c = 0; c < k->clusters; c++) {
		const double *sum = k->sums + (size_t)c * k->dim;
		double norm = 0;

		for (uint32_t j = 0; j < k->dim; j++)
			norm += sum[j] * sum[j];
		norm = sqrt(norm);
		if (norm < 1e-6) {
			memcpy(centroid(k, c), row(k, index_random_below(k->rng, k->count)),
				k->dim * sizeof(float));
			continue;
		}
		for (uint32_t j = 0; j < k->dim; j++)
			centroid(k, c)[j] = (float)(sum[j] / norm);
	}
}

/* Ends with cluster, score and size of all rows, those of the final centroids. */
static enum veil_status improve(struct kmeans *k, unsigned rounds, struct veil_error *err)
{
	enum veil_status st = VEIL_OK;

	for (unsigned i = 0; st == VEIL_OK && i < rounds; i++) {
		uint32_t first = k->at, count = k->count - first < k->batch ? k->count - first : k->batch;

		st = assign(k, first, count, err);
		if (st == VEIL_OK)
			update(k, first, count);
		k->at = first + count < k->count ? first + count : 0;
	}
	return st == VEIL_OK ? assign_all(k, err) : st;
}

static uint32_t largest(const struct kmeans *k)
{
	uint32_t max = 0;

	for (uint32_t c = 0; c < k->clusters; c++)
		if (k->size[c] > max)
			max = k->size[c];
	return max;
}

static int by_size(const void *a, const void *b, void *arg)
{
	const uint32_t *size = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return size[x] != size[y] ? (size[x] > size[y] ? -1 : 1) : (x > y) - (x < y);
}

static uint32_t random_member(const struct kmeans *k, uint32_t c)
{
	uint32_t skip = index_random_below(k->rng, k->size[c]), i = 0;

	for (;; i++)
		if (k->cluster[i] == c && skip-- == 0)
			return i;
}

/* The centroids of the smallest clusters move into the largest; false where there is nothing to move. */
static bool split_large(struct kmeans *k)
{
	double limit = TOO_LARGE * k->count / k->clusters;
	bool moved = false;

	for (uint32_t c = 0; c < k->clusters; c++)
		k->order[c] = c;
	qsort_r(k->order, k->clusters, sizeof *k->order, by_size, k->size);
	for (uint32_t i = 0; i < k->clusters / 2; i++) {
		uint32_t large = k->order[i], small = k->order[k->clusters - 1 - i];

		if (k->size[large] <= limit || k->size[small] > k->size[large] / 2)
			break;
		memcpy(centroid(k, small), row(k, random_member(k, large)), k->dim * sizeof(float));
		/* Both begin anew: what the large one remembers is of the whole cell. */
		memset(k->sums + (size_t)small * k->dim, 0, k->dim * sizeof *k->sums);
		memset(k->sums + (size_t)large * k->dim, 0, k->dim * sizeof *k->sums);
		moved = true;
	}
	return moved;
}

static enum veil_status balance(struct kmeans *k, struct veil_error *err)
{
	size_t size = (size_t)k->clusters * k->dim * sizeof(float);
	uint32_t smallest_max = largest(k);
	enum veil_status st = VEIL_OK;

	memcpy(k->best, k->centroids, size);
	for (unsigned i = 0; st == VEIL_OK && i < BALANCE_MOVES && split_large(k); i++) {
		st = improve(k, BALANCE_ROUNDS, err);
		if (largest(k) >= smallest_max)
			continue;
		smallest_max = largest(k);
		memcpy(k->best, k->centroids, size);
	}
	memcpy(k->centroids, k->best, size);
	return st;
}

static enum veil_status allocate(struct kmeans *k, struct veil_error *err)
{
	size_t values = (size_t)k->clusters * k->dim;

	k->cluster = malloc(k->count * sizeof *k->cluster);
	k->score = malloc(k->count * sizeof *k->score);
	k->sums = calloc(values, sizeof *k->sums);
	k->size = malloc(k->clusters * sizeof *k->size);
	k->order = malloc(k->clusters * sizeof *k->order);
	k->best = malloc(values * sizeof *k->best);
	if (!k->cluster || !k->score || !k->sums || !k->size || !k->order || !k->best)
		return error_set(err, VEIL_E_NOMEM, "out of memory to train %u clusters", k->clusters);
	return VEIL_OK;
}

uint64_t index_kmeans_bytes(uint32_t clusters, uint32_t count, uint32_t dim)
{
	uint64_t value = 8 /* sums */ + 4 /* best */ + 4; /* packed by index_nearest */

	return (uint64_t)count * 8 + ((uint64_t)clusters + INDEX_NEAREST_LANES) * (dim * value + 8);
}

static uint32_t batch_rows(uint32_t clusters, uint32_t count)
{
	uint64_t rows = (uint64_t)clusters * BATCH_EACH;

	if (rows < BATCH_ROWS)
		rows = BATCH_ROWS;
	return rows < count ? (uint32_t)rows : count;
}

enum veil_status index_kmeans(float *centroids, uint32_t clusters, const float *rows, uint32_t count,
	uint32_t dim, const struct rng *rng, const struct exec *exec, const struct index_progress *progress,
	struct veil_error *err)
{
	struct kmeans k = {.centroids = centroids,
		.clusters = clusters,
		.rows = rows,
		.count = count,
		.dim = dim,
		.batch = batch_rows(clusters, count),
		.rng = rng,
		.exec = exec,
		.progress = progress};
	uint64_t rounds = FIRST_ROUNDS + BALANCE_MOVES * BALANCE_ROUNDS, all = 1 + BALANCE_MOVES;
	enum veil_status st;

	REQUIRE(clusters >= 1 && count >= clusters);
	k.total = clusters * ((rounds + 1) * k.batch + all * count);
	st = allocate(&k, err);
	if (st == VEIL_OK) {
		seed(&k);
		st = improve(&k, FIRST_ROUNDS, err);
	}
	if (st == VEIL_OK)
		st = balance(&k, err);
	free(k.cluster);
	free(k.score);
	free(k.sums);
	free(k.size);
	free(k.order);
	free(k.best);
	return st;
}
