/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_GATEWAY_INSIDE_H
#define SEARCH_GATEWAY_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "search/gateway.h"
#include "search/keys.h"

/* What gateway.c (the keys in force) and gateway_request.c (a request and its reply) share. */

struct gateway {
	const struct config *config;
	struct metrics *metrics;
	_Atomic int64_t clock_offset_ns;
	pthread_rwlock_t lock; /* guards keys */
	struct keys *keys;
	bool told; /* that no key is active; only gateway_expire */
	struct crypto *crypto; /* for keys; the main thread's */
	pthread_mutex_t idle_lock; /* guards idle */
	struct crypto **idle; /* those of threads that are not using theirs */
	unsigned idle_count;
};

/** Seconds since 1970; never goes back. */
int64_t gateway_now(const struct gateway *g);
/** A thread takes one at a time, and gives it back before it hands the request on. */
struct crypto *gateway_crypto_take(struct gateway *g);
void gateway_crypto_give(struct gateway *g, struct crypto *c);

#endif
