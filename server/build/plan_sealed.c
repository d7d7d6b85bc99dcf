/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cpu.h"
#include "base/error.h"
#include "build/plan.h"
#include "index/kmeans.h"
#include "index/nearest.h"
#include "index/quantize.h"
#include "silent/sealed.h"

#define NEIGHBOURS 10
#define QUERIES 256 /* rows of the sample that are looked for */
#define WORTH_BYTES 0.05 /* of recall, for a doubling */
#define WORTH_READS 0.02

/* Bytes of a search, the static half included: words, keys, and packs of both halves. */
static void weigh(struct plan_sealed *s, const struct rlwe_params *p, uint32_t dim)
{
	const uint64_t n = 1u << p->log_n, rows = ((uint64_t)s->shards * dim + n - 1) / n * n;
	const uint64_t packs = s->room / n, keys = p->g.digits * p->g.key_bits + p->h.digits * p->h.key_bits;

	s->bytes = (rows * p->upload_bits + n * (keys + packs * (p->reply_c1_bits + p->reply_c0_bits))) / 8;
	s->reads = packs * n * (rows + p->g.digits * n * sizeof(int32_t));
}

/* A fiftieth of a shard to spare, or many rows would lie in another than their nearest. */
static struct plan_sealed shape(const struct rlwe_params *p, uint32_t shards, uint32_t rows, uint32_t dim)
{
	const double n = ldexp(1, (int)p->log_n), spare = shards > 1 ? 1.02 : 1;
	struct plan_sealed s = {.shards = shards, .recall = 1};

	s.room = (uint32_t)(ceil(spare * rows / shards / n) * n);
	weigh(&s, p, dim);
	return s;
}

uint64_t plan_sealed_bytes(const struct rlwe_params *p, uint32_t shards, uint32_t rows, uint32_t dim)
{
	struct plan_sealed s = {.shards = shards, .room = ((rows - 1) >> p->log_n) + 1};

	s.room <<= p->log_n;
	weigh(&s, p, dim);
	return s.bytes;
}

struct sample {
	const float *rows;
	uint32_t count, dim, queries;
	uint32_t *neighbour; /* [queries][NEIGHBOURS] */
	uint32_t *cluster; /* [count] */
	float *score; /* [count] */
};

/* Of query i, by insertion. */
static void find_neighbours(const struct sample *s, uint32_t i)
{
	uint32_t *best = s->neighbour + (size_t)i * NEIGHBOURS, have = 0;
	float scores[NEIGHBOURS];

	for (uint32_t r = 0; r < s->count; r++) {
		uint32_t at = have < NEIGHBOURS ? have++ : NEIGHBOURS;
		float score = 0;

		for (uint32_t j = 0; j < s->dim; j++)
			score += s->rows[(size_t)i * s->dim + j] * s->rows[(size_t)r * s->dim + j];
		if (r == i || (at == NEIGHBOURS && score <= scores[NEIGHBOURS - 1])) {
			have -= r == i && at < NEIGHBOURS;
			continue;
		}
		for (at = at < NEIGHBOURS ? at : NEIGHBOURS - 1; at > 0 && scores[at - 1] < score; at--) {
			scores[at] = scores[at - 1];
			best[at] = best[at - 1];
		}
		scores[at] = score;
		best[at] = r;
	}
}

/* The share of the neighbours that are in the cluster of their query. */
static enum veil_status estimate(struct plan_sealed *shape, const struct sample *s, const struct rng *rng,
	const struct exec *exec, struct veil_error *err)
{
	const uint32_t clusters = shape->shards;
	struct index_nearest nearest = {0};
	float *centroids = malloc((size_t)clusters * s->dim * sizeof *centroids);
	uint64_t met = 0;
	enum veil_status st;

	if (!centroids)
		return error_set(err, VEIL_E_NOMEM, "no memory to plan %u shards", clusters);
	st = index_kmeans(centroids, clusters, s->rows, s->count, s->dim, rng, exec, NULL, err);
	if (st == VEIL_OK)
		st = index_nearest_init(&nearest, centroids, clusters, s->dim, err);
	if (st == VEIL_OK) {
		index_nearest_find(&nearest, s->rows, s->count, 1, s->cluster, s->score, exec);
		for (uint32_t i = 0; i < s->queries; i++)
			for (uint32_t k = 0; k < NEIGHBOURS; k++)
				met += s->cluster[s->neighbour[i * NEIGHBOURS + k]] == s->cluster[i];
		shape->recall = (double)met / (s->queries * NEIGHBOURS);
	}
	index_nearest_clear(&nearest);
	free(centroids);
	return st;
}

static double worth(const struct plan_sealed *s)
{
	return s->recall - WORTH_BYTES * log2((double)s->bytes) - WORTH_READS * log2((double)s->reads);
}

