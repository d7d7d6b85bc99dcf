/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/config.h"

static const struct config_option options[] = {
#define TEXT(id, name, meta, preset, help) \
	{CONFIG_TEXT, name, meta, preset, help, offsetof(struct config, id), 0, 0},
#define NUMBER(id, name, meta, preset, low, high, help) \
	{CONFIG_NUMBER, name, meta, #preset, help, offsetof(struct config, id), low, high},
#define SIZE(id, name, meta, preset, help) \
	{CONFIG_SIZE, name, meta, #preset, help, offsetof(struct config, id), 0, 0},
#include "relay/config.def"
#undef TEXT
#undef NUMBER
#undef SIZE
};

const struct config_table relay_options = {options, sizeof options / sizeof *options};
