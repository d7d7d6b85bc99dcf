/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VEIL_DOCTOR_H
#define VEIL_DOCTOR_H

#include "veil/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What is wrong on the way from a client through a relay to a server. Stability: as client.h. */

/** One thing that was looked at. Texts belong to the library and hold during the call. */
struct veil_check {
	const char *name; /* "connection", "relay", "signature", "keys", "key", "index", "query" */
	const char *what; /* what is so if it is well, in words */
	const char *hop; /* "this machine", "relay", "operator", "gateway", "server": of whom it was asked,
			    or, where it failed, who can mend it */
	double ms;
	enum veil_status status;
	const char *text; /* why it failed, or a note; "" */
	const char *next; /* what to do if it failed; "" */
};

/** Looks at one hop after the other and tells of each, until one fails: connection to the relay (with TLS),
 * the relay's answer, the operator's signature, the gateway's keys, whether one of them is signed, what is
 * served and whether it is what is signed, and one query that looks for nothing in a shard drawn at random:
 * made as the fakes of a crowd are, it counts for nothing. All of it goes through the relay. Refreshes the
 * client, as veil_client_refresh does. VEIL_OK: all is well; else the first failure, which was told, too.
 * VEIL_E_INVALID: not a client of a relay. */
VEIL_EXPORT enum veil_status veil_client_check(struct veil_client *client,
	void (*tell)(void *arg, const struct veil_check *check), void *arg,
	struct veil_error *err) VEIL_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
