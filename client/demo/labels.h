/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEMO_LABELS_H
#define DEMO_LABELS_H

#include <stdbool.h>
#include <stdint.h>

#include "veil/status.h"

/** What is known of each picture: a line of labels.tsv. */
struct label {
	char *name;
	bool heldout; /* of a class that the embedding was not trained on */
};

/** Reads row, short name, name, held out; parted by tabs, after a line of headings; rows 0, 1, 2 ... as many
 * as `count`. VEIL_E_IO, VEIL_E_INVALID name file and line. */
enum veil_status labels_read(
	struct label **out, uint32_t count, const char *path, struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts NULL. */
void labels_free(struct label *labels, uint32_t count);

#endif
