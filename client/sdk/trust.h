/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_TRUST_H
#define SDK_TRUST_H

#include <stdint.h>

#include "sdk/transport.h"
#include "wire/signed.h"

/* Whose signed configurations are believed: the operator's keys from the trust file that came with the
 * installation, never from a server; and what was seen so far, in a state file, so that no older
 * configuration is taken again and so that keys can be changed (docs/operating.md).
 *
 * Trust file: lines `operator <64 hex digits>`, lines `relay <64 hex digits>` (who may say how many take part
 * in a crowd: attest/attest.h), `#` comments, blank lines. State: DIR/<32 hex digits>.state, named by the
 * hash of the operator's keys: another trust file is a new beginning. */

struct trust {
	size_t key_count;
	uint8_t keys[WIRE_SIGNED_MAX_KEYS][SIGN_PUBLIC_BYTES]; /* of the trust file */
	size_t relay_count;
	uint8_t relays[WIRE_SIGNED_MAX_KEYS][SIGN_PUBLIC_BYTES];
	char *directory;
	char *file; /* of the state */
};

/** Reads the trust file. `state` is made, if it is not there, when there is something to keep. VEIL_E_IO,
 * VEIL_E_INVALID: the file is not there, or is none; VEIL_E_NOMEM. */
enum veil_status trust_open(
	struct trust *t, const char *file, const char *state, struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts a zeroed object. */
void trust_clear(struct trust *t);

/** Verifies an object at `now`, compares it with what was seen, and remembers it: on the disk before it is
 * used. VEIL_E_MALFORMED, VEIL_E_INVALID (signed by no key that is trusted), VEIL_E_VERSION (out of date,
 * older than one that was seen, or other than the one of its number), VEIL_E_IO, VEIL_E_CORRUPT (the state).
 * Several processes may use one state at once. */
enum veil_status trust_accept(const struct trust *t, struct wire_signed *out, struct bytes object,
	int64_t now, struct veil_error *err) VEIL_MUST_CHECK;

/** GET `path` and trust_accept what came. */
enum veil_status trust_fetch(const struct trust *t, struct wire_signed *out,
	const struct transport *transport, const char *path, uint32_t timeout_ms,
	struct veil_error *err) VEIL_MUST_CHECK;

#endif