static enum veil_status choose(struct plan_sealed_list *list, struct sample *s, const struct rng *rng,
	const struct exec *exec, struct veil_error *err)
{
	enum veil_status st = VEIL_OK;

	s->queries = s->count < QUERIES ? s->count : QUERIES;
	s->neighbour = malloc((size_t)s->queries * NEIGHBOURS * sizeof *s->neighbour);
	s->cluster = malloc(s->count * sizeof *s->cluster);
	s->score = malloc(s->count * sizeof *s->score);
	if (!s->neighbour || !s->cluster || !s->score)
		st = error_set(err, VEIL_E_NOMEM, "no memory to plan for %u rows", s->count);
	for (uint32_t i = 0; st == VEIL_OK && i < s->queries; i++)
		find_neighbours(s, i);
	for (unsigned k = 0; st == VEIL_OK && k < list->count; k++) {
		if (list->shape[k].shards > 1)
			st = estimate(&list->shape[k], s, rng, exec, err);
		if (worth(&list->shape[k]) > worth(&list->shape[list->chosen]))
			list->chosen = k;
	}
	free(s->neighbour);
	free(s->cluster);
	free(s->score);
	return st;
}

/* Rows that lie evenly in the input, as unit vectors. */
static enum veil_status read_sample(
	float *out, const struct index_vectors *vectors, uint32_t count, struct veil_error *err)
{
	const uint32_t rows = index_vectors_rows(vectors), dim = index_vectors_dim(vectors);
	enum veil_status st = VEIL_OK;

	for (uint32_t i = 0; st == VEIL_OK && i < count; i++) {
		float *row = out + (size_t)i * dim;

		st = index_vectors_read(vectors, (uint32_t)((uint64_t)i * rows / count), 1, row, err);
		if (st == VEIL_OK)
			index_normalise(row, dim);
	}
	return st;
}

enum veil_status plan_sealed(struct plan_sealed_list *list, const struct rlwe_params *p, uint32_t asked,
	const struct index_vectors *vectors, const struct rng *rng, const struct exec *exec,
	struct veil_error *err)
{
	const uint32_t rows = index_vectors_rows(vectors), dim = index_vectors_dim(vectors);
	const uint32_t most = SILENT_MAX_ROWS / dim;
	const uint32_t count = rows < PLAN_SEALED_SAMPLE ? rows : PLAN_SEALED_SAMPLE;
	struct sample s = {.count = count, .dim = dim};
	enum veil_status st = VEIL_OK;
	uint64_t least = UINT64_MAX;
	float *sample;

	if (asked > most || most == 0)
		return error_set(err, VEIL_E_INVALID,
			"--shards %u: of kind sealed at most %u of dimension %u", asked, most, dim);
	*list = (struct plan_sealed_list){0};
	if (asked)
		list->shape[list->count++] = shape(p, asked, rows, dim);
	/* Clusters of fewer than 16 rows of the sample would tell nothing; beyond twice the least bytes more
	 * shards only lose. */
	for (uint32_t k = 1; !asked && k <= most && (k == 1 || k <= count / 16); k *= 2) {
		const struct plan_sealed next = shape(p, k, rows, dim);

		if (list->count && next.bytes > 2 * least)
			break;
		least = next.bytes < least ? next.bytes : least;
		list->shape[list->count++] = next;
	}
	if (list->count == 1 || count <= NEIGHBOURS)
		return VEIL_OK;
	s.rows = sample = malloc((size_t)count * dim * sizeof *sample);
	if (!sample)
		return error_set(err, VEIL_E_NOMEM, "no memory to plan for %u rows", rows);
	st = read_sample(sample, vectors, count, err);
	if (st == VEIL_OK)
		st = choose(list, &s, rng, exec, err);
	free(sample);
	return st;
}

enum veil_status plan_sealed_check(
	const struct rlwe_params *params, uint32_t shards, const struct nn_spec *s, struct veil_error *err)
{
	const struct silent_sealed_spec spec = {.params = params,
		.clusters = shards,
		.rows = s->rows,
		.dim = s->dim,
		.row_norm = s->row_norm,
		.scale = s->scale};
	struct silent_sealed *sealed;
	struct veil_error why;
	enum veil_status st = silent_sealed_create(&sealed, &spec, cpu_features(), &why);

	silent_sealed_destroy(sealed);
	return st == VEIL_OK ? st : error_set(err, st, "--kind sealed: %.400s", why.text);
}

void plan_sealed_print(const struct plan_sealed_list *list)
{
	const struct plan_sealed *best = &list->shape[list->chosen];

	puts("  shards   rows each   bytes a search   MiB read   R@10, one search");
	for (unsigned k = 0; k < list->count; k++) {
		const struct plan_sealed *s = &list->shape[k];

		printf("%c %6u %11u %16llu %10.0f   %.3f\n", k == list->chosen ? '*' : ' ', s->shards,
			s->room, (unsigned long long)s->bytes, (double)s->reads / (1 << 20), s->recall);
	}
	printf("%u shard%s: a doubling of the bytes must find %.0f rows of 100 more, a doubling of what is "
	       "read "
	       "%.0f;\nby that the line marked * is best. Recall is estimated on a sample of the input.\n",
		best->shards, best->shards > 1 ? "s" : "", 100 * WORTH_BYTES, 100 * WORTH_READS);
}
