/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_CONFIG_H
#define SEARCH_CONFIG_H

#include "kit/config.h"

/** The options of veild: one row each in config.def. */
struct config {
#define TEXT(id, name, meta, preset, help) char id[CONFIG_TEXT_SIZE];
#define NUMBER(id, name, meta, preset, low, high, help) uint32_t id;
#define SIZE(id, name, meta, preset, help) uint64_t id;
#define FLAG(id, name, help) bool id;
#include "search/config.def"
#undef TEXT
#undef NUMBER
#undef SIZE
#undef FLAG
};

extern const struct config_table veild_options;

#endif
