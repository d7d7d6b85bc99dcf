/* SPDX-License-Identifier: Apache-2.0 */
#include "build/build.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/require.h"
#include "build/memory.h"
#include "build/plan.h"
#include "index/kmeans.h"
#include "index/label.h"
#include "index/nearest.h"
#include "index/quantize.h"
#include "index/random.h"
#include "index/vectors.h"
#include "store/manifest.h"
#include "store/writer.h"

#define SEALED_PARAMS "sealed_n2048_q40"

struct build {
	const struct build_options *options;
	const struct exec *exec;
	struct progress *progress;
	struct rng_seeded rng_state;
	struct rng rng;
	bool resumed;
	uint32_t reused; /* shards of an interrupted build */
	struct index_vectors *vectors;
	uint32_t rows;
	uint32_t dim;
	uint32_t piece_rows;
	float *piece; /* [piece_rows][dim], unit vectors */
	struct hash *hash; /* of what is built, see make_key */
	uint8_t key[HASH_BYTES];
	struct memory_plan memory;
	struct store_plan plan;
	struct index_closure closure;
	uint32_t terms; /* 0: still to be chosen */
	struct index_codebook codebook;
	uint32_t *nearest; /* [rows][memory.width] */
	float *distances; /* [rows][memory.width] */
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
	return b->rows - first < b->piece_rows ? b->rows - first : b->piece_rows;
}

static enum veil_status open_input(struct build *b, struct veil_error *err)
{
	const uint64_t limit = b->options->memory, fixed = memory_fixed(b->options->threads);
	enum veil_status st;

	if (limit && limit <= fixed)
		return error_set(err, VEIL_E_INVALID, "--memory: less than the %lluM that any build needs",
			(unsigned long long)(fixed >> 20) + 1);
	st = index_vectors_open_within(&b->vectors, b->options->input, limit ? limit - fixed : 0, err);
	if (st == VEIL_OK && b->options->names)
		st = index_vectors_read_names(b->vectors, b->options->names, err);
	if (st != VEIL_OK)
		return st;
	b->rows = index_vectors_rows(b->vectors);
	b->dim = index_vectors_dim(b->vectors);
	b->piece_rows = PLAN_PIECE_BYTES / (b->dim * (uint32_t)sizeof *b->piece);
	if (b->piece_rows < PLAN_PIECE_LEAST)
		b->piece_rows = PLAN_PIECE_LEAST;
	if (b->piece_rows > b->rows)
		b->piece_rows = b->rows;
	b->piece = malloc((size_t)b->piece_rows * b->dim * sizeof *b->piece);
	b->hash = hash_create();
	return b->piece && b->hash ? VEIL_OK : no_memory(b, err);
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
		hash_add(b->hash, b->piece, (size_t)count * b->dim * sizeof *b->piece);
		progress_step(b->progress, at, b->rows);
	}
	b->plan.spec.scale = index_scale(max);
	return VEIL_OK;
}

static enum veil_status fit_memory(struct build *b, struct veil_error *err)
{
	const struct build_options *o = b->options;
	const struct memory_shape shape = {.rows = b->rows,
		.dim = b->dim,
		.shards = b->plan.shards,
		.label_bytes = o->label_bytes,
		.threads = o->threads,
		.held = index_vectors_held(b->vectors),
		.closure = &b->closure};

	return memory_fit(&b->memory, &shape, o->memory, err);
}

static enum veil_status choose_sealed(struct build *b, struct veil_error *err)
{
	struct rng_seeded state;
	struct rng rng = rng_seeded_init_u64(&state, b->options->seed);
	struct plan_sealed_list list;
	enum veil_status st;

	progress_phase(b->progress, "planning");
	st = plan_sealed(&list, b->plan.sealed, b->options->shards, b->vectors, &rng, b->exec, err);
	if (st != VEIL_OK)
		return st;
	b->closure.room = list.shape[list.chosen].room;
	b->plan.shards = list.shape[list.chosen].shards;
	if (b->options->plan)
		plan_sealed_print(&list);
	else if (!b->options->shards)
		progress_say(b->progress, "%u shards: a search takes %llu bytes (--plan says why)",
			b->plan.shards, (unsigned long long)list.shape[list.chosen].bytes);
	return VEIL_OK;
}

static enum veil_status make_plan(struct build *b, struct veil_error *err)
{
	const struct build_options *o = b->options;
	const char *slash = strrchr(o->input, '/');
	enum veil_status st;
	double copies;

