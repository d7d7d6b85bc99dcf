/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>

#include "veil/client.h"
#include "veil/doctor.h"
#include "veil/lookup.h"
#include "veil/privacy.h"

/** What the commands print to stdout: for people, or with --json one object whose members keep their names
 * and meaning (docs/man/veil.1). Returns an exit status (cli.h). */
/** Prints it and a newline, and takes it; NULL: there was no memory for it. */
int output_json(json_t *object);
int output_info(const struct veil_index_info *info, int json);
int output_vector(const char *image, const float *vector, uint32_t dim, int json);
/** What a search found, as one object; `mode`: "direct", "relay" or "crowd". NULL: no memory. */
json_t *output_pack_hits(const struct veil_hits *hits, const char *mode);
/** Prints such an object, which it takes; it may have come from an agent. */
int output_answer(json_t *answer, int json);
/** What came back of keys[first], keys[first + 1], ... of a lookup, and its cost. */
int output_values(const struct veil_collection_info *info, const struct veil_key *keys, uint32_t first,
	uint32_t count, const struct veil_values *values, int json);
/** A line of it, as it comes; and with --json all, which it frees: `checks` begins as NULL. */
void output_check(const struct veil_check *check);
void output_add_check(json_t **checks, const struct veil_check *check);
int output_checks(json_t *checks, int good);
int output_plan(const struct veil_privacy_figures *figures, int json);
int output_spending(const struct veil_privacy_spending *spending, int json);

#endif
