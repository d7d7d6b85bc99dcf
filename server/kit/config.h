/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_CONFIG_H
#define KIT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "veil/status.h"

/* The options of veild: one row each in config.def, as `name = value` lines of a file and as --name value
 * flags. A flag overrides the file; a name that is not in the table is an error. */

#define CONFIG_TEXT_SIZE 512

struct config {
#define TEXT(id, name, meta, preset, help) char id[CONFIG_TEXT_SIZE];
#define NUMBER(id, name, meta, preset, low, high, help) uint32_t id;
#define SIZE(id, name, meta, preset, help) uint64_t id;
#define FLAG(id, name, help) bool id;
#include "kit/config.def"
#undef TEXT
#undef NUMBER
#undef SIZE
#undef FLAG
};

enum config_action { CONFIG_RUN, CONFIG_HELP, CONFIG_VERSION };

/** Defaults, then the file of --config, then the flags. VEIL_E_INVALID or VEIL_E_IO names the option, the
 * file and the line. */
enum veil_status config_parse(struct config *config, enum config_action *action, int argc, char **argv,
	struct veil_error *err) VEIL_MUST_CHECK;

/** The text of --help. */
void config_help(FILE *out);

#endif
