/* SPDX-License-Identifier: Apache-2.0 */
#include "search/service.h"
#include "wire/messages.h"

/* GET /v1/config: the same bytes for everybody. */
void route_config(void *state, struct http_request *req)
{
	struct service *service = state;
	struct snapshot *s = versions_current(&service->versions);
	struct http_reply reply = {.status = 200,
		.content_type = WIRE_CONTENT_TYPE,
		.body = s->config,
		.size = s->config_size,
		.done = snapshot_release,
		.arg = s};

	http_answer(req, &reply);
}
