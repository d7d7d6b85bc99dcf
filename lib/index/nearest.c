/* SPDX-License-Identifier: Apache-2.0 */
#include "index/nearest.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/require.h"

enum { LANES = INDEX_NEAREST_LANES, PIECE_ROWS = 256 };

static uint32_t blocks_of(uint32_t clusters)
{
	return (clusters + LANES - 1) / LANES;
}

enum veil_status index_nearest_init(struct index_nearest *n, const float *centroids, uint32_t clusters,
	uint32_t dim, struct veil_error *err)
{
	size_t size = (size_t)blocks_of(clusters) * dim * LANES * sizeof *n->packed;

	n->clusters = clusters;
	n->dim = dim;
	n->packed = aligned_alloc(64, size);
	if (!n->packed)
		return error_set(err, VEIL_E_NOMEM, "out of memory for %u centroids", clusters);
	memset(n->packed, 0, size);
	for (uint32_t c = 0; c < clusters; c++)
		for (uint32_t j = 0; j < dim; j++)
			n->packed[((size_t)(c / LANES) * dim + j) * LANES + c % LANES] =
				centroids[(size_t)c * dim + j];
	return VEIL_OK;
}

void index_nearest_clear(struct index_nearest *n)
{
	free(n->packed);
	memset(n, 0, sizeof *n);
}

/* As wide as every x86-64 and Arm has it: of wider ones, or of an array of floats, gcc 12 keeps the sums in
 * memory. */
typedef float vector __attribute__((vector_size(16)));
enum { VECTORS = LANES * sizeof(float) / sizeof(vector) };

/* Two rows at once, so that each centroid is loaded half as often. */
static void score_block(const float *restrict block, const float *restrict a, const float *restrict b,
	uint32_t dim, float *restrict out_a, float *restrict out_b)
{
	vector sum_a[VECTORS] = {{0}}, sum_b[VECTORS] = {{0}};

	for (uint32_t j = 0; j < dim; j++, block += LANES) {
#pragma GCC unroll 4
		for (unsigned v = 0; v < VECTORS; v++) {
			vector x;

			memcpy(&x, block + v * sizeof x / sizeof *block, sizeof x);
			sum_a[v] += a[j] * x;
			sum_b[v] += b[j] * x;
		}
	}
	memcpy(out_a, sum_a, sizeof sum_a);
	memcpy(out_b, sum_b, sizeof sum_b);
}

/* The best so far, in order. */
struct list {
	uint32_t *clusters;
	float *scores;
	uint32_t have;
	uint32_t top;
};

static void offer(struct list *list, uint32_t cluster, float score)
{
	uint32_t at;

	if (list->have == list->top && !(score > list->scores[list->top - 1]))
		return;
	if (list->have < list->top)
		list->have++;
	for (at = list->have - 1; at > 0 && score > list->scores[at - 1]; at--) {
		list->scores[at] = list->scores[at - 1];
		list->clusters[at] = list->clusters[at - 1];
	}
	list->scores[at] = score;
	list->clusters[at] = cluster;
}

struct work {
	const struct index_nearest *n;
	const float *rows;
	uint32_t count;
	uint32_t top;
	uint32_t *clusters;
	float *scores;
};

static void find_pair(const struct work *w, uint32_t first, uint32_t second)
{
	const struct index_nearest *n = w->n;
	struct list a = {w->clusters + (size_t)first * w->top, w->scores + (size_t)first * w->top, 0, w->top};
	struct list b = {
		w->clusters + (size_t)second * w->top, w->scores + (size_t)second * w->top, 0, w->top};
	float score_a[LANES], score_b[LANES];

	for (uint32_t from = 0; from < n->clusters; from += LANES) {
		uint32_t lanes = n->clusters - from < LANES ? n->clusters - from : LANES;

		score_block(n->packed + (size_t)from * n->dim, w->rows + (size_t)first * n->dim,
			w->rows + (size_t)second * n->dim, n->dim, score_a, score_b);
		for (uint32_t l = 0; l < lanes; l++) {
			offer(&a, from + l, score_a[l]);
			if (second != first)
				offer(&b, from + l, score_b[l]);
		}
	}
}

static void find_piece(void *arg, size_t piece)
{
	const struct work *w = arg;
	uint32_t at = (uint32_t)piece * PIECE_ROWS;
	uint32_t end = w->count - at < PIECE_ROWS ? w->count : at + PIECE_ROWS;

	for (; at < end; at += 2)
		find_pair(w, at, at + 1 < end ? at + 1 : at);
}

void index_nearest_find(const struct index_nearest *n, const float *rows, uint32_t count, uint32_t top,
	uint32_t *clusters, float *scores, const struct exec *exec)
{
	struct work w = {n, rows, count, top, clusters, scores};

	REQUIRE(top >= 1 && top <= n->clusters);
	exec_for(exec, ((size_t)count + PIECE_ROWS - 1) / PIECE_ROWS, find_piece, &w);
}
