/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/client.h"

#include <stdlib.h>

#include "base/error.h"

#define DEFAULT_TIMEOUT_MS 30000
#define MAX_TIMEOUT_MS 3600000

enum veil_status veil_client_create(struct veil_client **out, const char *url, struct veil_error *err)
{
	struct veil_client *client = calloc(1, sizeof *client);
	enum veil_status st;

	*out = NULL;
	if (!client)
		return error_set(err, VEIL_E_NOMEM, "no memory for a client");
	client->timeout_ms = DEFAULT_TIMEOUT_MS;
	st = transport_http_create(&client->transport, url, err);
	if (st != VEIL_OK) {
		free(client);
		return st;
	}
	*out = client;
	return VEIL_OK;
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

enum veil_status veil_client_refresh(struct veil_client *client, struct veil_error *err)
{
	struct session *fresh;
	enum veil_status st = session_fetch(&fresh, &client->transport, client->timeout_ms, err);

	if (st != VEIL_OK)
		return st;
	session_destroy(client->session);
	client->session = fresh;
	return VEIL_OK;
}

const struct veil_index_info *veil_client_info(const struct veil_client *client)
{
	return client->session ? &client->session->info : NULL;
}

void veil_client_destroy(struct veil_client *client)
{
	if (!client)
		return;
	session_destroy(client->session);
	if (client->transport.destroy)
		client->transport.destroy(client->transport.state);
	free(client);
}
