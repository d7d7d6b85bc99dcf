/* SPDX-License-Identifier: Apache-2.0 */
#include "index/pairs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/error.h"
#include "index/label.h"
#include "index/pairs_inside.h"

void index_pairs_show(char out[INDEX_SHOWN_KEY], const void *key, size_t key_bytes)
{
	const uint8_t *bytes = key;
	size_t size = key_bytes < 40 ? key_bytes : 40;

	while (size < key_bytes && size > 0 && (bytes[size] & 0xc0) == 0x80) /* not inside a character */
		size--;
	for (size_t i = 0; i < size; i++)
		out[i] = (char)bytes[i];
	if (!index_text_valid(out, size))
		for (size_t i = 0; i < size; i++)
			out[i] = bytes[i] >= ' ' && bytes[i] < 0x7f ? (char)bytes[i] : '?';
	snprintf(out + size, INDEX_SHOWN_KEY - size, "%s", size < key_bytes ? "..." : "");
}

enum veil_status pairs_refuse(const struct index_pairs *p, uint64_t line, const void *key, size_t key_bytes,
	struct veil_error *err, const char *what)
{
	char shown[INDEX_SHOWN_KEY];

	if (!key)
		return error_set(
			err, VEIL_E_INVALID, "%s: line %llu: %s", p->label, (unsigned long long)line, what);
	index_pairs_show(shown, key, key_bytes);
	return error_set(err, VEIL_E_INVALID, "%s: line %llu: key \"%s\": %s", p->label,
		(unsigned long long)line, shown, what);
}

static enum veil_status grow(struct index_pairs *p, size_t more, uint64_t line, struct veil_error *err)
{
	size_t room = p->room, pairs = p->pair_room;
	struct index_pair *pair;
	uint8_t *data;

	while (room - p->used < more)
		room = 2 * room + 4096;
	pairs = p->count < pairs ? pairs : 2 * pairs + 64;
	if (p->limit && room + pairs * sizeof *pair > p->limit)
		return error_set(err, VEIL_E_INVALID,
			"%s: line %llu: up to here more than the %lluM of --memory that are left for the "
			"input",
			p->label, (unsigned long long)line, (unsigned long long)(p->limit >> 20));
	data = room > p->room ? realloc(p->data, room) : p->data;
	if (data) {
		p->data = data;
		p->room = room;
	}
	pair = pairs > p->pair_room ? reallocarray(p->pair, pairs, sizeof *pair) : p->pair;
	if (pair) {
		p->pair = pair;
		p->pair_room = pairs;
	}
	if (!data || !pair)
		return error_set(err, VEIL_E_NOMEM, "%s: line %llu: out of memory", p->label,
			(unsigned long long)line);
	return VEIL_OK;
}

enum veil_status pairs_add(struct index_pairs *p, const void *key, size_t key_bytes, const void *value,
	size_t value_bytes, bool gone, uint64_t line, struct veil_error *err)
{
	enum veil_status st;

	if (key && (key_bytes < 1 || key_bytes > INDEX_MAX_KEY_BYTES))
		return pairs_refuse(p, line, key, key_bytes, err,
			key_bytes ? "longer than 1024 bytes" : "a key is never empty");
	if (value_bytes > INDEX_MAX_VALUE_BYTES)
		return pairs_refuse(p, line, key, key_bytes, err, "its value is longer than 1048576 bytes");
	st = grow(p, key_bytes + value_bytes + 1, line, err);
	if (st != VEIL_OK)
		return st;
	p->pair[p->count++] = (struct index_pair){.key = p->used,
		.value = p->used + key_bytes,
		.key_bytes = (uint32_t)key_bytes,
		.value_bytes = (uint32_t)value_bytes,
		.gone = gone,
		.line = line};
	if (key_bytes)
		memcpy(p->data + p->used, key, key_bytes);
	p->used += key_bytes;
	if (value_bytes)
		memcpy(p->data + p->used, value, value_bytes);
	p->used += value_bytes;
	return VEIL_OK;
}

/* --- no key twice */

