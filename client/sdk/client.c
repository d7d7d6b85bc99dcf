/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "sdk/search.h"

#define DEFAULT_TIMEOUT_MS 30000
#define MAX_TIMEOUT_MS 3600000

static struct veil_client *create(void)
{
	struct veil_client *client = calloc(1, sizeof *client);

	if (client)
		client->timeout_ms = DEFAULT_TIMEOUT_MS;
	return client;
}

/* Takes the client. */
static enum veil_status give(struct veil_client **out, struct veil_client *client, enum veil_status st)
{
	if (st != VEIL_OK) {
		veil_client_destroy(client);
		client = NULL;
	}
	*out = client;
	return st;
}

enum veil_status veil_client_create(struct veil_client **out, const char *url, struct veil_error *err)
{
	struct veil_client *client = create();

	*out = NULL;
	if (!client)
		return error_set(err, VEIL_E_NOMEM, "no memory for a client");
	return give(out, client, transport_http_create(&client->transport, url, err));
}

enum veil_status veil_client_create_relayed(struct veil_client **out, const char *relay, const char *ca,
	const char *trust, const char *state, struct veil_error *err)
{
	struct veil_client *client = create();
	enum veil_status st;

	*out = NULL;
	if (!client)
		return error_set(err, VEIL_E_NOMEM, "no memory for a client");
	client->relayed = true;
	st = veil_client_set_trust(client, trust, state, err);
	if (st == VEIL_OK)
		st = transport_ohttp_create(&client->transport, relay, ca, &client->trust, err);
	return give(out, client, st);
}

enum veil_status veil_client_set_trust(
	struct veil_client *client, const char *trust, const char *state, struct veil_error *err)
{
	struct trust next;
	enum veil_status st = trust_open(&next, trust, state, err);

	if (st != VEIL_OK)
		return st;
	trust_clear(&client->trust);
	client->trust = next;
	client->trusting = true;
	return VEIL_OK;
}

enum veil_status veil_client_set_kem_policy(
	struct veil_client *client, const char *name, struct veil_error *err)
{
	enum keyconfig_policy policy;

	if (!keyconfig_policy_from_name(&policy, name))
		return error_set(err, VEIL_E_INVALID,
			"\"%s\" is no policy: there are require-pq, prefer-pq and classic", name);
	if (!client->relayed)
		return error_set(err, VEIL_E_INVALID, "a policy of keys is for a client of a relay");
	transport_ohttp_set_policy(&client->transport, policy);
	return VEIL_OK;
}

const char *veil_client_kem_note(const struct veil_client *client)
{
	return client->relayed ? transport_ohttp_note(&client->transport) : NULL;
}

enum veil_status veil_client_set_timeout(
	struct veil_client *client, uint32_t timeout_ms, struct veil_error *err)
{
	if (timeout_ms < 1 || timeout_ms > MAX_TIMEOUT_MS)
		return error_set(err, VEIL_E_INVALID, "a timeout of %u ms is not within 1 to %d",
			(unsigned)timeout_ms, MAX_TIMEOUT_MS);
	client->timeout_ms = timeout_ms;
	return VEIL_OK;
}

enum veil_status veil_client_set_mode(struct veil_client *client, const char *mode, struct veil_error *err)
{
	static const char *const names[] = {[CLIENT_SEALED] = "sealed",
		[CLIENT_FAST] = "fast",
		[CLIENT_SLOW] = "slow",
		[CLIENT_AUTO] = "auto"};

	for (unsigned i = CLIENT_SEALED; i <= CLIENT_AUTO; i++) {
		if (mode && strcmp(mode, names[i]) == 0) {
			client->mode = i;
			return VEIL_OK;
		}
	}
	if (mode)
		return error_set(err, VEIL_E_INVALID,
			"\"%s\" is no mode: there are fast, slow, auto and sealed", mode);
	client->mode = CLIENT_SEALED_IF_SERVED;
	return VEIL_OK;
}

enum veil_status client_refresh(
	struct veil_client *client, const struct refresh_watch *watch, struct veil_error *err)
{
	struct session *fresh;
	struct wire_signed vouched;
	enum veil_status st = VEIL_OK;
	double from;

	if (client->relayed)
		st = transport_ohttp_refresh(&client->transport, &vouched, client->timeout_ms, watch, err);
	else if (client->trusting)
		st = trust_fetch(&client->trust, &vouched, &client->transport, WIRE_SIGNED_PATH,
			client->timeout_ms, err);
	from = refresh_now_us();
	if (st == VEIL_OK)
		st = refresh_tell(watch, REFRESH_INDEX, from, NULL,
			session_fetch(&fresh, &client->transport, client->trusting ? &vouched : NULL,
				client->timeout_ms, err),
			err);
	if (st != VEIL_OK)
		return st;
	session_destroy(client->session);
	client->session = fresh;
	if (client->trusting)
		client->vouched = vouched;
	client->valid_until = client->trusting ? vouched.not_after : 0;
	return VEIL_OK;
}

enum veil_status veil_client_refresh(struct veil_client *client, struct veil_error *err)
{
	return client_refresh(client, NULL, err);
}

const struct veil_index_info *veil_client_info(const struct veil_client *client)
{
	return client->session ? &client->session->info : NULL;
}

/* The same number in auto as in slow, whatever is found: the number of requests says nothing. */
static uint32_t probes_of(const struct veil_client *client, uint32_t probes)
{
	const uint32_t shards = client->session ? client->session->config.shards : 0;
	const uint32_t least = shards < SEARCH_SLOW_PROBES ? shards : SEARCH_SLOW_PROBES;

	if (client->mode != CLIENT_SLOW && client->mode != CLIENT_AUTO)
		return probes;
	return probes > 0 && probes < least ? least : probes;
}

enum veil_status veil_client_search(const struct veil_client *client, struct veil_hits **out,
	const float *vector, uint32_t dim, uint32_t probes, uint32_t top, struct veil_error *err)
{
	const bool served = client->session && client->session->sealed;
	const bool sealed =
		client->mode == CLIENT_SEALED || (client->mode == CLIENT_SEALED_IF_SERVED && served);
	const struct search_question question = {
		vector, dim, probes_of(client, probes), top, sealed, client->mode == CLIENT_AUTO};
	struct search *x = NULL;
	enum veil_status st = search_create(&x, client, &question, false, err);

	*out = NULL;
	for (uint32_t i = 0; st == VEIL_OK && i < search_requests(x); i++)
		st = search_ask(x, i, err);
	if (st == VEIL_OK)
		st = search_finish(x, out, err);
	search_destroy(x);
	return st;
}

void veil_client_destroy(struct veil_client *client)
{
	if (!client)
		return;
	session_destroy(client->session);
	if (client->transport.destroy)
		client->transport.destroy(client->transport.state);
	trust_clear(&client->trust);
	free(client);
}
