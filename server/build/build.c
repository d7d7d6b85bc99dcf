/* SPDX-License-Identifier: Apache-2.0 */
#include "build/build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "build/plan.h"
#include "index/kmeans.h"
#include "index/label.h"
#include "index/nearest.h"
#include "index/quantize.h"
#include "index/random.h"
#include "index/vectors.h"
#include "store/manifest.h"
#include "store/writer.h"

enum {
	PIECE_ROWS = 4096, /* rows read at once */
	SAMPLE_MIN = 65536, /* rows to train on, or all */
	SAMPLE_ROWS = 256, /* for each shard, where that is more */
	LEAST_SCALE = 100, /* below, int8 would lose too much */
};

struct build {
	const struct build_options *options;
	const struct exec *exec;
	struct progress *progress;
	struct rng_seeded rng_state;
	struct rng rng;
	struct index_vectors *vectors;
	uint32_t rows;
	uint32_t dim;
	float *piece; /* [PIECE_ROWS][dim], unit vectors */
	struct store_plan plan;
	uint32_t terms; /* 0: still to be chosen */
	struct index_codebook codebook;
	uint32_t width; /* candidates of a row */
	uint32_t *nearest; /* [rows][width] */
	float *distances; /* [rows][width] */
	struct index_assignment assignment;
	struct store_writer *writer;
};

static enum veil_status no_memory(const struct build *b, struct veil_error *err)
{
	return error_set(err, VEIL_E_NOMEM, "%s: out of memory for %u rows", b->options->input, b->rows);
}

/* The next rows as unit vectors, into `out`. */
static enum veil_status read_rows(
	const struct build *b, uint32_t first, uint32_t count, float *out, struct veil_error *err)
{
	enum veil_status st = index_vectors_read(b->vectors, first, count, out, err);

	for (uint32_t i = 0; st == VEIL_OK && i < count; i++)
		index_normalise(out + (size_t)i * b->dim, b->dim);
	return st;
}

static uint32_t piece_at(const struct build *b, uint32_t first)
{
	return b->rows - first < PIECE_ROWS ? b->rows - first : PIECE_ROWS;
}

static enum veil_status open_input(struct build *b, struct veil_error *err)
{
	enum veil_status st = index_vectors_open(&b->vectors, b->options->input, err);

	if (st == VEIL_OK && b->options->names)
		st = index_vectors_read_names(b->vectors, b->options->names, err);
	if (st != VEIL_OK)
		return st;
	b->rows = index_vectors_rows(b->vectors);
	b->dim = index_vectors_dim(b->vectors);
	b->piece = malloc((size_t)PIECE_ROWS * b->dim * sizeof *b->piece);
	return b->piece ? VEIL_OK : no_memory(b, err);
}

/* Every row is read and checked before anything is written. */
static enum veil_status scan(struct build *b, struct veil_error *err)
{
	enum veil_status st;
	float max = 0;

	progress_phase(b->progress, "reading");
	for (uint32_t at = 0, count; at < b->rows; at += count) {
		count = piece_at(b, at);
		st = read_rows(b, at, count, b->piece, err);
		if (st != VEIL_OK)
			return st;
		max = fmaxf(max, index_max_abs(b->piece, count * b->dim));
		progress_step(b->progress, at, b->rows);
	}
	b->plan.spec.scale = index_scale(max);
	return VEIL_OK;
}

/* Nonsense is refused before the long work; rows are a guess until they are assigned, norms a bound. */
static enum veil_status try_scale(const struct build *b, float scale, uint32_t *terms, struct veil_error *err)
{
	struct nn_spec guess = b->plan.spec;
	double copies = b->plan.shards > 1 ? b->options->closure.replication : 1;
	enum veil_status st;

	guess.scale = scale;
	guess.rows = (uint32_t)fmin(ceil(copies * b->rows / b->plan.shards), NN_MAX_ROWS);
	guess.row_norm =
		(uint32_t)ceil(scale + sqrt(b->dim) / 2); /* each coordinate is off by a half at most */
	st = plan_terms(&guess, b->terms, err);
	*terms = guess.terms;
	return st;
}

/* What an exact set can decode bounds its scale as int8 does: the terms come first, by traffic, then the
 * largest scale that they allow. */
static enum veil_status fit_scale(struct build *b, struct veil_error *err)
{
	float scale = b->plan.spec.scale;
	uint32_t terms;
	enum veil_status st;

