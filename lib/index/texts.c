/* SPDX-License-Identifier: Apache-2.0 */
#include "index/texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/require.h"

static enum veil_status make_room(struct index_texts *t, size_t size)
{
	if (t->room - t->used < size) {
		size_t room = t->room * 2 + size + 1024;
		char *data = realloc(t->data, room);

		if (!data)
			return VEIL_E_NOMEM;
		t->data = data;
		t->room = room;
	}
	if (t->count == t->start_room) {
		uint32_t room = t->start_room * 2 + 256;
		size_t *start = reallocarray(t->start, room, sizeof *start);

		if (!start)
			return VEIL_E_NOMEM;
		t->start = start;
		t->start_room = room;
	}
	return VEIL_OK;
}

enum veil_status index_texts_add(struct index_texts *t, const char *text, size_t size)
{
	enum veil_status st = make_room(t, size + 1);

	if (st != VEIL_OK)
		return st;
	t->start[t->count++] = t->used;
	memcpy(t->data + t->used, text, size);
	t->data[t->used + size] = 0;
	t->used += size + 1;
	return VEIL_OK;
}

const char *index_texts_get(const struct index_texts *t, uint32_t i)
{
	REQUIRE(i < t->count);
	return t->data + t->start[i];
}

uint64_t index_texts_bytes(const struct index_texts *t)
{
	return t->used + (uint64_t)t->count * sizeof *t->start;
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct index_texts *t = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = strcmp(index_texts_get(t, x), index_texts_get(t, y));

	return order ? order : (x > y) - (x < y);
}

enum veil_status index_texts_distinct(const struct index_texts *t, uint32_t *first, uint32_t *second)
{
	uint32_t *order = malloc((t->count + (size_t)1) * sizeof *order);
	enum veil_status st = VEIL_OK;

	if (!order)
		return VEIL_E_NOMEM;
	for (uint32_t i = 0; i < t->count; i++)
		order[i] = i;
	qsort_r(order, t->count, sizeof *order, compare, (void *)(uintptr_t)t);
	for (uint32_t i = 1; i < t->count; i++) {
		if (strcmp(index_texts_get(t, order[i - 1]), index_texts_get(t, order[i])) != 0)
			continue;
		if (st != VEIL_OK && order[i] > *second)
			continue;
		*first = order[i - 1];
		*second = order[i];
		st = VEIL_E_INVALID;
	}
	free(order);
	return st;
}

void index_texts_clear(struct index_texts *t)
{
	if (!t)
		return;
	free(t->data);
	free(t->start);
	memset(t, 0, sizeof *t);
}
