/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_VERSIONS_H
#define SEARCH_VERSIONS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "search/snapshot.h"

/* The versions in force: the current one, and for a while the one before it, so that clients that hold its
 * codebook still ask for the right shard. Every function may be called by any thread; those that give a
 * snapshot give a reference with it. */

struct versions {
	pthread_mutex_t lock; /* guards all below */
	struct snapshot *current;
	struct snapshot *previous; /* NULL: none */
	uint64_t previous_until_ns; /* clock_ns() */
};

/** Takes over the caller's reference. */
void versions_init(struct versions *v, struct snapshot *first);
struct snapshot *versions_current(struct versions *v);
/** The version of that id; NULL if it is not served (any more). */
struct snapshot *versions_find(struct versions *v, const uint8_t id[HASH_BYTES]);
/** The version whose collection has that id. */
struct snapshot *versions_find_tables(struct versions *v, const uint8_t id[HASH_BYTES]);
/** The version whose codebook, configuration, static halves or labels have this hash, in hexadecimal digits:
 * `object` gets it, and lives as long as the reference. NULL if there is none. */
struct snapshot *versions_with_object(struct versions *v, struct bytes *object, const char *hex);
/** Takes over the caller's reference; what was current is served for keep_ns more, what was previous no more.
 */
void versions_replace(struct versions *v, struct snapshot *next, uint64_t keep_ns);
/** Gives up the previous version when its time has passed; true if it did. */
bool versions_expire(struct versions *v);
bool versions_has_previous(struct versions *v);
/** Nobody uses `v` any more; references from it live on. */
void versions_clear(struct versions *v);

#endif
