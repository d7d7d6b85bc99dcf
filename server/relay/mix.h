/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RELAY_MIX_H
#define RELAY_MIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "veil/status.h"

/* Where requests to one gateway wait, so that the order and the times at which they leave say little about
 * who sent them. Time is the caller's, in ns; one thread. Source: the threshold and timed pool mixes
 * (Serjantov, Dingledine, Syverson, "From a trickle to a flood", 2002). */

#define MIX_HOLD_NS                                                                            \
	20000000000u /* the longest that a request ever waits: the Date inside must stay fresh \
		      */

enum mix_mode {
	MIX_OFF, /* leaves as it comes */
	MIX_JITTER, /* each leaves at an independent uniform instant of the next wait_ns */
	MIX_BATCH, /* all leave together, shuffled, but for a share that stays for the next time */
};

struct mix_options {
	enum mix_mode mode;
	uint32_t k; /* requests that make a batch, ... */
	uint32_t d; /* ... if they are of so many distinct clients */
	uint64_t wait_ns; /* or after so long; at most MIX_HOLD_NS */
	uint32_t keep_percent; /* of a batch, 0 to 50, drawn uniformly; never one that could not wait for
				  another wait_ns */
};

struct mix;

/** From "off", "jitter MS" or "batch K MS". VEIL_E_INVALID. */
enum veil_status mix_mode_read(
	struct mix_options *out, const char *text, struct veil_error *err) VEIL_MUST_CHECK;

/** At most `limit` wait. `rng` outlives it. VEIL_E_NOMEM. */
enum veil_status mix_create(struct mix **out, const struct mix_options *options, size_t limit,
	const struct rng *rng) VEIL_MUST_CHECK;
/** Accepts NULL. */
void mix_destroy(struct mix *m);

/** `client` names the sender within `epoch`; senders of other epochs than the newest that waits do not count
 * as distinct, for nobody can say whether they are. False if the limit is reached. */
bool mix_add(struct mix *m, void *thing, uint64_t client, uint32_t epoch, uint64_t now_ns);
/** When to call mix_release next; UINT64_MAX: not before another mix_add. */
uint64_t mix_next_ns(const struct mix *m);
/** What leaves now, in the order in which it is to leave: at most `limit` of mix_create. `few` (may be NULL):
 * it was time, but fewer than d distinct clients were there. */
size_t mix_release(struct mix *m, uint64_t now_ns, void **out, bool *few);
/** How many wait. */
size_t mix_waiting(const struct mix *m);

#endif
