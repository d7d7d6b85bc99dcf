/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RELAY_CLIENTS_H
#define RELAY_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "veil/status.h"

/* Who asks one gateway, for as long as an epoch: a token bucket each, and how many they are. An address is
 * kept only as a hash under a key of this epoch; when it ends, key and hashes are wiped, so nothing here
 * links a client to itself an epoch later, and each starts with a full bucket. Any thread. */

#define CLIENTS_ADDRESS_BYTES 16 /* IPv6, or IPv4 as ::ffff:a.b.c.d */

struct clients;

struct clients_options {
	uint32_t limit; /* clients told apart; those beyond share one bucket and are not counted */
	uint32_t per_minute; /* requests a minute that refill a bucket, at least 1 */
	uint32_t burst; /* requests that it holds, at least 1 */
};

/** The name of a client within an epoch. */
struct clients_tag {
	uint64_t hash;
	uint32_t epoch;
};

/** `rng` outlives it. VEIL_E_NOMEM. */
enum veil_status clients_create(struct clients **out, const struct clients_options *options,
	const struct rng *rng, uint64_t now_ns) VEIL_MUST_CHECK;
/** Wipes. Accepts NULL. */
void clients_destroy(struct clients *c);

/** Takes a token from the bucket of that address (of IPv6 the first 64 bits count); false if there is none.
 * With `count` the client is one of the crowd. */
bool clients_admit(struct clients *c, struct clients_tag *tag, const uint8_t address[CLIENTS_ADDRESS_BYTES],
	bool count, uint64_t now_ns);

/** Ends the epoch and begins another: how many distinct clients were counted. */
uint32_t clients_next_epoch(struct clients *c, uint64_t now_ns);

#endif
