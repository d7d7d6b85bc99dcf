/* SPDX-License-Identifier: Apache-2.0 */
#include "demo/labels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum veil_status fail(
	struct veil_error *err, enum veil_status st, const char *path, uint32_t line, const char *reason)
{
	snprintf(err->text, sizeof err->text, "%s: line %u: %s", path, line, reason);
	return st;
}

static enum veil_status read_line(
	struct label *label, uint32_t row, char *line, const char *path, struct veil_error *err)
{
	char *field[4] = {line, NULL, NULL, NULL}, *end;

	line[strcspn(line, "\n")] = 0;
	for (int i = 1; i < 4; i++) {
		field[i] = strchr(field[i - 1], '\t');
		if (!field[i])
			return fail(err, VEIL_E_INVALID, path, row + 2, "not four columns");
		*field[i]++ = 0;
	}
	if (strtoul(field[0], &end, 10) != row || end == field[0] || *end)
		return fail(err, VEIL_E_INVALID, path, row + 2, "the rows are not 0, 1, 2 ...");
	if (strcmp(field[3], "0") != 0 && strcmp(field[3], "1") != 0)
		return fail(err, VEIL_E_INVALID, path, row + 2, "the last column is not 0 or 1");
	label->heldout = field[3][0] == '1';
	label->name = strdup(field[2]);
	return label->name ? VEIL_OK : fail(err, VEIL_E_NOMEM, path, row + 2, "no memory");
}

enum veil_status labels_read(struct label **out, uint32_t count, const char *path, struct veil_error *err)
{
	struct label *labels = calloc(count, sizeof *labels);
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	enum veil_status st = VEIL_OK;

	*out = NULL;
	if (!file || !labels)
		st = fail(err, VEIL_E_IO, path, 1, file ? "no memory" : strerror(errno));
	if (st == VEIL_OK && getline(&line, &room, file) < 0)
		st = fail(err, VEIL_E_INVALID, path, 1, "no headings");
	for (uint32_t row = 0; st == VEIL_OK && row < count; row++) {
		if (getline(&line, &room, file) < 0)
			st = fail(err, VEIL_E_INVALID, path, row + 2, "the file ends before the vectors do");
		else
			st = read_line(&labels[row], row, line, path, err);
	}
	free(line);
	if (file)
		fclose(file);
	if (st != VEIL_OK) {
		labels_free(labels, count);
		return st;
	}
	*out = labels;
	return VEIL_OK;
}

void labels_free(struct label *labels, uint32_t count)
{
	if (!labels)
		return;
	for (uint32_t i = 0; i < count; i++)
		free(labels[i].name);
	free(labels);
}
