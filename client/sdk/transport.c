/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/transport.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "sdk/printable.h"

#define REASON_SIZE 200
#define LIMIT_REASON_BYTES 4096 /* a refusal may be larger than a small reply */

void transport_reply_clear(struct transport_reply *reply)
{
	if (!reply)
		return;
	free(reply->body);
	memset(reply, 0, sizeof *reply);
}

void transport_reply_fail(struct transport_reply *reply)
{
	const struct transport_reply kept = {.code = reply->code, .connected_us = reply->connected_us};

	transport_reply_clear(reply);
	*reply = kept;
}

/* What a status other than 200 means here, and what to do about it. */
static enum veil_status judge_code(unsigned code, const char **advice)
{
	switch (code) {
	case 404:
	case 405:
		*advice = "is this a Veil server, of this version?";
		return VEIL_E_NOT_FOUND;
	case 410:
		*advice = "the server has another version of the index by now; fetch its configuration again";
		return VEIL_E_VERSION;
	case 422:
		*advice = "the gateway could not open the request, and says no more; ask again";
		return VEIL_E_MALFORMED;
	case 502:
		*advice = "the relay could not reach the gateway; ask again later";
		return VEIL_E_NETWORK;
	case 408:
	case 504:
		*advice = "ask again";
		return VEIL_E_TIMEOUT;
	case 429:
	case 503:
		*advice = "the server is busy; ask again later";
		return VEIL_E_BUSY;
	default:
		*advice = code >= 300 && code < 400 ? "redirects are not followed; give the final address"
						    : "see the server's log";
		return code >= 500 ? VEIL_E_NETWORK : VEIL_E_MALFORMED;
	}
}

enum veil_status transport_refuse(
	const char *who, const char *path, const struct transport_reply *reply, struct veil_error *err)
{
	char reason[REASON_SIZE + 1] = "";
	const char *advice;
	enum veil_status st = judge_code(reply->code, &advice);
	size_t size = reply->size < REASON_SIZE ? reply->size : REASON_SIZE;

	if (strcmp(reply->type, "text/plain") == 0 && size > 0) {
		memcpy(reason, reply->body, size);
		reason[strcspn(reason, "\r\n")] = 0;
		printable_make(reason);
	}
	return error_set(err, st, "%s answered %s with status %u%s%s%s; %s", who, path, reply->code,
		*reason ? " (" : "", reason, *reason ? ")" : "", advice);
}

enum veil_status transport_call(const struct transport *transport, struct transport_reply *reply,
	const struct transport_request *request, const char *type, size_t exact_bytes, struct veil_error *err)
{
	struct transport_request roomy = *request;
	enum veil_status st;

	if (roomy.limit_bytes < LIMIT_REASON_BYTES)
		roomy.limit_bytes = LIMIT_REASON_BYTES;
	st = transport->exchange(transport->state, reply, &roomy, err);
	if (st != VEIL_OK)
		return st;
	if (reply->code != 200)
		st = transport_refuse("the server", request->path, reply, err);
	else if (strcmp(reply->type, type) != 0)
		st = error_set(err, VEIL_E_MALFORMED,
			"the server answered %s with another media type than %s; is this a Veil server?",
			request->path, type);
	else if (reply->size > request->limit_bytes || (exact_bytes && reply->size != exact_bytes))
		st = error_set(err, VEIL_E_MALFORMED,
			"the server answered %s with %zu bytes where %s%zu are right; the reply is not used",
			request->path, reply->size, exact_bytes ? "" : "at most ",
			exact_bytes ? exact_bytes : request->limit_bytes);
	if (st != VEIL_OK)
		transport_reply_fail(reply);
	return st;
}
