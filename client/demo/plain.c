/* SPDX-License-Identifier: Apache-2.0 */
#include "demo/plain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double norm(const float *vector, uint32_t dim)
{
	double sum = 0;

	for (uint32_t j = 0; j < dim; j++)
		sum += (double)vector[j] * vector[j];
	return sqrt(sum);
}

static double quantise(double x)
{
	return fmax(-127, fmin(127, nearbyint(x)));
}

enum veil_status plain_create(struct plain **out, const struct veil_vectors *database,
	const struct veil_index_info *info, struct veil_error *err)
{
	struct plain *p = calloc(1, sizeof *p);
	size_t count = veil_vectors_count(database), dim = veil_vectors_dim(database);

	*out = NULL;
	if (dim != info->dim || count != info->records) {
		snprintf(err->text, sizeof err->text,
			"the index has %llu records of %u numbers, the file %zu of %zu",
			(unsigned long long)info->records, info->dim, count, dim);
		free(p);
		return VEIL_E_INVALID;
	}
	if (p) {
		p->count = (uint32_t)count;
		p->dim = (uint32_t)dim;
		p->scale = info->scale;
		p->exact = info->exact;
		p->unit = calloc(count, dim * sizeof *p->unit);
		p->row = calloc(count, dim);
		p->twin = calloc(count, sizeof *p->twin);
		p->score = calloc(count, sizeof *p->score);
	}
	if (!p || !p->unit || !p->row || !p->twin || !p->score) {
		snprintf(err->text, sizeof err->text, "no memory for %zu records", count);
		plain_destroy(p);
		return VEIL_E_NOMEM;
	}
	for (uint32_t i = 0; i < count; i++) {
		const float *from = veil_vectors_row(database, i);
		double length = norm(from, p->dim);

		for (size_t j = 0; j < dim; j++) {
			p->unit[i * dim + j] = (float)(from[j] / length);
			p->row[i * dim + j] = (int8_t)quantise(p->scale * (double)p->unit[i * dim + j]);
		}
		while (memcmp(veil_vectors_row(database, p->twin[i]), from, dim * sizeof *from) != 0)
			p->twin[i]++; /* ends at i itself */
	}
	*out = p;
	return VEIL_OK;
}

void plain_destroy(struct plain *plain)
{
	if (!plain)
		return;
	free(plain->unit);
	free(plain->row);
	free(plain->twin);
	free(plain->score);
	free(plain);
}

uint32_t plain_rank_hits(const struct plain *plain, const struct veil_hits *hits, uint32_t truth)
{
	for (size_t i = 0; i < veil_hits_count(hits); i++) {
		const struct veil_hit *hit = veil_hits_at(hits, i);

		if (hit->record < plain->count && plain->twin[hit->record] == plain->twin[truth])
			return hit->rank;
	}
	return PLAIN_NOWHERE;
}

/* Rank of the best twin of truth by plain->score; a score of -INFINITY is no candidate. */
static uint32_t rank(const struct plain *plain, uint32_t truth)
{
	uint32_t best = PLAIN_NOWHERE, before = 0;

	for (uint32_t i = 0; i < plain->count; i++) {
		if (plain->twin[i] == plain->twin[truth] && plain->score[i] > -INFINITY &&
			(best == PLAIN_NOWHERE || plain->score[i] > plain->score[best]))
			best = i;
	}
	if (best == PLAIN_NOWHERE)
		return PLAIN_NOWHERE;
	for (uint32_t i = 0; i < plain->count; i++)
		before += plain->score[i] > plain->score[best] ||
			  (plain->score[i] == plain->score[best] && i < best);
	return before + 1;
}

uint32_t plain_rank_int8(
	const struct plain *plain, const struct veil_hits *hits, const float *query, uint32_t truth)
{
	double factor = (plain->exact ? plain->scale : 1) / norm(query, plain->dim);

	for (uint32_t i = 0; i < plain->count; i++)
		plain->score[i] = -INFINITY;
	for (size_t i = 0; i < veil_hits_count(hits); i++) {
		uint32_t record = veil_hits_at(hits, i)->record;
		const int8_t *row = plain->row + (size_t)record * plain->dim;
		double score = 0;

		if (record >= plain->count)
			continue;
		for (uint32_t j = 0; j < plain->dim; j++)
			score += row[j] * (plain->exact ? quantise(factor * (double)query[j])
							: factor * (double)query[j]);
		plain->score[record] = score;
	}
	return rank(plain, truth);
}

uint32_t plain_rank_float(const struct plain *plain, const float *query, uint32_t truth)
{
	for (uint32_t i = 0; i < plain->count; i++) {
		const float *row = plain->unit + (size_t)i * plain->dim;
		double score = 0;

		for (uint32_t j = 0; j < plain->dim; j++)
			score += (double)row[j] * (double)query[j];
		plain->score[i] = score;
	}
	return rank(plain, truth);
}