	b->terms = b->options->terms;
	if (b->plan.spec.params->use != RLWE_USE_SEARCH_EXACT)
		return try_scale(b, scale, &terms, err);
	st = try_scale(b, fminf(scale, LEAST_SCALE), &b->terms, err);
	if (st != VEIL_OK)
		return st;
	while (scale > LEAST_SCALE && try_scale(b, scale, &terms, NULL) != VEIL_OK)
		scale = fmaxf(scale * 0.98f, LEAST_SCALE);
	b->plan.spec.scale = scale;
	return VEIL_OK;
}

static enum veil_status make_plan(struct build *b, struct veil_error *err)
{
	const struct build_options *o = b->options;
	const char *slash = strrchr(o->input, '/');
	enum veil_status st;

	b->plan.name = o->name ? o->name : slash ? slash + 1 : o->input;
	if (strlen(b->plan.name) > STORE_MAX_NAME_BYTES ||
		!index_text_valid(b->plan.name, strlen(b->plan.name)))
		b->plan.name = "index";
	b->plan.spec.params = o->params;
	b->plan.spec.dim = b->dim;
	b->plan.label_bytes = o->label_bytes;
	b->plan.records = b->rows;
	st = plan_shards(&b->plan.shards, o->shards, b->rows, &o->closure, err);
	return st == VEIL_OK ? fit_scale(b, err) : st;
}

/* Knuth's selection sampling: each row with the same probability, in file order. */
static enum veil_status take_sample(struct build *b, float *sample, uint32_t wanted, struct veil_error *err)
{
	enum veil_status st = VEIL_OK;
	uint32_t taken = 0;

	for (uint32_t r = 0; st == VEIL_OK && taken < wanted; r++) {
		if (wanted < b->rows && index_random_below(&b->rng, b->rows - r) >= wanted - taken)
			continue;
		st = read_rows(b, r, 1, sample + (size_t)taken++ * b->dim, err);
	}
	return st;
}

static void train_step(void *state, uint64_t done, uint64_t total)
{
	progress_step(state, done, total);
}

static enum veil_status train(struct build *b, struct veil_error *err)
{
	const struct index_progress progress = {train_step, b->progress};
	uint64_t wanted = (uint64_t)b->plan.shards * SAMPLE_ROWS;
	enum veil_status st;
	float *sample;

	progress_phase(b->progress, "clustering");
	if (wanted < SAMPLE_MIN)
		wanted = SAMPLE_MIN;
	if (wanted > b->rows)
		wanted = b->rows;
	b->codebook.shards = b->plan.shards;
	b->codebook.dim = b->dim;
	b->codebook.centroids = malloc((size_t)b->plan.shards * b->dim * sizeof *b->codebook.centroids);
	sample = malloc((size_t)wanted * b->dim * sizeof *sample);
	st = b->codebook.centroids && sample ? VEIL_OK : no_memory(b, err);
	if (st == VEIL_OK)
		st = take_sample(b, sample, (uint32_t)wanted, err);
	if (st == VEIL_OK)
		st = index_kmeans(b->codebook.centroids, b->plan.shards, sample, (uint32_t)wanted, b->dim,
			&b->rng, b->exec, &progress, err);
	free(sample);
	return st;
}

static uint32_t largest_norm2(const struct build *b, uint32_t count)
{
	int8_t row[INDEX_MAX_DIM];
	uint32_t max = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t norm2;

		index_quantise(row, b->piece + (size_t)i * b->dim, b->dim, b->plan.spec.scale);
		norm2 = index_norm2(row, b->dim);
		max = norm2 > max ? norm2 : max;
	}
	return max;
}

/* Candidates and the bound of the norms, in one pass. */
static enum veil_status find_nearest(struct build *b, const struct index_nearest *n, struct veil_error *err)
{
	uint32_t norm2 = 1;
	enum veil_status st;

	progress_phase(b->progress, "assigning");
	for (uint32_t at = 0, count; at < b->rows; at += count) {
		float *scores = b->distances + (size_t)at * b->width;
		uint32_t largest;

		count = piece_at(b, at);
		st = read_rows(b, at, count, b->piece, err);
		if (st != VEIL_OK)
			return st;
		index_nearest_find(
			n, b->piece, count, b->width, b->nearest + (size_t)at * b->width, scores, b->exec);
		for (size_t i = 0; i < (size_t)count * b->width; i++)
			scores[i] = sqrtf(fmaxf(0, 2 - 2 * scores[i])); /* between unit vectors */
		largest = largest_norm2(b, count);
		norm2 = largest > norm2 ? largest : norm2;
		progress_step(b->progress, at, b->rows);
	}
	b->plan.spec.row_norm = index_norm_ceil(norm2);
	return VEIL_OK;
}

