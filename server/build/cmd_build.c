/* SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <stdio.h>

#include "build/build.h"
#include "build/commands.h"
#include "build/memory.h"
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
	/* Large blocks go back to the system when they are freed: else the bound would not hold. */
	mallopt(M_MMAP_THRESHOLD, 1 << 18);
	exec = threads_exec(&options.threads);
	progress_begin(&progress);
	st = build_index(&options, &exec, &progress, &report, &err);
	if (st == VEIL_OK && !options.plan) {
		progress_phase(&progress, "checking");
		st = store_index_open(&index, options.output, &err);
	}
	progress_end(&progress);
	report.seconds = progress_now() - progress.begun;
	report.memory_peak = memory_peak();
	report.progress = &progress;
	if (st == VEIL_OK && !options.plan)
		st = report_index(index, &report, options.json, &err);
	store_index_close(index);
	if (st == VEIL_OK)
		return 0;
	fprintf(stderr, "veil-index build: %s\n", err.text);
	return 1;
}
