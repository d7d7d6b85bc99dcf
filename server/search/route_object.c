/* SPDX-License-Identifier: Apache-2.0 */
#include "search/service.h"

/* GET /v1/object/<64 hex digits>: immutable parts of the index by the SHA-256 of their bytes: the
 * codebooks and configurations of the versions that are served. There is no ETag and no conditional answer:
 * "I have it already" would tell one client from another. */
void route_object(void *state, struct http_request *req)
{
	struct service *service = state;
	struct bytes object;
	struct snapshot *s = versions_with_object(&service->versions, &object, http_tail(req));
	struct http_reply reply = {.status = 200, .content_type = "application/octet-stream"};

	if (!s) {
		http_answer_text(req, 404, "there is no object of that hash");
		return;
	}
	reply.body = object.data;
	reply.size = object.size;
	reply.done = snapshot_release;
	reply.arg = s;
	http_answer(req, &reply);
}
