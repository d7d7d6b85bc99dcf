/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_CLIENT_H
#define SDK_CLIENT_H

#include "sdk/session.h"
#include "sdk/transport.h"
#include "veil/client.h"

struct veil_client {
	struct transport transport;
	uint32_t timeout_ms;
	struct session *session; /* NULL before the first refresh */
};

#endif
