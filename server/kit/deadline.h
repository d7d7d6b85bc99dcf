/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_DEADLINE_H
#define KIT_DEADLINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "veil/status.h"

/* Deadlines of connections, for the HTTP library only knows idle time: a client that sends one byte a second
 * would never be idle. When a deadline passes the socket is shut down, never closed: the library, which owns
 * it, notices and ends the connection. One thread looks at all connections a few times a second. */

/** Part of the owner's connection. */
struct deadline {
	struct deadline *next;
	struct deadline *previous;
	int fd;
	bool cut;
	atomic_bool dawdling; /* still bringing its first request: may be cut for others */
	atomic_uint_fast64_t at_ns; /* clock_ns() */
};

struct deadlines;

/** `passed` (may be NULL) is called from the thread for every connection that is cut. */
enum veil_status deadlines_create(struct deadlines **out, unsigned tick_ms, void (*passed)(void *state),
	void *state, struct veil_error *err) VEIL_MUST_CHECK;
/** All connections have been removed. Accepts NULL. */
void deadlines_destroy(struct deadlines *d);

/** `entry` starts as dawdling. */
void deadlines_add(struct deadlines *d, struct deadline *entry, int fd, uint64_t at_ns);
static inline void deadline_set(struct deadline *entry, uint64_t at_ns)
{
	atomic_store_explicit(&entry->at_ns, at_ns, memory_order_relaxed);
}
/** Cuts the connection that has been dawdling longest, if there is one: when all places are taken, whoever
 * brings a request at once gets the place of whoever does not. */
void deadlines_cut_oldest(struct deadlines *d);
/** Before the owner closes the socket. With `linger`, what the client still sends is read and thrown away for
 * up to two seconds: closing with unread bytes makes the system reset the connection, and the client would
 * lose the reply that tells it what was wrong. */
void deadlines_remove(struct deadlines *d, struct deadline *entry, bool linger);

#endif
