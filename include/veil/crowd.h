/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VEIL_CROWD_H
#define VEIL_CROWD_H

#include <stdint.h>

#include "veil/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Takes part in a crowd, so that the server does not learn which shards this user asks: docs/privacy.md.
 * Time runs in epochs, common to all. In each one fake questions leave for random shards, and the real ones
 * among them, each by itself at an instant of its own, through a relay; without a question the fakes leave
 * all the same. Threads of the crowd's own do that from veil_crowd_create to veil_crowd_destroy. */
struct veil_crowd;

/** What hides the shard, in one epoch. */
enum veil_crowd_mode {
	VEIL_CROWD_COVER, /* nothing: fakes leave, but no question does */
	VEIL_CROWD_ALL_SHARDS, /* one request is evaluated on every shard; costs no budget */
	VEIL_CROWD_SEALED, /* every request is a sealed search; costs no budget */
	VEIL_CROWD_HIDDEN, /* fakes, as the budget's eps and delta promise */
};

/** An epoch that begins. Only read through the pointer that is handed out; grows at its end. */
struct veil_crowd_epoch {
	uint64_t begin_s; /* since 1970 */
	enum veil_crowd_mode mode;
	uint64_t attested; /* clients that the relay vouches for; 0: for none */
	uint32_t users; /* that the noise is planned for: within what is compiled in; 0: not HIDDEN */
	uint32_t shards;
	uint32_t questions; /* requests of questions, and */
	uint32_t requests; /* of these and fakes: of an epoch like this almost always as many */
	const char *problem; /* why it is not HIDDEN, or why nothing is sent; "" where nothing is wrong */
};

/** Joins. `client` is one of a relay and from now on the crowd's alone, until veil_crowd_destroy; its trust
 * file has a line `relay` with the key by which the relay signs how many take part. `budget` is a file of
 * veil_privacy_budget_create that no other program has open: eps, delta and the questions of an epoch are
 * its. Epochs of `epoch_seconds`, 1 to 86400, are those of everybody in the crowd: 60 unless the operator
 * says otherwise. `watch`, if not NULL, is called at the begin of every epoch, from a thread of the crowd.
 * The first one begins with the next multiple of epoch_seconds. VEIL_E_INVALID; of the budget VEIL_E_IO,
 * VEIL_E_CORRUPT, VEIL_E_BUSY. */
VEIL_EXPORT enum veil_status veil_crowd_create(struct veil_crowd **out, struct veil_client *client,
	const char *budget, uint32_t epoch_seconds,
	void (*watch)(void *arg, const struct veil_crowd_epoch *epoch), void *arg,
	struct veil_error *err) VEIL_MUST_CHECK;

/** As veil_client_search, in the crowd: waits for the next epoch that has room for `probes` more questions,
 * and in it for the answers. The charge is on the disk before anything leaves. What fails is over; asking
 * again is another question. With `now` it does not wait: it is one of this epoch's questions all the same,
 * and takes the place of a fake, but when it was asked is not hidden. Any thread. VEIL_E_BUSY: what a day
 * allows is spent, this epoch is full (now), or nothing hides a question at present (the sentence says why).
 * VEIL_E_INVALID: more probes than questions of an epoch; all that was ever allowed is spent. */
VEIL_EXPORT enum veil_status veil_crowd_search(struct veil_crowd *crowd, struct veil_hits **out,
	const float *vector, uint32_t dim, uint32_t probes, uint32_t top, int now,
	struct veil_error *err) VEIL_MUST_CHECK;

/** Leaves: nothing more is sent; searches that wait, and later ones, fail with VEIL_E_BUSY. Any thread. */
VEIL_EXPORT void veil_crowd_leave(struct veil_crowd *crowd);

/** Leaves, and awaits requests under way and those who search. The client is the caller's again. Accepts
 * NULL.
 */
VEIL_EXPORT void veil_crowd_destroy(struct veil_crowd *crowd);

#ifdef __cplusplus
}
#endif
#endif
