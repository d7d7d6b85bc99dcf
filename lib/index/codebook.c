/* SPDX-License-Identifier: Apache-2.0 */
#include "index/codebook.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/require.h"
#include "index/vectors.h"

#define HEADER_BYTES 16
static const char magic[8] = {'V', 'E', 'I', 'L', 'C', 'B', 'K', '1'};

size_t index_codebook_bytes(uint32_t shards, uint32_t dim)
{
	return HEADER_BYTES + (size_t)shards * dim * 4;
}

void index_codebook_write(const struct index_codebook *cb, uint8_t *out)
{
	size_t values = (size_t)cb->shards * cb->dim;
	struct writer w;

	writer_init(&w, out, index_codebook_bytes(cb->shards, cb->dim));
	writer_bytes(&w, magic, sizeof magic);
	writer_u32(&w, cb->shards);
	writer_u32(&w, cb->dim);
	for (size_t i = 0; i < values; i++)
		writer_f32(&w, cb->centroids[i]);
}

/* Centroids are compared with each other, so a long one would draw every query to itself. */
static bool is_unit(const float *v, uint32_t dim)
{
	double sum = 0;

	for (uint32_t j = 0; j < dim; j++)
		sum += (double)v[j] * v[j];
	return fabs(sum - 1) < 1e-3;
}

static enum veil_status check_values(const struct index_codebook *cb, struct veil_error *err)
{
	for (uint32_t s = 0; s < cb->shards; s++) {
		const float *c = cb->centroids + (size_t)s * cb->dim;

		for (uint32_t j = 0; j < cb->dim; j++)
			if (!isfinite(c[j]))
				return error_set(err, VEIL_E_MALFORMED,
					"codebook: coordinate %u of centroid %u is not a finite number", j,
					s);
		if (!is_unit(c, cb->dim))
			return error_set(
				err, VEIL_E_MALFORMED, "codebook: centroid %u is not a unit vector", s);
	}
	return VEIL_OK;
}

enum veil_status index_codebook_read(
	struct index_codebook *cb, const void *data, size_t size, struct veil_error *err)
{
	struct index_codebook got = {0};
	enum veil_status st;
	const uint8_t *mark;
	struct reader r;

	memset(cb, 0, sizeof *cb);
	reader_init(&r, data, size);
	mark = reader_view(&r, sizeof magic);
	got.shards = reader_u32(&r);
	got.dim = reader_u32(&r);
	if (r.failed)
		return error_set(err, VEIL_E_MALFORMED, "codebook: %zu bytes, shorter than its header", size);
	if (memcmp(mark, magic, sizeof magic) != 0)
		return error_set(err, VEIL_E_MALFORMED, "codebook: does not begin with VEILCBK1");
	if (got.shards < 1 || got.shards > INDEX_MAX_SHARDS)
		return error_set(err, VEIL_E_MALFORMED, "codebook: %u shards, not in 1..%u", got.shards,
			INDEX_MAX_SHARDS);
	if (got.dim < 1 || got.dim > INDEX_MAX_DIM)
		return error_set(err, VEIL_E_MALFORMED, "codebook: dimension %u, not in 1..%u", got.dim,
			INDEX_MAX_DIM);
	if (size != index_codebook_bytes(got.shards, got.dim))
		return error_set(err, VEIL_E_MALFORMED,
			"codebook: %zu bytes where %u shards of dimension %u need %zu", size, got.shards,
			got.dim, index_codebook_bytes(got.shards, got.dim));
	got.centroids = malloc((size_t)got.shards * got.dim * sizeof *got.centroids);
	if (!got.centroids)
		return error_set(err, VEIL_E_NOMEM, "codebook: out of memory for %u centroids", got.shards);
	for (size_t i = 0; i < (size_t)got.shards * got.dim; i++)
		got.centroids[i] = reader_f32(&r);
	REQUIRE(reader_done(&r));
	st = check_values(&got, err);
	if (st != VEIL_OK)
		index_codebook_clear(&got);
	else
		*cb = got;
	return st;
}

void index_codebook_clear(struct index_codebook *cb)
{
	if (!cb)
		return;
	free(cb->centroids);
	memset(cb, 0, sizeof *cb);
}

static double dot(const float *a, const float *b, uint32_t dim)
{
	double sum = 0;

	for (uint32_t j = 0; j < dim; j++)
		sum += (double)a[j] * b[j];
	return sum;
}

void index_codebook_nearest(
	const struct index_codebook *cb, const float *vector, uint32_t *shards, uint32_t probes)
{
	uint32_t have = 0;

	REQUIRE(probes >= 1 && probes <= cb->shards);
	for (uint32_t s = 0; s < cb->shards; s++) {
		double score = dot(cb->centroids + (size_t)s * cb->dim, vector, cb->dim);
		uint32_t at = have;

		/* Few probes: an insertion into the list of the best, recomputing the score of those it
		 * passes. */
		while (at > 0 &&
			score > dot(cb->centroids + (size_t)shards[at - 1] * cb->dim, vector, cb->dim))
			at--;
		if (at == probes)
			continue;
		if (have < probes)
			have++;
		memmove(shards + at + 1, shards + at, (have - at - 1) * sizeof *shards);
		shards[at] = s;
	}
}
