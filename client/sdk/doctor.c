/* SPDX-License-Identifier: Apache-2.0 */
#include "veil/doctor.h"

#include <stdio.h>

#include "base/error.h"
#include "privacy/random.h"
#include "sdk/client.h"
#include "sdk/search.h"

enum hop { HOP_MACHINE, HOP_RELAY, HOP_OPERATOR, HOP_GATEWAY, HOP_SERVER };

static const char *const hops[] = {[HOP_MACHINE] = "this machine",
	[HOP_RELAY] = "relay",
	[HOP_OPERATOR] = "operator",
	[HOP_GATEWAY] = "gateway",
	[HOP_SERVER] = "server"};

/* REFRESH_* are steps of it; before and after them come: */
enum { STEP_QUERY = REFRESH_INDEX + 1, STEP_CONNECTION };

static const struct {
	const char *name, *what;
	enum hop hop;
} steps[] = {
	[STEP_CONNECTION] = {"connection",
		"the relay is reached, and its certificate is right where there is TLS", HOP_RELAY},
	[REFRESH_SIGNED] = {"relay", "the relay answers with the signed configuration", HOP_RELAY},
	[REFRESH_SIGNATURE] = {"signature",
		"the operator has signed it, it is in force and no older than the last", HOP_OPERATOR},
	[REFRESH_KEYS] = {"keys", "the relay hands over the gateway's keys", HOP_RELAY},
	[REFRESH_KEY] = {"key", "one of them is a key that the operator has signed", HOP_GATEWAY},
	[REFRESH_INDEX] = {"index", "the gateway opens sealed requests; what is served is what is signed",
		HOP_GATEWAY},
	[STEP_QUERY] = {"query", "a query that looks for nothing is answered", HOP_SERVER},
};

struct rounds {
	struct veil_client *client;
	void (*tell)(void *arg, const struct veil_check *check);
	void *arg;
};

/* Who can mend it. `code`: of the relay's answer, 0 if there was none. A refusal of the relay and one of the
 * gateway that it passed on look alike but for 502 and 504, which are only the relay's, and for what only a
 * gateway says. */
static enum hop blame(unsigned step, enum veil_status st, unsigned code)
{
	if (st == VEIL_E_NOMEM || st == VEIL_E_IO || st == VEIL_E_CORRUPT)
		return HOP_MACHINE;
	switch (step) {
	case REFRESH_SIGNATURE:
	case REFRESH_KEY:
		return steps[step].hop;
	case REFRESH_SIGNED:
	case REFRESH_KEYS:
		return code == 502 || code == 504 ? HOP_GATEWAY : HOP_RELAY;
	case REFRESH_INDEX:
	case STEP_QUERY:
		if (code == 200)
			return HOP_SERVER;
		if (code == 0 && st != VEIL_E_NETWORK && st != VEIL_E_TIMEOUT)
			return HOP_OPERATOR; /* nothing was asked: what is signed names nothing to ask for */
		return code == 400 || code == 401 || code == 422 || code == 502 || code == 504 ? HOP_GATEWAY
											       : HOP_RELAY;
	default:
		return HOP_RELAY;
	}
}

static const char *advise(unsigned step, enum hop hop, unsigned code)
{
	switch (hop) {
	case HOP_MACHINE:
		return "mend what the sentence names: a file, memory or a setting of this machine";
	case HOP_OPERATOR:
		return "set this clock right if it is wrong; else ask the operator whether they have changed "
		       "keys (get "
		       "their trust file anew, not from this server) or have to sign again (veil-index sign)";
	case HOP_GATEWAY:
		if (step == REFRESH_KEY)
			return "seal nothing for these keys: the operator has to sign again with those that "
			       "the gateway "
			       "publishes (veil-index sign --gateway-keys), or the relay shows false ones";
		if (code == 502 || code == 504)
			return "the relay runs, what is behind it does not answer: its operator looks "
			       "whether veild runs, "
			       "at the relay's line for it (veil-relay --gateways) and at the certificates "
			       "between them";
		return "ask again in a minute, as keys may just have changed; else the operator looks at "
		       "veild's log";
	case HOP_SERVER:
		return "the way there is whole: the operator looks at veild's log; a program of another "
		       "version may be "
		       "the reason too";
	case HOP_RELAY:
		break;
	}
	if (step == STEP_CONNECTION)
		return "check the URL and the network, and that the relay runs; a certificate of one's own "
		       "is given with "
		       "--ca FILE";
	if (code == 404)
		return "check the path in the relay's URL; if it is right, veild behind it runs without "
		       "--signed-config";
	return "ask again later; if it stays so, ask who runs the relay";
}

static enum veil_status tell(const struct rounds *r, unsigned step, double us, unsigned code,
	enum veil_status st, const struct veil_error *err, const char *note)
{
	const enum hop hop = st == VEIL_OK ? steps[step].hop : blame(step, st, code);
	const struct veil_check check = {.name = steps[step].name,
		.what = steps[step].what,
		.hop = hops[hop],
		.ms = us / 1000,
		.status = st,
		.text = st == VEIL_OK ? note : err->text,
		.next = st == VEIL_OK ? "" : advise(step, hop, code)};

	r->tell(r->arg, &check);
	return st;
}

static void on_refresh(void *arg, enum refresh_step step, double us, const struct transport_reply *reply,
	enum veil_status st, const struct veil_error *err)
{
	const struct rounds *r = arg;
	unsigned code = step == REFRESH_INDEX ? transport_ohttp_outer(&r->client->transport)
			: reply		      ? reply->code
					      : 0;

	if (step == REFRESH_SIGNED) {
		const bool connected = reply->connected_us > 0;

		(void)tell(r, STEP_CONNECTION, connected ? reply->connected_us : us, 0,
			connected ? VEIL_OK : st, err, "");
		if (!connected)
			return;
		us -= reply->connected_us;
	}
	(void)tell(r, step, us, code, st, err, "");
}

/* As the crowd's fakes are made. */
static enum veil_status ask(const struct rounds *r, struct veil_error *err)
{
	const struct veil_client *client = r->client;
	const uint32_t shards = client->session->config.shards;
	struct privacy_random random;
	struct search *fake;
	char note[160];
	double from = refresh_now_us();
	uint32_t shard;
	enum veil_status st;

	privacy_random_init(&random, rng_system());
	shard = (uint32_t)privacy_random_below(&random, shards);
	privacy_random_clear(&random);
	st = search_create_fake(&fake, client, shard, false, err);
	if (st == VEIL_OK)
		st = search_ask(fake, 0, err);
	search_destroy(fake);
	snprintf(note, sizeof note, "shard %u of %u%s%s", shard, shards,
		transport_ohttp_note(&client->transport) ? "; requests are sealed with classic keys: " : "",
		transport_ohttp_note(&client->transport) ? transport_ohttp_note(&client->transport) : "");
	return tell(r, STEP_QUERY, refresh_now_us() - from, transport_ohttp_outer(&client->transport), st,
		err, note);
}

enum veil_status veil_client_check(struct veil_client *client,
	void (*tell_check)(void *arg, const struct veil_check *check), void *arg, struct veil_error *err)
{
	struct rounds r = {client, tell_check, arg};
	const struct refresh_watch watch = {on_refresh, &r};
	struct veil_error own = {""};
	enum veil_status st;

	if (!err)
		err = &own;
	if (!client->relayed)
		return error_set(err, VEIL_E_INVALID,
			"what is looked at is the way through a relay: make the client of one");
	st = client_refresh(client, &watch, err);
	return st == VEIL_OK ? ask(&r, err) : st;
}
