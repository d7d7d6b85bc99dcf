/* SPDX-License-Identifier: Apache-2.0 */
#include "store/kv_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/require.h"
#include "silent/offline.h"
#include "store/kv.h"
#include "store/kv_packs.h"
#include "store/opening.h"

struct store_kv_writer {
	struct store_building at;
	char now_name[STORE_NAME_SIZE]; /* of the version in force, or empty */
	struct store_kv_manifest now, manifest;
	struct kv_packs packs;
	bool written[SILENT_MAX_TABLES];
};

/* --- the version in force */

static enum veil_status read_now(struct store_kv_writer *w, struct veil_error *err)
{
	struct store_dir version = STORE_DIR_CLOSED;
	uint8_t id[HASH_BYTES], *data = NULL;
	char *label = NULL;
	size_t size = 0;
	enum veil_status st = store_current_read(w->now_name, &w->at.dir, err);

	if (st == VEIL_OK)
		st = store_dir_open(&version, &w->at.dir, w->now_name, err);
	if (st == VEIL_OK)
		st = store_opening_manifest(&data, &size, &label, id, &version, err);
	if (st == VEIL_OK)
		st = store_opening_check(id, &version, err);
	if (st == VEIL_OK && !store_kv_manifest_is(data, size))
		st = error_set(err, VEIL_E_INVALID,
			"%s: holds an index of another kind; give a directory of its own", w->at.dir.path);
	if (st == VEIL_OK)
		st = store_kv_manifest_read(&w->now, data, size, label, err);
	store_dir_close(&version);
	free(label);
	free(data);
	if (st != VEIL_OK)
		w->now_name[0] = 0;
	return st;
}

enum veil_status store_kv_writer_create(struct store_kv_writer **out, const char *dir, struct veil_error *err)
{
	struct store_kv_writer *w = calloc(1, sizeof *w);
	enum veil_status st;

	*out = NULL;
	if (!w)
		return error_set(err, VEIL_E_NOMEM, "%s: out of memory", dir);
	st = store_building_lock(&w->at, dir, err);
	if (st == VEIL_OK && store_exists(&w->at.dir, STORE_CURRENT))
		st = read_now(w, err);
	if (st != VEIL_OK) {
		store_kv_writer_destroy(w);
		return st;
	}
	*out = w;
	return VEIL_OK;
}

enum veil_status store_kv_writer_current(
	struct store_kv_writer *w, struct silent_collection *now, struct veil_error *err)
{
	if (!w->now_name[0])
		return error_set(err, VEIL_E_NOT_FOUND, "%s: no collection in it yet", w->at.dir.path);
	*now = w->now.collection;
	return VEIL_OK;
}

enum veil_status store_kv_writer_load(
	struct store_kv_writer *w, int8_t *table, unsigned t, struct veil_error *err)
{
	const struct silent_collection *c = &w->now.collection;
	const uint64_t size = store_kv_bytes(c, STORE_KV_TABLE, t);
	const uint32_t packs = silent_collection_table(c, t).table->packs;
	struct store_dir version;
	enum veil_status st = store_dir_open(&version, &w->at.dir, w->now_name, err);

	for (uint32_t p = 0; st == VEIL_OK && p < packs; p++) {
		struct store_map map = {0};
		char name[STORE_KV_NAME_SIZE];

		store_kv_name(name, STORE_KV_TABLE, t, p);
		st = store_map_file(&map, &version, name, size, w->now.pack[t][p].table_hash, err);
		if (st == VEIL_OK)
			memcpy(table + p * size, map.data, size);
		store_map_clear(&map);
	}
	store_dir_close(&version);
	return st;
}

/* --- the new one */

enum veil_status store_kv_writer_begin(
	struct store_kv_writer *w, const struct silent_collection *collection, struct veil_error *err)
{
	enum veil_status st = silent_collection_check(collection, err);

	if (st != VEIL_OK)
		return st;
	w->manifest.collection = *collection;
	if (store_kv_manifest_packs(&w->manifest) != VEIL_OK)
		return error_set(err, VEIL_E_NOMEM, "%s: out of memory", w->at.dir.path);
	return kv_packs_open(&w->packs, &w->at, &w->manifest, err);
}

/* One table being written. Packs are done at once, each by one thread. */
struct job {
	struct store_kv_writer *w;
	unsigned t;
	const struct silent_context *ctx;
	const int8_t *table;
	const struct store_kv_step *step;
	void **material; /* [packs], while it is made */
	uint8_t *constants; /* the static halves of all packs */
	bool *there; /* [packs]: both files are on the disk */
};

static const int8_t *job_table(void *state, uint32_t pack)
{
	const struct job *job = state;

	return job->table + pack * job->ctx->table_bytes;
}

