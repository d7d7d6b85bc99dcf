/* SPDX-License-Identifier: Apache-2.0 */
#include "index/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

enum veil_status index_lines_init(
	struct index_lines *l, int fd, const char *label, size_t limit, struct veil_error *err)
{
	memset(l, 0, sizeof *l);
	l->fd = fd;
	l->label = label;
	l->limit = limit;
	l->buffer = malloc(limit + 1);
	return l->buffer ? VEIL_OK : error_set(err, VEIL_E_NOMEM, "%s: out of memory", label);
}

static enum veil_status fill(struct index_lines *l, struct veil_error *err)
{
	ssize_t got;

	memmove(l->buffer, l->buffer + l->at, l->have - l->at);
	l->have -= l->at;
	l->at = 0;
	while (l->have <= l->limit && !l->ended) {
		got = read(l->fd, l->buffer + l->have, l->limit + 1 - l->have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set(err, VEIL_E_IO, "%s: %s", l->label, strerror(errno));
		l->have += (size_t)got;
		l->ended = got == 0;
	}
	return VEIL_OK;
}

enum veil_status index_lines_next(
	struct index_lines *l, const char **line, size_t *size, struct veil_error *err)
{
	enum veil_status st;
	char *end;

	*line = NULL;
	*size = 0;
	end = memchr(l->buffer + l->at, '\n', l->have - l->at);
	if (!end && !l->ended) {
		st = fill(l, err);
		if (st != VEIL_OK)
			return st;
		end = memchr(l->buffer, '\n', l->have);
	}
	if (l->at == l->have)
		return VEIL_OK;
	l->number++;
	if (!end && l->have - l->at > l->limit)
		return error_set(err, VEIL_E_INVALID, "%s: line %llu is longer than %zu bytes", l->label,
			(unsigned long long)l->number, l->limit);
	*line = l->buffer + l->at;
	*size = end ? (size_t)(end - *line) : l->have - l->at;
	l->at += *size + (end != NULL);
	if (*size > 0 && (*line)[*size - 1] == '\r')
		--*size;
	return VEIL_OK;
}

void index_lines_clear(struct index_lines *l)
{
	free(l->buffer);
	memset(l, 0, sizeof *l);
}
