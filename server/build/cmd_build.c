/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "build/build.h"
#include "build/commands.h"
#include "build/threads.h"

int cmd_build(int argc, char **argv)
{
	struct store_index *index = NULL;
	struct report_build report = {0};
	struct build_options options;
	struct progress progress;
	struct veil_error err;
	enum veil_status st;
	struct exec exec;

	if (build_options_read(&options, argc, argv, &err) != VEIL_OK) {
		fprintf(stderr, "veil-index build: %s\n", err.text);
		return EXIT_USAGE;
	}
	exec = threads_exec(&options.threads);
	progress_begin(&progress);
	st = build_index(&options, &exec, &progress, &report, &err);
	progress_end(&progress);
	report.seconds = progress_now() - progress.begun;
	if (st == VEIL_OK)
		st = store_index_open(&index, options.output, &err);
	if (st == VEIL_OK)
		st = report_index(index, &report, options.json, &err);
	store_index_close(index);
	if (st == VEIL_OK)
		return 0;
	fprintf(stderr, "veil-index build: %s\n", err.text);
	return 1;
}
