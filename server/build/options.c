/* SPDX-License-Identifier: Apache-2.0 */
#include "build/options.h"

#include <stddef.h>
#include <string.h>

#include "apple/engine.h"
#include "base/error.h"
#include "build/arguments.h"
#include "index/codebook.h"
#include "index/label.h"
#include "store/manifest.h"
#include "store/versions.h"

#define AT(field) offsetof(struct build_options, field)
#define MAX_FACTOR 16 /* beyond, it would be a copy of everything everywhere */

static const struct argument options[] = {
	{"input", ARGUMENT_TEXT, AT(input), 0, 0},
	{"names", ARGUMENT_TEXT, AT(names), 0, 0},
	{"output", ARGUMENT_TEXT, AT(output), 0, 0},
	{"name", ARGUMENT_TEXT, AT(name), 0, 0},
	{"kind", ARGUMENT_TEXT, AT(kind), 0, 0},
	{"params", ARGUMENT_PARAMS, AT(params), 0, 0},
	{"shards", ARGUMENT_COUNT, AT(shards), 1, INDEX_MAX_SHARDS},
	{"terms", ARGUMENT_COUNT, AT(terms), 1, NN_MAX_DIM},
	{"label-bytes", ARGUMENT_COUNT, AT(label_bytes), 0, INDEX_MAX_LABEL_BYTES},
	{"keep", ARGUMENT_COUNT, AT(keep), 0, STORE_MAX_KEEP},
	{"threads", ARGUMENT_COUNT, AT(threads), 1, ARGUMENT_MAX_THREADS},
	{"max-copies", ARGUMENT_COUNT, AT(closure.max_copies), 1, INDEX_MAX_COPIES},
	{"replication", ARGUMENT_FACTOR, AT(closure.replication), 1, MAX_FACTOR},
	{"closure", ARGUMENT_FACTOR, AT(closure.reach), 1, MAX_FACTOR},
	{"seed", ARGUMENT_SEED, AT(seed), 0, 0},
	{"memory", ARGUMENT_SIZE, AT(memory), 0, 0},
	{"json", ARGUMENT_FLAG, AT(json), 0, 0},
	{"plan", ARGUMENT_FLAG, AT(plan), 0, 0},
	{0},
};

static enum veil_status check(const struct build_options *o, struct veil_error *err)
{
	if (!o->input)
		return error_set(err, VEIL_E_INVALID, "--input FILE is missing");
	if (o->plan && !o->sealed)
		return error_set(err, VEIL_E_INVALID, "--plan: only of --kind sealed");
	if (!o->output && !o->plan)
		return error_set(err, VEIL_E_INVALID, "--output DIR is missing");
	if (!index_label_bytes_ok(o->label_bytes))
		return error_set(err, VEIL_E_INVALID, "--label-bytes %u: neither 0 nor 4..%d", o->label_bytes,
			INDEX_MAX_LABEL_BYTES);
	if (o->names && o->label_bytes <= 4)
		return error_set(err, VEIL_E_INVALID,
			"--names: labels of %u bytes have no room for a name; see --label-bytes",
			o->label_bytes);
	if (o->name &&
		(strlen(o->name) > STORE_MAX_NAME_BYTES || !index_text_valid(o->name, strlen(o->name))))
		return error_set(err, VEIL_E_INVALID,
			"--name: not UTF-8 without control characters of at most %d bytes",
			STORE_MAX_NAME_BYTES);
	return VEIL_OK;
}

/* The kind and the set name each other. */
static enum veil_status choose_params(struct build_options *o, struct veil_error *err)
{
	const bool bfv = o->kind && strcmp(o->kind, "bfv") == 0;

	o->sealed = o->kind && strcmp(o->kind, "sealed") == 0;
	if (o->kind && !bfv && !o->sealed && strcmp(o->kind, "nn") != 0)
		return error_set(err, VEIL_E_INVALID, "--kind %s: none of nn, bfv and sealed", o->kind);
	if (!o->params)
		o->params = rlwe_params_find(bfv ? "n_8192_logq_3x36_logt_22" : "search_n2048_q28");
	if (o->kind && strcmp(o->sealed ? "nn" : o->kind, engine_name(o->params)) != 0)
		return error_set(err, VEIL_E_INVALID, "--kind %s: the set %s is for kind %s", o->kind,
			o->params->name, engine_name(o->params));
	return VEIL_OK;
}

enum veil_status build_options_read(struct build_options *o, int argc, char **argv, struct veil_error *err)
{
	enum veil_status st;

	*o = (struct build_options){
		.label_bytes = 16,
		.keep = 1,
		.threads = arguments_threads(),
		.seed = 1,
		.closure = {.reach = 1.1, .replication = 2, .max_copies = INDEX_MAX_COPIES},
	};
	st = arguments_read(o, options, argc, argv, err);
	if (st == VEIL_OK)
		st = choose_params(o, err);
	return st == VEIL_OK ? check(o, err) : st;
}

enum veil_status build_options_read_dir(
	const char **dir, bool *json, int argc, char **argv, struct veil_error *err)
{
	*dir = NULL;
	for (int i = 1; i < argc; i++) {
		if (json && strcmp(argv[i], "--json") == 0)
			*json = true;
		else if (argv[i][0] == '-')
			return error_set(err, VEIL_E_INVALID, "%s: no such option; see veil-index %s --help",
				argv[i], argv[0]);
		else if (*dir)
			return error_set(err, VEIL_E_INVALID, "%s: one directory at a time", argv[i]);
		else
			*dir = argv[i];
	}
	return *dir ? VEIL_OK : error_set(err, VEIL_E_INVALID, "the directory of the index is missing");
}
