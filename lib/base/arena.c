/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/ct.h"
#include "base/require.h"

static enum veil_status make(struct arena *arena, size_t size, int secret)
{
	size_t room = arena_room(size);

	*arena = (struct arena){0};
	if (room < size)
		return VEIL_E_NOMEM;
	if (room == 0)
		room = 64;
	if (secret && sodium_init() < 0)
		return VEIL_E_NOMEM;
	/* sodium_malloc ends the block at a page's end: a size that is a multiple of 64 starts 64-byte
	 * aligned. */
	arena->base = secret ? sodium_malloc(room) : aligned_alloc(64, room);
	if (!arena->base)
		return VEIL_E_NOMEM;
	REQUIRE((uintptr_t)arena->base % 64 == 0);
	arena->size = room;
	arena->secret = secret;
	return VEIL_OK;
}

enum veil_status arena_init(struct arena *arena, size_t size)
{
	return make(arena, size, 0);
}

enum veil_status arena_init_secret(struct arena *arena, size_t size)
{
	return make(arena, size, 1);
}

void arena_clear(struct arena *arena)
{
	if (!arena)
		return;
	if (arena->secret)
		sodium_free(arena->base); /* wipes */
	else
		free(arena->base);
	*arena = (struct arena){0};
}

void arena_reset(struct arena *arena)
{
	arena_release(arena, 0);
}

void *arena_take(struct arena *arena, size_t size)
{
	size_t room = arena_room(size);
	uint8_t *p;

	REQUIRE(room >= size && room <= arena->size - arena->used);
	p = arena->base + arena->used;
	arena->used += room;
	if (arena->used > arena->peak)
		arena->peak = arena->used;
	return p;
}

size_t arena_mark(const struct arena *arena)
{
	return arena->used;
}

void arena_release(struct arena *arena, size_t mark)
{
	REQUIRE(mark <= arena->used);
	if (arena->secret)
		wipe(arena->base + mark, arena->used - mark);
	arena->used = mark;
}
