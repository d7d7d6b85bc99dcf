/* SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <stdio.h>

#include "base/cpu.h"
#include "build/commands.h"
#include "build/kv.h"
#include "build/memory.h"

static int run_kv(int argc, char **argv, bool update)
{
	const struct store_kv_options open = {.features = cpu_features()};
	struct store_kv *kv = NULL;
	struct kv_options options;
	struct kv_report report = {0};
	struct progress progress;
	struct kv_run run = {.options = &options, .progress = &progress, .report = &report};
	struct veil_error err;
	enum veil_status st;

	if (kv_options_read(&options, update, argc, argv, &err) != VEIL_OK) {
		fprintf(stderr, "veil-index %s: %s\n", argv[0], err.text);
		return EXIT_USAGE;
	}
	/* Large blocks go back to the system when they are freed: else the bound would not hold. */
	mallopt(M_MMAP_THRESHOLD, 1 << 18);
	progress_begin(&progress);
	st = update ? kv_update(&run, &err) : kv_build(&run, &err);
	kv_run_clear(&run);
	report.memory_peak = memory_peak();
	if (st == VEIL_OK) {
		progress_phase(&progress, "checking");
		st = store_kv_open(&kv, options.output, &open, &err);
	}
	progress_end(&progress);
	report.seconds = progress_now() - progress.begun;
	report.progress = &progress;
	if (st == VEIL_OK)
		st = kv_report(kv, &report, options.json, &err);
	store_kv_close(kv);
	if (st == VEIL_OK)
		return 0;
	fprintf(stderr, "veil-index %s: %s\n", argv[0], err.text);
	return 1;
}

int cmd_build_kv(int argc, char **argv)
{
	return run_kv(argc, argv, false);
}

int cmd_update_kv(int argc, char **argv)
{
	return run_kv(argc, argv, true);
}
