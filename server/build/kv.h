/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_KV_H
#define BUILD_KV_H

#include "base/exec.h"
#include "build/progress.h"
#include "index/pairs.h"
#include "silent/arrange.h"
#include "store/kv.h"

/** What `veil-index build-kv` and `update-kv` were asked to do. Texts belong to argv. */
struct kv_options {
	const char *input;
	const char *output;
	const char *name; /* NULL: that of the input file */
	const char *classes; /* NULL: one, of the longest value */
	uint32_t keys;
	uint32_t keep;
	uint32_t threads;
	uint64_t memory; /* bytes; 0: no bound */
	bool number;
	bool no_delta;
	bool json;
};

/** `update`: of update-kv. VEIL_E_INVALID names the option. */
enum veil_status kv_options_read(
	struct kv_options *o, bool update, int argc, char **argv, struct veil_error *err) VEIL_MUST_CHECK;
/** --classes "BYTES[/CHUNKS],...", or one for values of up to `longest` bytes. */
enum veil_status kv_options_classes(struct silent_plan *plan, const struct kv_options *o, size_t longest,
	struct veil_error *err) VEIL_MUST_CHECK;

/** What only a builder knows. */
struct kv_report {
	uint64_t memory_planned; /* bytes that it was to stay within */
	uint64_t memory_peak;
	uint32_t threads; /* that it took */
	uint32_t reused; /* packs of a build that was cut off */
	uint32_t changes; /* of an update */
	const struct progress *progress;
	double seconds;
};

/** Work that both do: progress of the packs of a table, from any thread. */
struct kv_run {
	const struct kv_options *options;
	struct progress *progress;
	struct kv_report *report;
	struct index_pairs pairs;
	struct silent_entry *entries; /* [pairs.count], views of it */
};

/** Reads options->input. To be cleared in any case. */
enum veil_status kv_run_read(struct kv_run *run, bool changes, struct veil_error *err) VEIL_MUST_CHECK;
void kv_run_clear(struct kv_run *run);

struct store_kv_writer;
/** Makes and writes one table of `c`, which fill(arg, ...) has put in; tables are zero before. */
enum veil_status kv_run_table(struct kv_run *run, struct store_kv_writer *w,
	const struct silent_collection *c, unsigned t,
	enum veil_status (*fill)(struct kv_run *run, struct store_kv_writer *w,
		const struct silent_collection *c, unsigned t, const struct silent_context *ctx,
		int8_t *table, uint32_t *attempt, struct veil_error *err),
	struct veil_error *err) VEIL_MUST_CHECK;

/** Bytes of memory that building `c` takes with so many threads, the input aside. */
uint64_t kv_memory(const struct silent_collection *c, uint32_t threads);

enum veil_status kv_build(struct kv_run *run, struct veil_error *err) VEIL_MUST_CHECK;
enum veil_status kv_update(struct kv_run *run, struct veil_error *err) VEIL_MUST_CHECK;

/** A collection in numbers, on stdout. `built` may be NULL. VEIL_E_IO. */
enum veil_status kv_report(const struct store_kv *kv, const struct kv_report *built, bool json,
	struct veil_error *err) VEIL_MUST_CHECK;

#endif
