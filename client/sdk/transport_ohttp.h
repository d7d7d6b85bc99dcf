/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_TRANSPORT_OHTTP_H
#define SDK_TRANSPORT_OHTTP_H

#include "attest/attest.h"
#include "ohttp/keyconfig.h"
#include "sdk/trust.h"

/* Oblivious HTTP (RFC 9458): requests go sealed to a relay, which passes them on to the gateway: the one sees
 * who asks, the other what is asked. */

#define TRANSPORT_OHTTP_KEYS_PATH "/.well-known/ohttp-gateway" /* RFC 9540 */

/** A transport through the relay at `url`: POST there, GET url/v1/signed and url/.well-known/ohttp-gateway.
 * No other address is ever contacted. `url` is https://host[:port][/path]; http:// only on this machine, or
 * unix:/path; `ca` a file of certificates in place of the system's, or NULL. `trust` outlives it. Every
 * request is sealed anew, padded to one size (message_padded_bytes of what the signed configuration says);
 * its Date is the next full minute, so that no clock stands out. A request whose key or Date the gateway
 * refuses is made and sealed once more, at most. Before transport_ohttp_refresh nothing can be exchanged. */
enum veil_status transport_ohttp_create(struct transport *out, const char *url, const char *ca,
	const struct trust *trust, struct veil_error *err) VEIL_MUST_CHECK;

/** All clients of a release use one policy. Before the first refresh. */
void transport_ohttp_set_policy(struct transport *t, enum keyconfig_policy policy);

/** How transport_ohttp_refresh goes on, told after each step. */
enum refresh_step {
	REFRESH_SIGNED, /* the signed configuration was fetched */
	REFRESH_SIGNATURE, /* it was believed */
	REFRESH_KEYS, /* the gateway's keys were fetched */
	REFRESH_KEY, /* one that is signed was chosen */
	REFRESH_INDEX, /* not by the transport: what is served was fetched, sealed, and is what is signed */
};
struct refresh_watch {
	/** `reply` as transport_reply_fail leaves it; of steps without a request NULL. */
	void (*done)(void *arg, enum refresh_step step, double us, const struct transport_reply *reply,
		enum veil_status st, const struct veil_error *err);
	void *arg;
};
/** Microseconds of a clock that is never set. */
double refresh_now_us(void);
/** Tells a watch, or nobody (NULL), of a step that began at `from_us`; returns `st`. */
enum veil_status refresh_tell(const struct refresh_watch *watch, enum refresh_step step, double from_us,
	const struct transport_reply *reply, enum veil_status st, const struct veil_error *err);

/** The status of the relay's last answer to a sealed request, 0 if none came. Of the latest exchange of any
 * thread. */
unsigned transport_ohttp_outer(const struct transport *t);

/** Fetches the signed configuration and the key configuration, through the relay; verifies the former, takes
 * from the latter only what it names, and chooses by the policy. `out` gets the configuration. On failure all
 * stays as it was. */
enum veil_status transport_ohttp_refresh(struct transport *t, struct wire_signed *out, uint32_t timeout_ms,
	const struct refresh_watch *watch, struct veil_error *err) VEIL_MUST_CHECK;

/** GET url/attestation: how many clients the relay says take part, verified by its keys in the trust file, at
 * most max_age_s old. VEIL_E_INVALID: the trust file has none; else as attest_read, or what the relay says.
 */
enum veil_status transport_ohttp_attestation(const struct transport *t, struct attest *out,
	uint64_t max_age_s, uint32_t timeout_ms, struct veil_error *err) VEIL_MUST_CHECK;

/** Why the key in use is not post-quantum although that is preferred; NULL where it is, or nobody asked. */
const char *transport_ohttp_note(const struct transport *t);

#endif