static int compare(const void *a, const void *b, void *arg)
{
	const struct index_pairs *p = arg;
	const struct index_pair *x = &p->pair[*(const size_t *)a], *y = &p->pair[*(const size_t *)b];
	const size_t size = x->key_bytes < y->key_bytes ? x->key_bytes : y->key_bytes;
	int order = memcmp(p->data + x->key, p->data + y->key, size);

	if (order == 0 && x->key_bytes != y->key_bytes)
		order = x->key_bytes < y->key_bytes ? -1 : 1;
	return order;
}

static enum veil_status check_distinct(struct index_pairs *p, struct veil_error *err)
{
	size_t *order = calloc(p->count, sizeof *order), first = 0, second = SIZE_MAX;
	const struct index_pair *twice;
	char shown[INDEX_SHOWN_KEY];

	if (!order)
		return error_set(err, VEIL_E_NOMEM, "%s: out of memory for %zu keys", p->label, p->count);
	for (size_t i = 0; i < p->count; i++)
		order[i] = i;
	qsort_r(order, p->count, sizeof *order, compare, p);
	for (size_t i = 1; i < p->count; i++) {
		const size_t a = order[i - 1] < order[i] ? order[i - 1] : order[i];
		const size_t b = order[i - 1] + order[i] - a;

		if (compare(&order[i - 1], &order[i], p) == 0 && b < second) {
			first = a;
			second = b;
		}
	}
	free(order);
	if (second == SIZE_MAX)
		return VEIL_OK;
	twice = &p->pair[second];
	index_pairs_show(shown, p->data + twice->key, twice->key_bytes);
	return error_set(err, VEIL_E_INVALID, "%s: line %llu: key \"%s\" was in line %llu already", p->label,
		(unsigned long long)twice->line, shown, (unsigned long long)p->pair[first].line);
}

/* --- files */

static enum veil_status read_lines(
	struct index_pairs *p, const struct index_pairs_form *form, bool json, struct veil_error *err)
{
	int fd = open(p->label, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct index_lines lines = {0};
	uint8_t *scratch = NULL;
	const char *line = "";
	enum veil_status st;
	size_t size;

	if (fd < 0)
		return error_set(err, VEIL_E_IO, "%s: %s", p->label, strerror(errno));
	st = index_lines_init(&lines, fd, p->label, PAIRS_MAX_LINE_BYTES, err);
	if (st == VEIL_OK && !(scratch = malloc(PAIRS_MAX_LINE_BYTES)))
		st = error_set(err, VEIL_E_NOMEM, "%s: out of memory", p->label);
	while (st == VEIL_OK && line) {
		st = index_lines_next(&lines, &line, &size, err);
		if (st == VEIL_OK && line)
			st = (json ? pairs_json_line : pairs_tsv_line)(
				p, form, line, size, lines.number, scratch, err);
	}
	index_lines_clear(&lines);
	free(scratch);
	close(fd);
	return st;
}

static bool ends(const char *path, const char *ending)
{
	const size_t size = strlen(path), end = strlen(ending);

	return size > end && strcasecmp(path + size - end, ending) == 0;
}

enum veil_status index_pairs_read(
	struct index_pairs *p, const char *path, const struct index_pairs_form *form, struct veil_error *err)
{
	enum veil_status st;

	*p = (struct index_pairs){.label = path, .limit = form->limit};
	if (ends(path, ".tsv"))
		st = read_lines(p, form, false, err);
	else if (ends(path, ".jsonl") || ends(path, ".ndjson"))
		st = read_lines(p, form, true, err);
	else if (ends(path, ".mdb") && !form->numbered)
		st = pairs_lmdb(p, path, err);
	else
		st = error_set(err, VEIL_E_UNSUPPORTED, "%s: unknown ending; known are .tsv .jsonl .ndjson%s",
			path, form->numbered ? "" : " .mdb");
	if (st == VEIL_OK && p->count == 0)
		st = error_set(err, VEIL_E_INVALID, "%s: empty: no row in it", path);
	return st == VEIL_OK && !form->numbered ? check_distinct(p, err) : st;
}

void index_pairs_clear(struct index_pairs *p)
{
	free(p->data);
	free(p->pair);
	memset(p, 0, sizeof *p);
}
