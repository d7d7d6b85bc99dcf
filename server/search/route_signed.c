/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "search/service.h"

/* GET /v1/signed: the configuration that the operator has signed, the same bytes for everybody. */
void route_signed(void *state, struct http_request *req)
{
	struct service *s = state;
	struct http_reply reply = {.status = 200, .content_type = WIRE_SIGNED_TYPE, .done = free};

	reply.body = reply.arg = vouched_body(&s->vouched, &reply.size);
	if (reply.body)
		http_answer(req, &reply);
	else if (reply.size)
		http_answer_busy(req);
	else
		http_answer_text(req, 404, "there is no signed configuration here");
}
