/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_CONFIG_H
#define KIT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "veil/status.h"

/* The options of a daemon, as `name = value` lines of a file and as --name value flags. A flag overrides the
 * file; a name that is not in the daemon's table is an error. */

#define CONFIG_TEXT_SIZE 512

enum config_kind {
	CONFIG_TEXT, /* char [CONFIG_TEXT_SIZE] */
	CONFIG_NUMBER, /* uint32_t */
	CONFIG_SIZE, /* uint64_t, bytes */
	CONFIG_FLAG, /* bool */
};

struct config_option {
	enum config_kind kind;
	const char *name;
	const char *meta; /* what --help calls the value */
	const char *preset; /* as it would be typed */
	const char *help;
	size_t offset; /* in the daemon's struct */
	uint32_t low, high; /* of a number */
};

struct config_table {
	const struct config_option *options;
	size_t count;
};

enum config_action { CONFIG_RUN, CONFIG_HELP, CONFIG_VERSION };

/** Into the daemon's struct, all zeros: the presets, then the file of --config, then the flags.
 * VEIL_E_INVALID or VEIL_E_IO names the option, the file and the line. */
enum veil_status config_parse(void *config, enum config_action *action, const struct config_table *table,
	int argc, char **argv, struct veil_error *err) VEIL_MUST_CHECK;

/** The text of --help. */
void config_help(FILE *out, const struct config_table *table);

#endif
