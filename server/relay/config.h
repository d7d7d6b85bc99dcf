/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RELAY_CONFIG_H
#define RELAY_CONFIG_H

#include "kit/config.h"

/** The options of veil-relay: one row each in config.def. */
struct config {
#define TEXT(id, name, meta, preset, help) char id[CONFIG_TEXT_SIZE];
#define NUMBER(id, name, meta, preset, low, high, help) uint32_t id;
#define SIZE(id, name, meta, preset, help) uint64_t id;
#include "relay/config.def"
#undef TEXT
#undef NUMBER
#undef SIZE
};

extern const struct config_table relay_options;

#endif
