/* SPDX-License-Identifier: Apache-2.0 */
/* compare_search DIR URL VECTORS QUERIES PROBES: asks a server for the first QUERIES rows of VECTORS, all
 * rows of PROBES shards each, and compares every answer with plain arithmetic on the index in DIR that it
 * serves. In an exact index each score is the integer dot product and the whole ranked list is the same; else
 * each cosine is within 7 sigma. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apple/engine.h"
#include "base/cpu.h"
#include "index/label.h"
#include "secret/search.h"
#include "store/index.h"
#include "veil/client.h"
#include "veil/vectors.h"

#define SIGMAS 7

struct reference {
	struct store_index *index;
	struct engine engine;
	double *query; /* [dim], as the parameter set takes it */
	double unit; /* a dot product divided by it is the score */
	bool exact;
};

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "compare_search: %s: %s\n", what, detail);
	exit(1);
}

static void set_query(struct reference *r, const float *vector)
{
	uint32_t dim = r->index->spec.dim;
	int8_t *q = calloc(dim, 1);
	double norm = 0;

	if (!q || secret_search_quantise(r->engine.shape, q, vector, NULL) != VEIL_OK)
		die("query", "cannot be quantised");
	for (uint32_t j = 0; j < dim; j++)
		norm += (double)vector[j] * (double)vector[j];
	for (uint32_t j = 0; j < dim; j++)
		r->query[j] = r->exact ? q[j] : (double)vector[j] / sqrt(norm);
	free(q);
}

static double score(const struct reference *r, uint32_t shard, uint32_t row)
{
	uint32_t dim = r->index->spec.dim;
	const int8_t *y = r->index->shard[shard].rows + (size_t)row * dim;
	double sum = 0;

	for (uint32_t j = 0; j < dim; j++)
		sum += r->query[j] * y[j];
	return sum / r->unit;
}

/* What the shards asked hold: distinct records in the order that the answer must have, by score and record.
 */
struct expected {
	double score;
	uint32_t record;
};

static int by_record(const void *a, const void *b)
{
	const struct expected *x = a, *y = b;

	return x->record < y->record ? -1 : x->record > y->record;
}

static int by_score(const void *a, const void *b)
{
	const struct expected *x = a, *y = b;

	return x->score > y->score ? -1 : x->score < y->score ? 1 : by_record(a, b);
}

static size_t list_plainly(const struct reference *r, struct expected *list, const struct veil_cost *cost)
{
	size_t count = 0, kept = 0;

	for (uint32_t i = 0; i < cost->shards_asked; i++) {
		const struct store_shard *s = &r->index->shard[cost->shards[i]];

		for (uint32_t row = 0; row < s->used; row++)
			list[count++] = (struct expected){score(r, cost->shards[i], row),
				index_label_record(s->labels + (size_t)row * r->index->label_bytes)};
	}
	qsort(list, count, sizeof *list, by_record);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || list[i].record != list[kept - 1].record)
			list[kept++] = list[i];
	}
	qsort(list, kept, sizeof *list, by_score);
	return kept;
}

static void compare(const struct reference *r, const struct veil_hits *hits, struct expected *list)
{
	size_t count = list_plainly(r, list, veil_hits_cost(hits));
	double tolerance = r->exact ? 0 : SIGMAS * nn_noise_std(r->engine.nn, r->index->spec.row_norm);
	char what[160];

	if (veil_hits_count(hits) != count)
		die("answer", "another number of records than the shards hold");
	for (size_t i = 0; i < count; i++) {
		const struct veil_hit *hit = veil_hits_at(hits, i);
		double plain = score(r, hit->shard, hit->row);

		snprintf(what, sizeof what, "rank %zu: record %u score %.9g, plainly %.9g, record %u there",
			i + 1, hit->record, hit->score, plain, list[i].record);
		if (hit->rank != i + 1 || fabs(hit->score - plain) > tolerance)
			die(what, "the scores differ");
		if (index_label_record(r->index->shard[hit->shard].labels +
				       (size_t)hit->row * r->index->label_bytes) != hit->record)
			die(what, "that row holds another record");
		if (r->exact && (hit->record != list[i].record || hit->score != list[i].score))
			die(what, "the ranked lists differ");
		if (fabs(hit->cosine - hit->score / (r->exact ? pow(r->index->spec.scale, 2) : 1)) > 1e-12)
			die(what, "the cosine does not fit the score");
	}
}

static void open_reference(struct reference *r, const char *dir)
{
	struct veil_error err = {""};

	if (store_index_open(&r->index, dir, &err) != VEIL_OK ||
		engine_open(&r->engine, &r->index->spec, cpu_features(), &err) != VEIL_OK)
		die(dir, err.text);
	r->exact = engine_exact(r->index->spec.params);
	r->unit = r->exact ? 1 : (double)r->index->spec.scale;
	r->query = calloc(r->index->spec.dim, sizeof *r->query);
	if (!r->query)
		die(dir, "no memory");
}

int main(int argc, char **argv)
{
	struct reference r = {0};
	struct veil_client *client = NULL;
	struct veil_vectors *vectors = NULL;
	struct veil_error err = {""};
	struct expected *list;
	uint32_t queries, probes;

	if (argc != 6)
		return 2;
	queries = (uint32_t)strtoul(argv[4], NULL, 10);
	probes = (uint32_t)strtoul(argv[5], NULL, 10);
	open_reference(&r, argv[1]);
	list = calloc((size_t)probes * r.index->spec.rows, sizeof *list);
	if (!list || veil_vectors_read(&vectors, argv[3], &err) != VEIL_OK ||
		veil_client_create(&client, argv[2], &err) != VEIL_OK ||
		veil_client_refresh(client, &err) != VEIL_OK)
		die(argv[2], err.text);
	for (uint32_t i = 0; i < queries; i++) {
		const float *query = veil_vectors_row(vectors, i);
		struct veil_hits *hits;

		set_query(&r, query);
		if (veil_client_search(client, &hits, query, veil_vectors_dim(vectors), probes, VEIL_TOP_ALL,
			    &err) != VEIL_OK)
			die("search", err.text);
		compare(&r, hits, list);
		veil_hits_destroy(hits);
	}
	printf("%u queries of %u shards compared\n", queries, probes);
	veil_client_destroy(client);
	veil_vectors_destroy(vectors);
	engine_close(&r.engine);
	store_index_close(r.index);
	free(r.query);
	free(list);
	return 0;
}
