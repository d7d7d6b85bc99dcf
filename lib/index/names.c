/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "index/formats.h"
#include "index/label.h"
#include "index/lines.h"

/* Where the lines of the side file put each row: 0, or 1 + the number of its text. */
struct names {
	const struct index_vectors *v;
	struct index_lines lines;
	struct index_texts texts; /* in file order: text i is that of line i + 1 */
	uint32_t *at; /* [rows] */
};

static bool read_row(const char **at, const char *end, uint64_t *row)
{
	const char *from = *at;

	*row = 0;
	for (; *at < end && **at >= '0' && **at <= '9' && *at - from < 10; ++*at)
		*row = *row * 10 + (uint64_t)(**at - '0');
	return *at > from && *at < end && **at == '\t';
}

static enum veil_status read_line(struct names *n, const char *line, size_t size, struct veil_error *err)
{
	unsigned long long number = n->lines.number;
	const char *label = n->lines.label, *at = line, *end = line + size;
	uint64_t row;

	if (!read_row(&at, end, &row))
		return error_set(err, VEIL_E_INVALID, "%s: line %llu: not a row number, a tab and a name",
			label, number);
	at++;
	if (row >= n->v->rows)
		return error_set(err, VEIL_E_INVALID, "%s: line %llu: row %llu of %u rows", label, number,
			(unsigned long long)row, n->v->rows);
	if (n->at[row])
		return error_set(err, VEIL_E_INVALID, "%s: line %llu: row %llu was named in line %u", label,
			number, (unsigned long long)row, n->at[row]);
	if (end - at > INDEX_MAX_NAME_BYTES)
		return error_set(err, VEIL_E_INVALID, "%s: line %llu: row %llu: name longer than %u bytes",
			label, number, (unsigned long long)row, INDEX_MAX_NAME_BYTES);
	if (!index_text_valid(at, (size_t)(end - at)))
		return error_set(err, VEIL_E_INVALID,
			"%s: line %llu: row %llu: the name is not UTF-8 or holds a control character", label,
			number, (unsigned long long)row);
	if (index_texts_add(&n->texts, at, (size_t)(end - at)) != VEIL_OK)
		return error_set(err, VEIL_E_NOMEM, "%s: line %llu: out of memory", label, number);
	n->at[row] = n->texts.count;
	return VEIL_OK;
}

/* They are held twice while they are put in order. */
static enum veil_status check_memory(const struct names *n, struct veil_error *err)
{
	uint64_t bytes = n->v->rows * (uint64_t)4 + 2 * index_texts_bytes(&n->texts);

	if (!n->v->limit || bytes <= n->v->limit)
		return VEIL_OK;
	return error_set(err, VEIL_E_INVALID,
		"%s: line %llu: names are held in memory, and up to here take more than the %lluM that are "
		"left for them",
		n->lines.label, (unsigned long long)n->lines.number, (unsigned long long)(n->v->limit >> 20));
}

/* Into the order of the rows. */
static enum veil_status arrange(const struct names *n, struct index_texts *out)
{
	enum veil_status st = VEIL_OK;

	for (uint32_t i = 0; st == VEIL_OK && i < n->v->rows; i++) {
		const char *name = n->at[i] ? index_texts_get(&n->texts, n->at[i] - 1) : "";

		st = index_texts_add(out, name, strlen(name));
	}
	return st;
}

static enum veil_status read_all(struct names *n, struct veil_error *err)
{
	enum veil_status st;
	const char *line;
	size_t size;

	for (;;) {
		st = index_lines_next(&n->lines, &line, &size, err);
		if (st != VEIL_OK || !line)
			return st;
		st = read_line(n, line, size, err);
		if (st == VEIL_OK)
			st = check_memory(n, err);
		if (st != VEIL_OK)
			return st;
	}
}

enum veil_status index_vectors_read_names_fd(
	struct index_vectors *v, int fd, const char *label, struct veil_error *err)
{
	struct names n = {.v = v};
	struct index_texts arranged = {0};
	enum veil_status st;

	st = index_lines_init(&n.lines, fd, label, INDEX_MAX_LINE_BYTES, err);
	if (st != VEIL_OK)
		goto out;
	n.at = calloc(v->rows, sizeof *n.at);
	if (!n.at) {
		st = error_set(err, VEIL_E_NOMEM, "%s: out of memory for %u rows", label, v->rows);
		goto out;
	}
	st = read_all(&n, err);
	if (st != VEIL_OK)
		goto out;
	if (n.texts.count == 0) {
		st = error_set(err, VEIL_E_INVALID, "%s: empty: no names", label);
		goto out;
	}
	st = arrange(&n, &arranged);
	if (st != VEIL_OK) {
		index_texts_clear(&arranged);
		st = error_set(err, st, "%s: out of memory for %u names", label, v->rows);
		goto out;
	}
	index_texts_clear(&v->names);
	v->names = arranged;
out:
	index_lines_clear(&n.lines);
	index_texts_clear(&n.texts);
	free(n.at);
	close(fd);
	return st;
}
