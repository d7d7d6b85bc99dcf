/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "apple/engine.h"
#include "base/cpu.h"
#include "base/error.h"
#include "build/commands.h"
#include "build/kv.h"
#include "build/options.h"
#include "build/plan.h"
#include "store/check.h"

/* Would a server take it? */
static enum veil_status check_spec(const struct store_index *index, const char *dir, struct veil_error *err)
{
	struct engine engine;
	struct veil_error why;
	enum veil_status st = engine_open(&engine, &index->spec, cpu_features(), &why);

	engine_close(&engine);
	if (st == VEIL_OK && index->sealed)
		st = plan_sealed_check(index->sealed, index->shards, &index->spec, &why);
	return st == VEIL_OK ? st : error_set(err, st, "%s: %.300s", dir, why.text);
}

static enum veil_status verify(const char *dir, struct veil_error *err)
{
	struct store_index *index = NULL;
	char id[HASH_HEX_SIZE];
	enum veil_status st = store_index_open(&index, dir, err);

	if (st == VEIL_OK)
		st = store_index_check(index, err);
	if (st == VEIL_OK)
		st = check_spec(index, dir, err);
	if (st == VEIL_OK) {
		hash_hex(id, index->id);
		printf("%s: version v%.16s is whole: %u shards, %llu rows\n", dir, id, index->shards,
			(unsigned long long)index->records);
	}
	store_index_close(index);
	return st;
}

/* Opening reads and compares all there is. */
static enum veil_status verify_kv(const char *dir, struct veil_error *err)
{
	const struct store_kv_options open = {.features = cpu_features()};
	struct store_kv *kv;
	char id[HASH_HEX_SIZE];
	enum veil_status st = store_kv_open(&kv, dir, &open, err);

	if (st == VEIL_OK) {
		hash_hex(id, kv->id);
		printf("%s: version v%.16s is whole: %u tables, %llu records\n", dir, id, kv->tables,
			(unsigned long long)kv->collection.records);
	}
	store_kv_close(kv);
	return st;
}

int cmd_verify(int argc, char **argv)
{
	struct veil_error err;
	const char *dir;

	if (build_options_read_dir(&dir, NULL, argc, argv, &err) != VEIL_OK) {
		fprintf(stderr, "veil-index verify: %s\n", err.text);
		return EXIT_USAGE;
	}
	if ((store_kv_is(dir) ? verify_kv(dir, &err) : verify(dir, &err)) == VEIL_OK)
		return 0;
	fprintf(stderr, "veil-index verify: %s\n", err.text);
	return 1;
}
