/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <time.h>

#include "base/error.h"
#include "sdk/search.h"

enum veil_status question_check_session(const struct veil_client *client, struct veil_error *err)
{
	if (!client->session)
		return error_set(err, VEIL_E_INVALID, "no configuration yet: call veil_client_refresh first");
	if (client->trusting && time(NULL) >= client->valid_until)
		return error_set(err, VEIL_E_VERSION,
			"what the operator has signed is out of date by now; call veil_client_refresh");
	return VEIL_OK;
}

enum veil_status question_check(
	const struct session *s, const struct search_question *q, struct veil_error *err)
{
	int zero = 1;

	if (q->dim != s->config.spec.dim)
		return error_set(err, VEIL_E_INVALID,
			"the vector has %u numbers and the index has %u; was it made by the same embedding?",
			q->dim, s->config.spec.dim);
	if (q->probes < 1 || q->probes > s->config.shards)
		return error_set(err, VEIL_E_INVALID, "%u shards to ask is not within 1 to %u", q->probes,
			s->config.shards);
	if (q->top < 1)
		return error_set(err, VEIL_E_INVALID, "ask for at least one result");
	for (uint32_t i = 0; i < q->dim; i++) {
		if (!isfinite(q->vector[i]))
			return error_set(err, VEIL_E_INVALID, "number %u of the vector is not finite", i);
		if (q->vector[i] != 0)
			zero = 0;
	}
	if (zero)
		return error_set(err, VEIL_E_INVALID, "the vector is all zeros: nothing is near to it");
	return VEIL_OK;
}