/* NULL where there is none: run() sees by `there` what that leaves undone. */
static void *job_material(void *state, uint32_t pack)
{
	struct job *job = state;

	if (!job->there[pack])
		job->material[pack] = aligned_alloc(64, job->ctx->material_bytes);
	return job->material[pack];
}

static enum veil_status put_file(struct store_kv_writer *w, enum store_kv_file file, unsigned t,
	uint32_t pack, const void *data, uint64_t size, uint8_t hash[HASH_BYTES], struct veil_error *err)
{
	struct bytes part = {data, (size_t)size};
	char name[STORE_KV_NAME_SIZE];
	enum veil_status st;

	store_kv_name(name, file, t, pack);
	st = store_file_remove(&w->at.files, name, err); /* half of it, by whoever was cut off */
	return st == VEIL_OK ? store_building_put(&w->at, name, &part, 1, hash, err) : st;
}

static enum veil_status job_done(void *state, uint32_t pack, struct veil_error *err)
{
	struct job *job = state;
	const struct silent_context *ctx = job->ctx;
	struct store_kv_pack *hashes = &job->w->manifest.pack[job->t][pack];
	const struct silent_pack view = silent_pack_view(ctx, job_table(job, pack), job->material[pack]);
	enum veil_status st;

	memcpy(job->constants + pack * ctx->static_bytes, view.constant, ctx->static_bytes);
	st = put_file(
		job->w, STORE_KV_TABLE, job->t, pack, view.table, ctx->table_bytes, hashes->table_hash, err);
	if (st == VEIL_OK)
		st = put_file(job->w, STORE_KV_MATERIAL, job->t, pack, job->material[pack],
			ctx->material_bytes, hashes->material_hash, err);
	if (st == VEIL_OK)
		st = kv_packs_add(&job->w->at, job->t, pack, hashes, err);
	free(job->material[pack]);
	job->material[pack] = NULL;
	job->there[pack] = st == VEIL_OK;
	if (st == VEIL_OK && job->step)
		job->step->done(job->step->state, pack);
	return st;
}

/* Is the pack there already? Then its static half is read from its file. */
static enum veil_status take_over(struct job *job, uint32_t pack, uint32_t *reused, struct veil_error *err)
{
	struct store_kv_writer *w = job->w;
	const struct silent_context *ctx = job->ctx;
	struct store_map map = {0};
	char name[STORE_KV_NAME_SIZE];
	uint8_t hash[HASH_BYTES];
	enum veil_status st;

	hash_sha256(hash, job_table(job, pack), ctx->table_bytes);
	if (!kv_packs_whole(&w->packs, &w->at, &w->manifest, job->t, pack, hash))
		return VEIL_OK;
	store_kv_name(name, STORE_KV_MATERIAL, job->t, pack);
	st = store_file_map(&map.data, ctx->material_bytes, &w->at.files, name, err);
	if (st != VEIL_OK)
		return st;
	map.size = ctx->material_bytes;
	memcpy(job->constants + pack * ctx->static_bytes, silent_pack_view(ctx, NULL, map.data).constant,
		ctx->static_bytes);
	store_map_clear(&map);
	job->there[pack] = true;
	(*reused)++;
	if (job->step)
		job->step->done(job->step->state, pack);
	return VEIL_OK;
}

static enum veil_status run(
	struct job *job, const struct exec *exec, uint32_t *reused, struct veil_error *err)
{
	const struct silent_offline_job offline = {job, job_table, job_material, job_done};
	const uint32_t packs = job->ctx->spec.packs;
	enum veil_status st = VEIL_OK;

	for (uint32_t p = 0; p < packs && st == VEIL_OK; p++)
		st = take_over(job, p, reused, err);
	if (st == VEIL_OK)
		st = silent_offline_run(job->ctx, &offline, exec, err);
	for (uint32_t p = 0; p < packs && st == VEIL_OK; p++)
		if (!job->there[p])
			st = error_set(
				err, VEIL_E_NOMEM, "no memory to prepare pack %u of table %u", p, job->t);
	return st;
}

/* Where the manifest keeps what is said of table t. */
static struct silent_table *table_of(struct silent_collection *c, unsigned t)
{
	const struct silent_table_view view = silent_collection_table(c, t);

	return view.delta ? &c->class[view.class].delta : &c->class[view.class].base;
}

