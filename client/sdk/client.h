/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_CLIENT_H
#define SDK_CLIENT_H

#include <stdbool.h>

#include "sdk/session.h"
#include "sdk/transport_ohttp.h"
#include "veil/client.h"

struct veil_client {
	struct transport transport;
	bool relayed; /* the transport is one of transport_ohttp.h */
	bool trusting; /* only what the operator has signed is used */
	struct trust trust;
	struct wire_signed vouched; /* what was signed, if trusting */
	int64_t valid_until; /* of what was signed, if trusting: seconds since 1970 */
	uint32_t timeout_ms;
	enum client_mode {
		CLIENT_SEALED_IF_SERVED,
		CLIENT_SEALED,
		CLIENT_FAST,
		CLIENT_SLOW,
		CLIENT_AUTO
	} mode;
	struct session *session; /* NULL before the first refresh */
};

/** veil_client_refresh; `watch`, or NULL, is told of each step. */
enum veil_status client_refresh(struct veil_client *client, const struct refresh_watch *watch,
	struct veil_error *err) VEIL_MUST_CHECK;

#endif
