/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RELAY_FORWARD_H
#define RELAY_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "kit/buffers.h"
#include "veil/status.h"

/* Requests to gateways, many at once on one thread (libcurl). Each leaves at most once: if a gateway has had
 * a byte of it and breaks off, it is not sent again (RFC 9458 section 6.5), whatever libcurl would like.
 * Nothing of the client goes along but the body; its type is fixed. */

struct forward_options {
	unsigned connections; /* to one gateway at once; what is more waits */
	unsigned connect_ms, timeout_ms; /* to connect; until the whole reply is there, waiting included */
	const char *ca, *cert, *key; /* PEM files; "": the system's certificates, no certificate of our own */
	size_t reply_limit; /* bytes */
	struct buffers *replies; /* for all bodies of replies */
};

struct forward;

/** One request, the caller's until `done`. */
struct forward_job {
	const char *url, *pin; /* gateways.h */
	const char *type; /* of the body; NULL: a GET */
	struct bytes body;
	void (*done)(struct forward_job *job); /* from forward_poll */
	/* When done: the gateway's answer, or what a relay answers for it. */
	unsigned status;
	const char *fault; /* NULL, or the error of RFC 9209 section 2.3 that the relay answers for */
	char reply_type[64]; /* lower case, no parameters */
	char retry_after[8]; /* "": none */
	uint8_t *reply; /* of `replies`: the caller gives it back */
	size_t reply_size;
	size_t sent, room; /* for forward.c */
	void *easy, *list;
	struct forward *forward;
};

/** VEIL_E_NOMEM, VEIL_E_INVALID. */
enum veil_status forward_create(
	struct forward **out, const struct forward_options *options, struct veil_error *err) VEIL_MUST_CHECK;
/** No job is under way. Accepts NULL. */
void forward_destroy(struct forward *f);

/** In the order of these calls requests go to their gateway. */
void forward_start(struct forward *f, struct forward_job *job);
/** Goes on with all that is under way; waits at most so long for something to happen. */
void forward_poll(struct forward *f, unsigned wait_ms);
/** Ends the wait of forward_poll. Any thread. */
void forward_wake(struct forward *f);

#endif