	b->plan.name = o->name ? o->name : slash ? slash + 1 : o->input;
	if (strlen(b->plan.name) > STORE_MAX_NAME_BYTES ||
		!index_text_valid(b->plan.name, strlen(b->plan.name)))
		b->plan.name = "index";
	b->plan.spec.params = o->params;
	b->plan.spec.dim = b->dim;
	b->plan.label_bytes = o->label_bytes;
	b->plan.records = b->rows;
	b->plan.sealed = o->sealed ? rlwe_params_find(SEALED_PARAMS) : NULL;
	b->closure = o->closure;
	if (b->plan.sealed) {
		st = choose_sealed(b, err);
		if (st != VEIL_OK || o->plan)
			return st;
	}
	st = plan_shards(
		&b->plan.shards, b->plan.sealed ? b->plan.shards : o->shards, b->rows, &b->closure, err);
	if (st != VEIL_OK)
		return st;
	copies = b->plan.shards > 1 ? o->closure.replication : 1; /* a guess, until they are assigned */
	b->plan.spec.rows = (uint32_t)fmin(ceil(copies * b->rows / b->plan.shards), NN_MAX_ROWS);
	st = plan_scale(&b->plan.spec, &b->terms, o->terms, err);
	return st == VEIL_OK ? fit_memory(b, err) : st;
}

/* Of everything that the codebook follows from: the hash holds all rows already. A new way to build needs a
 * new word at the beginning. */
static void make_key(struct build *b)
{
	const struct build_options *o = b->options;
	char text[512];
	int size = snprintf(text, sizeof text,
		"veil-index build 1 %s: %u rows of %u as %s, shards %u, terms %u, labels %u, "
		"copies %.17g %.17g %u, seed %llu, sample %u, width %u%s",
		VEIL_VERSION, b->rows, b->dim, o->params->name, b->plan.shards, b->terms, o->label_bytes,
		o->closure.reach, o->closure.replication, o->closure.max_copies, (unsigned long long)o->seed,
		b->memory.sample, b->memory.width, o->sealed ? ", sealed" : "");

	REQUIRE(size > 0 && (size_t)size < sizeof text);
	hash_add(b->hash, text, (size_t)size + 1);
	hash_add(b->hash, b->plan.name, strlen(b->plan.name) + 1);
	for (uint32_t i = 0; i < b->rows; i++) {
		const char *name = index_vectors_name(b->vectors, i);

		hash_add(b->hash, name, strlen(name) + 1);
	}
	hash_end(b->hash, b->key);
}

/* Of everything that the shards follow from. */
static void make_shards_key(struct build *b)
{
	const struct index_assignment *a = &b->assignment;
	const struct nn_spec *spec = &b->plan.spec;
	uint8_t numbers[16];

	store_le32(numbers, spec->rows);
	store_le32(numbers + 4, spec->terms);
	store_le32(numbers + 8, spec->row_norm);
	store_le32(numbers + 12, a->shards);
	hash_reset(b->hash);
	hash_add(b->hash, b->key, sizeof b->key);
	hash_add(b->hash, numbers, sizeof numbers);
	hash_add(b->hash, &spec->scale, sizeof spec->scale);
	hash_add(b->hash, a->start, ((size_t)a->shards + 1) * sizeof *a->start);
	hash_add(b->hash, a->row, a->used * sizeof *a->row);
	hash_end(b->hash, b->plan.key);
}

/* Knuth's selection sampling: each row with the same probability, read in file order. They are put down in
 * random order: the input may be sorted, and training takes them batch by batch. */
static enum veil_status take_sample(struct build *b, float *sample, uint32_t *place, struct veil_error *err)
{
	uint32_t wanted = b->memory.sample, taken = 0;
	enum veil_status st = VEIL_OK;

	for (uint32_t i = 0; i < wanted; i++)
		place[i] = i;
	index_random_shuffle(&b->rng, place, wanted);
	for (uint32_t r = 0; st == VEIL_OK && taken < wanted; r++) {
		if (wanted < b->rows && index_random_below(&b->rng, b->rows - r) >= wanted - taken)
			continue;
		st = read_rows(b, r, 1, sample + (size_t)place[taken++] * b->dim, err);
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
	uint32_t count = b->memory.sample;
	enum veil_status st;
	uint32_t *place;
	float *sample;

	b->codebook.shards = b->plan.shards;
	b->codebook.dim = b->dim;
	b->codebook.centroids = malloc((size_t)b->plan.shards * b->dim * sizeof *b->codebook.centroids);
	sample = malloc((size_t)count * b->dim * sizeof *sample);
	place = malloc((size_t)count * sizeof *place);
	st = b->codebook.centroids && sample && place ? VEIL_OK : no_memory(b, err);
	if (st == VEIL_OK)
		st = take_sample(b, sample, place, err);
	free(place);
	if (st == VEIL_OK)
		st = index_kmeans(b->codebook.centroids, b->plan.shards, sample, count, b->dim, &b->rng,
			b->exec, &progress, err);
	free(sample);
	return st;
}

/* The codebook, from an earlier build that was cut off or by training; then it is kept for a later one. */
static enum veil_status make_codebook(struct build *b, struct veil_error *err)
{
	const char *dir = b->options->output;
	enum store_left left;
	enum veil_status st;

