/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "apple/engine.h"
#include "base/cpu.h"
#include "base/error.h"
#include "build/commands.h"
#include "build/options.h"
#include "store/check.h"

/* Would a server take it? */
static enum veil_status check_spec(const struct store_index *index, const char *dir, struct veil_error *err)
{
	struct engine engine;
	struct veil_error why;
	enum veil_status st = engine_open(&engine, &index->spec, cpu_features(), &why);

	if (st != VEIL_OK)
		return error_set(err, st, "%s: %.300s", dir, why.text);
	engine_close(&engine);
	return VEIL_OK;
}

int cmd_verify(int argc, char **argv)
{
	struct store_index *index = NULL;
	char id[HASH_HEX_SIZE];
	struct veil_error err;
	enum veil_status st;
	const char *dir;

	if (build_options_read_dir(&dir, NULL, argc, argv, &err) != VEIL_OK) {
		fprintf(stderr, "veil-index verify: %s\n", err.text);
		return EXIT_USAGE;
	}
	st = store_index_open(&index, dir, &err);
	if (st == VEIL_OK)
		st = store_index_check(index, &err);
	if (st == VEIL_OK)
		st = check_spec(index, dir, &err);
	if (st == VEIL_OK) {
		hash_hex(id, index->id);
		printf("%s: version v%.16s is whole: %u shards, %llu rows\n", dir, id, index->shards,
			(unsigned long long)index->records);
	} else {
		fprintf(stderr, "veil-index verify: %s\n", err.text);
	}
	store_index_close(index);
	return st == VEIL_OK ? 0 : 1;
}
