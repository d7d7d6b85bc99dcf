/* SPDX-License-Identifier: Apache-2.0 */
/* make_index DIR SHARDS ROWS LABEL_BYTES [SEED [TERMS [DIM [SEALED-SET]]]]: writes a small index of random
 * rows and labels with the compact parameter set, the same for the same arguments, so that tests of veild
 * need no data and no clustering. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "rlwe/params.h"
#include "store/writer.h"

#define DIM 32 /* unless the last argument says otherwise */
#define MAX_DIM 1024
#define SCALE 120

static float fill_vector(float *v, uint32_t dim, struct rng rng)
{
	float norm = 0;

	for (uint32_t i = 0; i < dim; i++) {
		int8_t r;

		rng_fill(&rng, &r, 1);
		v[i] = r;
		norm += v[i] * v[i];
	}
	norm = sqrtf(norm);
	for (uint32_t i = 0; i < dim; i++)
		v[i] /= norm;
	return norm;
}

static enum veil_status write_shard(struct store_writer *w, const struct store_plan *plan, uint32_t shard,
	struct rng rng, struct veil_error *err)
{
	size_t rows = plan->spec.rows, dim = plan->spec.dim;
	int8_t *data = calloc(rows, dim);
	uint8_t *labels = calloc(rows, plan->label_bytes + 1);
	enum veil_status st = VEIL_E_NOMEM;
	float v[MAX_DIM];

	for (size_t i = 0; data && i + 1 < rows; i++) { /* one row of padding */
		fill_vector(v, plan->spec.dim, rng);
		for (size_t j = 0; j < dim; j++)
			data[i * dim + j] = (int8_t)lrintf(v[j] * (SCALE - 1));
	}
	if (labels)
		rng_fill(&rng, labels, (rows - 1) * plan->label_bytes);
	if (data && labels)
		st = store_writer_shard(w, shard, data, labels, plan->spec.rows - 1, err);
	free(data);
	free(labels);
	return st;
}

int main(int argc, char **argv)
{
	struct store_plan plan = {.name = "test index",
		.spec = {.dim = DIM, .terms = 2, .row_norm = SCALE, .scale = SCALE - 1}};
	struct rng_seeded state;
	struct rng rng = rng_seeded_init_u64(&state, argc > 5 ? strtoull(argv[5], NULL, 10) : 1);
	struct veil_error err = {{0}};
	struct index_codebook codebook = {.dim = DIM};
	struct store_writer *w = NULL;
	enum veil_status st;
	uint8_t id[HASH_BYTES];

	if (argc < 5 || argc > 9)
		return 2;
	plan.spec.params = rlwe_params_find("search_n2048_q28");
	plan.shards = codebook.shards = (uint32_t)strtoul(argv[2], NULL, 10);
	plan.spec.rows = (uint32_t)strtoul(argv[3], NULL, 10);
	plan.label_bytes = (uint32_t)strtoul(argv[4], NULL, 10);
	if (argc > 6)
		plan.spec.terms = (uint32_t)strtoul(argv[6], NULL, 10);
	if (argc > 7)
		plan.spec.dim = codebook.dim = (uint32_t)strtoul(argv[7], NULL, 10);
	if (argc > 8)
		plan.sealed = rlwe_params_find(argv[8]);
	if (plan.spec.dim > MAX_DIM)
		return 2;
	plan.records = (uint64_t)plan.shards * (plan.spec.rows - 1);
	codebook.centroids = calloc(codebook.shards, plan.spec.dim * sizeof(float));
	if (!codebook.centroids)
		return 1;
	for (uint32_t i = 0; i < codebook.shards; i++)
		fill_vector(codebook.centroids + i * plan.spec.dim, plan.spec.dim, rng);
	st = store_writer_create(&w, argv[1], &err);
	if (st == VEIL_OK)
		st = store_writer_begin(w, &plan, &codebook, &err);
	for (uint32_t i = 0; i < plan.shards && st == VEIL_OK; i++)
		st = write_shard(w, &plan, i, rng, &err);
	if (st == VEIL_OK)
		st = store_writer_commit(w, 1, id, &err);
	if (st != VEIL_OK)
		fprintf(stderr, "make_index: %s\n", err.text);
	store_writer_destroy(w);
	index_codebook_clear(&codebook);
	return st != VEIL_OK;
}
