/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_CROWD_H
#define SDK_CROWD_H

#include "sdk/client.h"
#include "sdk/crowd_terms.h"

/** veil_crowd_create with all that a test may want otherwise. */
struct crowd_options {
	uint32_t epoch_ms; /* 1 to PRIVACY_MAX_EPOCH_MS */
	void (*watch)(void *arg, const struct veil_crowd_epoch *epoch); /* or NULL */
	void *arg;
	/** Fetches how many take part; NULL: from the client's relay. */
	enum veil_status (*attest)(
		const struct veil_client *client, struct attest *out, struct veil_error *err);
};

enum veil_status crowd_create(struct veil_crowd **out, struct veil_client *client, const char *budget,
	const struct crowd_options *options, struct veil_error *err) VEIL_MUST_CHECK;
/** How many are within veil_crowd_search. */
unsigned crowd_callers(struct veil_crowd *crowd);

#endif
