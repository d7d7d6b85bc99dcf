/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_RELEASE_H
#define KIT_RELEASE_H

#include <stdint.h>

#include "veil/status.h"

/* Things that are ready but may not leave before their time: one thread lets each go when that comes. */

struct release;

/** At most `limit` things at once, for which the room is set aside here. VEIL_E_NOMEM. */
enum veil_status release_create(struct release **out, unsigned limit, void (*let_go)(void *thing),
	struct veil_error *err) VEIL_MUST_CHECK;
/** Lets all go now, and from now on everything at once. Accepts NULL. */
void release_stop(struct release *r);
/** Stops; nobody adds any more. Accepts NULL. */
void release_destroy(struct release *r);

/** let_go(thing) is called at `at_ns` (clock_ns()), or soon after, from the thread; or here if no room is
 * left. Any thread. */
void release_at(struct release *r, void *thing, uint64_t at_ns);

#endif
