/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDEX_LINES_H
#define INDEX_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

#define INDEX_MAX_LINE_BYTES (1u << 20)

/** Reads a text file line by line in bounded memory: INDEX_MAX_LINE_BYTES, or what a caller allows. */
struct index_lines {
	int fd; /* borrowed */
	const char *label; /* for errors, borrowed */
	char *buffer; /* limit + 1 */
	size_t limit; /* bytes of a line */
	size_t have; /* bytes in the buffer */
	size_t at; /* of these already given out */
	bool ended; /* nothing more to read */
	uint64_t number; /* of the line given out last, from 1 */
};

enum veil_status index_lines_init(struct index_lines *l, int fd, const char *label, size_t limit,
	struct veil_error *err) VEIL_MUST_CHECK;
/** The next line without its newline (nor the carriage return before it); *line is NULL at the end. Valid
 * until the next call. VEIL_E_IO, or VEIL_E_INVALID for a line beyond the limit. */
enum veil_status index_lines_next(
	struct index_lines *l, const char **line, size_t *size, struct veil_error *err) VEIL_MUST_CHECK;
void index_lines_clear(struct index_lines *l);

#endif