enum veil_status store_kv_writer_table(struct store_kv_writer *w, unsigned t,
	const struct silent_context *ctx, const int8_t *table, uint32_t attempt, const struct exec *exec,
	const struct store_kv_step *step, uint32_t *reused, struct veil_error *err)
{
	struct silent_table *shape = table_of(&w->manifest.collection, t);
	const uint32_t packs = shape->packs;
	const size_t constants = packs * ctx->static_bytes;
	struct job job = {.w = w, .t = t, .ctx = ctx, .table = table, .step = step};
	enum veil_status st;

	REQUIRE(ctx->spec.packs == packs && ctx->spec.rows == shape->rows && !w->written[t]);
	job.material = calloc(packs, sizeof *job.material);
	job.there = calloc(packs, sizeof *job.there);
	job.constants = calloc(1, constants);
	if (job.material && job.there && job.constants)
		st = run(&job, exec, reused, err);
	else
		st = error_set(err, VEIL_E_NOMEM, "no memory for %u packs", packs);
	if (st == VEIL_OK)
		st = put_file(w, STORE_KV_STATIC, t, 0, job.constants, constants, shape->static_hash, err);
	shape->attempt = attempt;
	w->written[t] = st == VEIL_OK;
	for (uint32_t p = 0; job.material && p < packs; p++)
		free(job.material[p]);
	free(job.material);
	free(job.there);
	free(job.constants);
	return st;
}

static enum veil_status share_file(struct store_kv_writer *w, const struct store_dir *version,
	enum store_kv_file file, unsigned t, uint32_t pack, struct veil_error *err)
{
	char name[STORE_KV_NAME_SIZE];
	enum veil_status st;

	store_kv_name(name, file, t, pack);
	st = store_file_remove(&w->at.files, name, err);
	if (st == VEIL_OK && linkat(version->fd, name, w->at.files.fd, name, 0) != 0)
		st = error_set(err, errno == ENOENT ? VEIL_E_CORRUPT : VEIL_E_IO, "%s/%s: %s", version->path,
			name, errno == ENOENT ? "missing" : strerror(errno));
	return st;
}

enum veil_status store_kv_writer_share(struct store_kv_writer *w, unsigned t, struct veil_error *err)
{
	struct silent_table *shape = table_of(&w->manifest.collection, t);
	const uint32_t packs = shape->packs;
	struct store_dir version;
	enum veil_status st = store_dir_open(&version, &w->at.dir, w->now_name, err);

	REQUIRE(w->now_name[0] && !w->written[t]);
	for (uint32_t p = 0; p < packs && st == VEIL_OK; p++) {
		st = share_file(w, &version, STORE_KV_TABLE, t, p, err);
		if (st == VEIL_OK)
			st = share_file(w, &version, STORE_KV_MATERIAL, t, p, err);
		w->manifest.pack[t][p] = w->now.pack[t][p];
	}
	if (st == VEIL_OK)
		st = share_file(w, &version, STORE_KV_STATIC, t, 0, err);
	*shape = *table_of(&w->now.collection, t);
	w->written[t] = st == VEIL_OK;
	store_dir_close(&version);
	return st;
}

/* --- the end */

static enum veil_status put_manifest(
	struct store_kv_writer *w, uint8_t id[HASH_BYTES], struct veil_error *err)
{
	struct bytes part;
	enum veil_status st;
	size_t size;
	char *text;

	if (store_kv_manifest_write(&text, &size, &w->manifest) != VEIL_OK)
		return error_set(err, VEIL_E_NOMEM, "%s: out of memory for the manifest", w->at.dir.path);
	part = (struct bytes){(const uint8_t *)text, size};
	st = store_file_remove(&w->at.files, STORE_MANIFEST, err);
	if (st == VEIL_OK)
		st = store_building_put(&w->at, STORE_MANIFEST, &part, 1, id, err);
	free(text);
	return st;
}

static bool is_whole(void *state, const char *path)
{
	struct store_kv_options options = {.features = cpu_features(), .allow_insecure = *(bool *)state};
	struct veil_error ignored;
	struct store_kv *old;
	enum veil_status st = store_kv_open(&old, path, &options, &ignored);

	store_kv_close(old);
	return st == VEIL_OK;
}

enum veil_status store_kv_writer_commit(struct store_kv_writer *w, unsigned keep, bool allow_insecure,
	uint8_t id[HASH_BYTES], struct veil_error *err)
{
	enum veil_status st;

	for (unsigned t = 0; t < silent_collection_tables(&w->manifest.collection); t++)
		REQUIRE(w->written[t]);
	st = put_manifest(w, id, err);
	if (st == VEIL_OK)
		st = kv_packs_end(&w->at, err);
	return st == VEIL_OK ? store_building_commit(&w->at, id, keep, is_whole, &allow_insecure, err) : st;
}

void store_kv_writer_destroy(struct store_kv_writer *w)
{
	if (!w)
		return;
	store_building_end(&w->at);
	kv_packs_clear(&w->packs);
	store_kv_manifest_clear(&w->now);
	store_kv_manifest_clear(&w->manifest);
	free(w);
}
