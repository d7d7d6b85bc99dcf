/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_BUFFERS_H
#define KIT_BUFFERS_H

#include <stddef.h>

#include "veil/status.h"

/** A store of buffers for bodies: taken and given by any thread, kept for the next one rather than returned
 * to the heap, so that the most that bodies can use is known when the program starts. Sizes may change while
 * it runs (another version of the index): idle buffers of another size make way. */
struct buffers;

/** At most limit_bytes in all, headers included, but always one buffer. VEIL_E_NOMEM. */
enum veil_status buffers_create(struct buffers **out, size_t limit_bytes) VEIL_MUST_CHECK;
/** All buffers have been given back. Accepts NULL. */
void buffers_destroy(struct buffers *b);

/** NULL when the limit is reached (or memory ran out). 64-byte aligned, not zeroed. */
void *buffers_take(struct buffers *b, size_t bytes);
/** To the store it came from. Accepts NULL. Its type is that of a callback. */
void buffers_give(void *buffer);

/** Memory that the store holds, in use or not. */
size_t buffers_held_bytes(struct buffers *b);

#endif