static enum veil_status assign(struct build *b, struct veil_error *err)
{
	struct index_nearest nearest = {0};
	enum veil_status st;

	b->width = b->plan.shards < INDEX_MAX_COPIES ? b->plan.shards : INDEX_MAX_COPIES;
	b->nearest = malloc((size_t)b->rows * b->width * sizeof *b->nearest);
	b->distances = malloc((size_t)b->rows * b->width * sizeof *b->distances);
	if (!b->nearest || !b->distances)
		return no_memory(b, err);
	st = index_nearest_init(&nearest, b->codebook.centroids, b->plan.shards, b->dim, err);
	if (st != VEIL_OK)
		return st;
	st = find_nearest(b, &nearest, err);
	index_nearest_clear(&nearest);
	if (st == VEIL_OK)
		st = index_assign(&b->assignment, b->nearest, b->distances, b->width, b->rows, b->plan.shards,
			&b->options->closure, &b->rng, err);
	if (st != VEIL_OK)
		return st;
	b->plan.spec.rows = b->assignment.rows;
	return plan_terms(&b->plan.spec, b->terms, err);
}

static enum veil_status write_shard(
	struct build *b, uint32_t shard, int8_t *rows, uint8_t *labels, struct veil_error *err)
{
	const uint32_t *row = b->assignment.row + b->assignment.start[shard];
	uint32_t used = (uint32_t)(b->assignment.start[shard + 1] - b->assignment.start[shard]);
	uint32_t width = b->plan.label_bytes;
	enum veil_status st;

	memset(rows, 0, (size_t)b->plan.spec.rows * b->dim);
	for (uint32_t i = 0; i < b->plan.spec.rows; i++) {
		bool padding = i >= used;

		if (width)
			index_label_write(labels + (size_t)i * width, width,
				padding ? INDEX_NO_RECORD : row[i],
				padding ? "" : index_vectors_name(b->vectors, row[i]));
		if (padding)
			continue;
		st = read_rows(b, row[i], 1, b->piece, err);
		if (st != VEIL_OK)
			return st;
		index_quantise(rows + (size_t)i * b->dim, b->piece, b->dim, b->plan.spec.scale);
	}
	return store_writer_shard(b->writer, shard, rows, labels, used, err);
}

static enum veil_status write_shards(struct build *b, struct veil_error *err)
{
	int8_t *rows = malloc((size_t)b->plan.spec.rows * b->dim);
	uint8_t *labels = malloc((size_t)b->plan.spec.rows * b->plan.label_bytes + 1);
	enum veil_status st = rows && labels ? VEIL_OK : no_memory(b, err);

	progress_phase(b->progress, "writing");
	if (st == VEIL_OK)
		st = store_writer_begin(b->writer, &b->plan, &b->codebook, err);
	for (uint32_t s = 0; st == VEIL_OK && s < b->plan.shards; s++) {
		st = write_shard(b, s, rows, labels, err);
		progress_step(b->progress, s, b->plan.shards);
	}
	free(rows);
	free(labels);
	return st;
}

enum veil_status build_index(const struct build_options *options, const struct exec *exec,
	struct progress *progress, struct report_build *report, struct veil_error *err)
{
	struct build b = {.options = options, .exec = exec, .progress = progress};
	uint8_t id[HASH_BYTES];
	enum veil_status st;

	b.rng = rng_seeded_init_u64(&b.rng_state, options->seed);
	st = open_input(&b, err);
	if (st == VEIL_OK)
		st = scan(&b, err);
	if (st == VEIL_OK)
		st = make_plan(&b, err);
	if (st == VEIL_OK) /* before the long work, so that two builders meet early */
		st = store_writer_create(&b.writer, options->output, err);
	if (st == VEIL_OK)
		st = train(&b, err);
	if (st == VEIL_OK)
		st = assign(&b, err);
	if (st == VEIL_OK)
		st = write_shards(&b, err);
	if (st == VEIL_OK)
		st = store_writer_commit(b.writer, options->keep, id, err);
	if (st == VEIL_OK)
		*report = (struct report_build){
			.moved = b.assignment.moved, .bytes = store_writer_bytes(b.writer)};
	store_writer_destroy(b.writer);
	index_assignment_clear(&b.assignment);
	index_codebook_clear(&b.codebook);
	index_vectors_close(b.vectors);
	free(b.nearest);
	free(b.distances);
	free(b.piece);
	return st;
}
