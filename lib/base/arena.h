/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

/** A bump allocator over one block, sized when the owner is built: no malloc while a query is computed.
 * Not for several threads at once. */
struct arena {
	uint8_t *base;
	size_t size;
	size_t used;
	size_t peak; /* the largest `used` so far, for sizing and tests */
	int secret; /* locked, kept out of dumps, wiped on reset and clear */
};

/** `size` bytes, 64-byte aligned, from the heap. */
enum veil_status arena_init(struct arena *arena, size_t size) VEIL_MUST_CHECK;
/** The same in guarded memory that is left out of core dumps, locked as far as RLIMIT_MEMLOCK allows
 * (sodium_malloc), and wiped by arena_reset and arena_clear. Every secret lives in such an arena. */
enum veil_status arena_init_secret(struct arena *arena, size_t size) VEIL_MUST_CHECK;
/** Accepts NULL and zeroed objects. */
void arena_clear(struct arena *arena);
void arena_reset(struct arena *arena);

/** 64-byte aligned memory, not zeroed; running out is a bug of the sizing and aborts. */
void *arena_take(struct arena *arena, size_t size);

/** Stack discipline: what was taken after the mark is given back (and wiped in a secret arena). */
size_t arena_mark(const struct arena *arena);
void arena_release(struct arena *arena, size_t mark);

/** The room that arena_take(size) uses, for sizing. */
static inline size_t arena_room(size_t size)
{
	return (size + 63) & ~(size_t)63;
}

#endif
