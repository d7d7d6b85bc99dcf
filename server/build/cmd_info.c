/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "build/commands.h"
#include "build/options.h"
#include "build/report.h"

int cmd_info(int argc, char **argv)
{
	struct store_index *index = NULL;
	struct veil_error err;
	enum veil_status st;
	bool json = false;
	const char *dir;

	if (build_options_read_dir(&dir, &json, argc, argv, &err) != VEIL_OK) {
		fprintf(stderr, "veil-index info: %s\n", err.text);
		return EXIT_USAGE;
	}
	st = store_index_open(&index, dir, &err);
	if (st == VEIL_OK)
		st = report_index(index, NULL, json, &err);
	store_index_close(index);
	if (st == VEIL_OK)
		return 0;
	fprintf(stderr, "veil-index info: %s\n", err.text);
	return 1;
}
