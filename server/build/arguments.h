/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_ARGUMENTS_H
#define BUILD_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

/* Options of a command as data: "--name VALUE" or "--name=VALUE" into the fields of a struct. */

enum argument_kind {
	ARGUMENT_FLAG, /* bool */
	ARGUMENT_TEXT, /* const char * */
	ARGUMENT_COUNT, /* uint32_t in min..max */
	ARGUMENT_SEED, /* uint64_t */
	ARGUMENT_SIZE, /* uint64_t bytes, from 1M to 1T; K, M, G, T count 1024 */
	ARGUMENT_FACTOR, /* double in min..max */
	ARGUMENT_PARAMS, /* const struct rlwe_params *, of a search */
};

struct argument {
	const char *name; /* NULL ends a list */
	enum argument_kind kind;
	size_t offset;
	double min, max;
};

#define ARGUMENT_MAX_THREADS 256

/** argv begins with the name of the command. VEIL_E_INVALID names the option and what it may be. */
enum veil_status arguments_read(void *out, const struct argument *known, int argc, char **argv,
	struct veil_error *err) VEIL_MUST_CHECK;
/** One a processor. */
uint32_t arguments_threads(void);

#endif
