/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_REPLAY_H
#define SEARCH_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

/* Requests that were seen, by 64 bits of a keyed hash of what makes each unique: each is remembered for at
 * least `span_ns` and at most twice that, in memory that is bounded from the start. RFC 9458 6.5.1. */

struct replay;

enum replay_verdict { REPLAY_NEW, REPLAY_SEEN, REPLAY_FULL };

/** At most `limit` requests in a span. VEIL_E_NOMEM. */
enum veil_status replay_create(struct replay **out, uint32_t limit, uint64_t span_ns) VEIL_MUST_CHECK;
/** Accepts NULL. */
void replay_destroy(struct replay *r);
/** The most that it takes. */
size_t replay_bytes(uint32_t limit);

/** Remembers what is new, in one step: of two threads with the same tag one gets REPLAY_SEEN. `now_ns` is
 * clock_ns(). Any thread. */
enum replay_verdict replay_check(struct replay *r, uint64_t tag, uint64_t now_ns);

#endif
