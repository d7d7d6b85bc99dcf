/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_VOUCHED_H
#define SEARCH_VOUCHED_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "search/gateway.h"
#include "search/snapshot.h"
#include "wire/signed.h"

/* The configuration that the operator has signed elsewhere (veil-index sign): veild holds no signing key, it
 * only shows the file to everybody. */

struct vouched {
	pthread_mutex_t lock; /* guards the rest */
	uint8_t body[WIRE_SIGNED_MAX_BYTES];
	size_t size; /* 0: none */
	uint64_t sequence; /* of it */
};

void vouched_init(struct vouched *v);
void vouched_clear(struct vouched *v);
/** Reads the file and takes it over, if clients could use it: it is well signed, in force, and names what is
 * served: the version `now` and, where there is a gateway, a key and the host of it; and if its number is not
 * below that of the one that is shown, nor the same with other bytes. Else all stays as it is. VEIL_E_IO,
 * VEIL_E_MALFORMED, VEIL_E_INVALID, VEIL_E_VERSION. */
enum veil_status vouched_load(struct vouched *v, const char *path, const struct snapshot *now,
	struct gateway *gateway, struct veil_error *err) VEIL_MUST_CHECK;
/** The object, malloc'd; NULL: there is none, or no memory. */
uint8_t *vouched_body(struct vouched *v, size_t *size);

#endif
