/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_OPTIONS_H
#define BUILD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "index/assign.h"
#include "rlwe/params.h"
#include "veil/status.h"

/** What `veil-index build` was asked to do. Texts belong to argv. */
struct build_options {
	const char *input;
	const char *names; /* NULL: none */
	const char *output;
	const char *name; /* NULL: that of the input file */
	const char *kind; /* "nn", "bfv" or "sealed"; NULL: what params are for */
	const struct rlwe_params *params;
	uint32_t shards; /* 0: the builder chooses */
	uint32_t terms; /* 0: the builder chooses */
	uint32_t label_bytes;
	uint32_t keep;
	uint32_t threads;
	uint64_t seed;
	uint64_t memory; /* bytes; 0: no bound */
	struct index_closure closure;
	bool json;
	bool sealed; /* of that kind */
	bool plan; /* says what it would choose, and builds nothing */
};

/** VEIL_E_INVALID names the option and what it may be. `argv` begins with the name of the command. */
enum veil_status build_options_read(
	struct build_options *o, int argc, char **argv, struct veil_error *err) VEIL_MUST_CHECK;

/** `info` and `verify`: one directory and, where `json` is not NULL, --json. */
enum veil_status build_options_read_dir(
	const char **dir, bool *json, int argc, char **argv, struct veil_error *err) VEIL_MUST_CHECK;

#endif
