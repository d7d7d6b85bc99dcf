/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_ADMIN_H
#define KIT_ADMIN_H

#include <stdatomic.h>

#include "kit/http.h"

/* The port that operators watch: GET /live, /ready, /metrics. */

struct admin {
	struct http *http; /* NULL: off */
	struct metrics *metrics;
	void (*refresh)(void *state); /* sets the gauges before they are read */
	void *state;
	atomic_bool ready; /* new clients are welcome */
};

/** `address` as http.h says, or "off". The rest of `a` has been set. */
enum veil_status admin_start(struct admin *a, const char *address, struct veil_error *err) VEIL_MUST_CHECK;
/** If `a` was ready: /ready fails from now on, `front` takes connections for lame_duck_ms more and none
 * after, and those that there are have drain_timeout_ms to end. */
void admin_drain(struct admin *a, struct http *front, unsigned lame_duck_ms, unsigned drain_timeout_ms);
void admin_stop(struct admin *a);
/** For a reader: the address, or "off". */
const char *admin_address(const struct admin *a);

#endif