	make_key(b);
	progress_phase(b->progress, "clustering");
	st = store_writer_resume(&b->writer, dir, b->key, &left, &b->codebook, err);
	if (st != VEIL_OK)
		return st;
	if (left == STORE_LEFT_OTHER)
		progress_say(b->progress,
			"%s: an interrupted build of another input or other options (or a damaged one) was "
			"removed; starting afresh",
			dir);
	if (left == STORE_LEFT_CODEBOOK) {
		b->resumed = true;
		progress_say(
			b->progress, "%s: going on with an interrupted build: its clusters are there", dir);
		return VEIL_OK;
	}
	st = train(b, err);
	return st == VEIL_OK ? store_writer_save(b->writer, &b->codebook, err) : st;
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

	for (uint32_t at = 0, count; at < b->rows; at += count) {
		float *scores = b->distances + (size_t)at * b->memory.width;
		uint32_t largest;

		count = piece_at(b, at);
		st = read_rows(b, at, count, b->piece, err);
		if (st != VEIL_OK)
			return st;
		index_nearest_find(n, b->piece, count, b->memory.width,
			b->nearest + (size_t)at * b->memory.width, scores, b->exec);
		for (size_t i = 0; i < (size_t)count * b->memory.width; i++)
			scores[i] = sqrtf(fmaxf(0, 2 - 2 * scores[i])); /* between unit vectors */
		largest = largest_norm2(b, count);
		norm2 = largest > norm2 ? largest : norm2;
		progress_step(b->progress, at, b->rows);
	}
	b->plan.spec.row_norm = index_norm_ceil(norm2);
	return VEIL_OK;
}

/* Numbers that do not depend on whether training has drawn any. */
static struct rng assign_rng(struct rng_seeded *state, uint64_t seed)
{
	uint8_t text[16] = "assign", start[HASH_BYTES];

	store_le64(text + 8, seed);
	hash_sha256(start, text, sizeof text);
	return rng_seeded_init(state, start);
}

static enum veil_status assign(struct build *b, struct veil_error *err)
{
	struct index_nearest nearest = {0};
	struct rng_seeded state;
	struct rng rng = assign_rng(&state, b->options->seed);
	enum veil_status st;

	progress_phase(b->progress, "assigning");
	b->nearest = malloc((size_t)b->rows * b->memory.width * sizeof *b->nearest);
	b->distances = malloc((size_t)b->rows * b->memory.width * sizeof *b->distances);
	if (!b->nearest || !b->distances)
		return no_memory(b, err);
	st = index_nearest_init(&nearest, b->codebook.centroids, b->plan.shards, b->dim, err);
	if (st != VEIL_OK)
		return st;
	st = find_nearest(b, &nearest, err);
	index_nearest_clear(&nearest);
	if (st == VEIL_OK)
		st = index_assign(&b->assignment, b->nearest, b->distances, b->memory.width, b->rows,
			b->plan.shards, &b->closure, &rng, err);
	free(b->nearest);
	free(b->distances);
	b->nearest = NULL;
	b->distances = NULL;
	if (st != VEIL_OK)
		return st;
	b->plan.spec.rows = b->assignment.rows;
	st = plan_terms(&b->plan.spec, b->terms, err);
	return st == VEIL_OK && b->plan.sealed
		       ? plan_sealed_check(b->plan.sealed, b->plan.shards, &b->plan.spec, err)
		       : st;
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
	make_shards_key(b);
	if (st == VEIL_OK)
		st = store_writer_begin(b->writer, &b->plan, &b->codebook, err);
	for (uint32_t s = 0; st == VEIL_OK && s < b->plan.shards; s++)
		b->reused += store_writer_has(b->writer, s);
	if (st == VEIL_OK && b->reused)
		progress_say(b->progress, "%s: %u of %u shards are there and whole", b->options->output,
			b->reused, b->plan.shards);
	for (uint32_t s = 0; st == VEIL_OK && s < b->plan.shards; s++) {
		if (store_writer_has(b->writer, s))
			continue;
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
	if (st == VEIL_OK && options->plan)
		goto out;
	if (st == VEIL_OK) /* the writer comes before the long work, so that two builders meet early */
		st = make_codebook(&b, err);
	if (st == VEIL_OK)
		st = assign(&b, err);
	if (st == VEIL_OK)
		st = write_shards(&b, err);
	if (st == VEIL_OK)
		st = store_writer_commit(b.writer, options->keep, id, err);
	if (st == VEIL_OK)
		*report = (struct report_build){.moved = b.assignment.moved,
			.bytes = store_writer_bytes(b.writer),
			.sample = b.memory.sample,
			.width = b.memory.width,
			.memory_planned = b.memory.bytes,
			.resumed = b.resumed,
			.reused = b.reused};
out:
	store_writer_destroy(b.writer);
	index_assignment_clear(&b.assignment);
	index_codebook_clear(&b.codebook);
	index_vectors_close(b.vectors);
	free(b.nearest);
	free(b.distances);
	free(b.piece);
	hash_destroy(b.hash);
	return st;
}
