/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_DEADLINE_H
#define KIT_DEADLINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "veil/status.h"

/* Deadlines of connections, for the HTTP library only knows idle time: a client that sends one byte a second
 * would never be idle. When a deadline passes the socket is shut down, never closed: the library, which owns
 * it, notices and ends the connection. One thread looks at all connections a few times a second.
 *
 * A connection between two requests is ended gently: our side closes, so that its client sees the end, and
 * only later, should the client stay, all of it. A request that crosses that end on its way to us is never
 * begun: its client sees the connection close without a byte of a reply. That race is HTTP/1.1's own (RFC
 * 9112 section 9.5), for only the client knows whether it is about to send. Requests whose bytes have arrived
 * when the end would come are waited for. */

enum deadline_use {
	DEADLINE_IDLE, /* no request line since the last reply */
	DEADLINE_BUSY,
	DEADLINE_ENDED, /* nothing that comes is a request any more */
};

/** Part of the owner's connection. */
struct deadline {
	struct deadline *next;
	struct deadline *previous;
	int fd;
	bool cut;
	atomic_uint use; /* enum deadline_use */
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
/** A request line is there, and this is the deadline from now on; false if the connection has been ended:
 * the request must not be begun. */
bool deadline_begin(struct deadline *entry, uint64_t at_ns);
/** The request that was begun is over; the next one is to begin before at_ns. */
void deadline_idle(struct deadline *entry, uint64_t at_ns);
/** From `at_ns` on, connections between two requests are ended whatever their deadline. */
void deadlines_drain(struct deadlines *d, uint64_t at_ns);
/** True if no connection is left, and none lingers: whatever is added from then on is ended at once. */
bool deadlines_drained(struct deadlines *d);
/** All places are taken: whoever brings a request at once gets the place of whoever does not. Cuts the oldest
 * connection that still dawdles, or else the oldest between two requests, but not `newcomer`; none if all
 * have a request under way. */
void deadlines_make_room(struct deadlines *d, const struct deadline *newcomer);
/** Before the owner closes the socket. With `linger`, what the client still sends is read and thrown away for
 * up to two seconds: closing with unread bytes makes the system reset the connection, and the client would
 * lose the reply that tells it what was wrong. */
void deadlines_remove(struct deadlines *d, struct deadline *entry, bool linger);

#endif
