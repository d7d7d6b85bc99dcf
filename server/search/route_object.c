/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "search/service.h"

/* GET /v1/object/<64 hex digits>: immutable parts of the index by the SHA-256 of their bytes, here the
 * codebook. There is no ETag and no conditional answer: "I have it already" would tell one client from
 * another. */
void route_object(void *state, struct http_request *req)
{
	struct service *service = state;
	struct snapshot *s = snapshot_slot_get(&service->snapshots);
	char hex[HASH_HEX_SIZE];
	struct http_reply reply = {.status = 200,
		.content_type = "application/octet-stream",
		.body = s->index->codebook,
		.size = s->index->codebook_size,
		.done = snapshot_release,
		.arg = s};

	hash_hex(hex, s->index->codebook_hash);
	if (strcmp(http_tail(req), hex) == 0) {
		http_answer(req, &reply);
		return;
	}
	snapshot_release(s);
	http_answer_text(req, 404, "there is no object of that hash");
}
