/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_BUFFERS_H
#define KIT_BUFFERS_H

#include <stddef.h>

#include "veil/status.h"

/** A store of buffers of one size, for bodies: taken and given by any thread, never returned to the heap, so
 * that the most that bodies can use is known when the program starts. */
struct buffers;

/** At most limit_bytes in all, but always one buffer. VEIL_E_NOMEM. */
enum veil_status buffers_create(
	struct buffers **out, size_t buffer_bytes, size_t limit_bytes) VEIL_MUST_CHECK;
/** All buffers have been given back. Accepts NULL. */
void buffers_destroy(struct buffers *b);

/** NULL when the limit is reached (or memory ran out). 64-byte aligned, not zeroed. */
void *buffers_take(struct buffers *b);
/** To the store it came from. Accepts NULL. Its type is that of a callback. */
void buffers_give(void *buffer);

size_t buffers_size(const struct buffers *b);
/** Memory that the store holds, in use or not. */
size_t buffers_held_bytes(struct buffers *b);

#endif
