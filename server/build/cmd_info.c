/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/cpu.h"
#include "build/commands.h"
#include "build/kv.h"
#include "build/options.h"
#include "build/report.h"

static enum veil_status info(const char *dir, bool json, struct veil_error *err)
{
	struct store_index *index = NULL;
	enum veil_status st = store_index_open(&index, dir, err);

	if (st == VEIL_OK)
		st = report_index(index, NULL, json, err);
	store_index_close(index);
	return st;
}

static enum veil_status info_kv(const char *dir, bool json, struct veil_error *err)
{
	const struct store_kv_options open = {.features = cpu_features()};
	struct store_kv *kv;
	enum veil_status st = store_kv_open(&kv, dir, &open, err);

	if (st == VEIL_OK)
		st = kv_report(kv, NULL, json, err);
	store_kv_close(kv);
	return st;
}

int cmd_info(int argc, char **argv)
{
	struct veil_error err;
	enum veil_status st;
	bool json = false;
	const char *dir;

	if (build_options_read_dir(&dir, &json, argc, argv, &err) != VEIL_OK) {
		fprintf(stderr, "veil-index info: %s\n", err.text);
		return EXIT_USAGE;
	}
	st = store_kv_is(dir) ? info_kv(dir, json, &err) : info(dir, json, &err);
	if (st == VEIL_OK)
		return 0;
	fprintf(stderr, "veil-index info: %s\n", err.text);
	return 1;
}
