/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_SESSION_H
#define SDK_SESSION_H

#include "apple/engine.h"
#include "index/codebook.h"
#include "sdk/transport.h"
#include "silent/sealed.h"
#include "veil/client.h"
#include "wire/messages.h"
#include "wire/retrieve.h"
#include "wire/signed.h"

/** What a server serves: fetched, checked, immutable from then on. Every field agrees with every other:
 * nothing behind session_fetch looks at them with suspicion again. */
struct session {
	struct wire_config config;
	struct engine engine;
	const struct nn_context *nn; /* its shape */
	struct index_codebook codebook;
	struct veil_index_info info;
	char id[HASH_HEX_SIZE];
	/* Of an index that has sealed search, else NULL: */
	struct silent_sealed *sealed;
	struct wire_retrieval retrieval; /* of one sealed search */
	uint8_t *constants; /* its static halves */
	uint8_t *labels; /* of all shards; NULL where there are none */
};

/** GET the configuration, then the codebook by its hash and, for sealed search, static halves and labels. The
 * parameter set must be one of ours and pass our own checks, the sizes must be those that our own context
 * gives, the codebook must have the hash and the shape that the configuration names: else VEIL_E_MALFORMED,
 * VEIL_E_VERSION, VEIL_E_UNSUPPORTED, or what the transport says. Where there is a signed configuration, the
 * other one is fetched by the hash that it names, and version and codebook must be named by it too:
 * VEIL_E_MALFORMED. */
enum veil_status session_fetch(struct session **out, const struct transport *transport,
	const struct wire_signed *vouched, uint32_t timeout_ms, struct veil_error *err) VEIL_MUST_CHECK;
/** Is all that the configuration `body` names, and itself, in the signed one? */
enum veil_status session_check_signed(const struct session *session, struct bytes body,
	const struct wire_signed *vouched, struct veil_error *err) VEIL_MUST_CHECK;

/** The same from bytes at hand: `config`, then `codebook` for the configuration's hash. For session_fetch and
 * for tests. */
enum veil_status session_read_config(
	struct session *session, struct bytes config, struct veil_error *err) VEIL_MUST_CHECK;
enum veil_status session_read_codebook(
	struct session *session, struct bytes codebook, struct veil_error *err) VEIL_MUST_CHECK;

/** A part of what is served, by its hash, asked for unconditionally; *out is malloc'd. `what` is for the
 * error where it has another: VEIL_E_MALFORMED. */
enum veil_status session_fetch_object(uint8_t **out, const struct transport *transport,
	const uint8_t want[HASH_BYTES], size_t size, const char *what, uint32_t timeout_ms,
	struct veil_error *err) VEIL_MUST_CHECK;

/** Accepts NULL. */
void session_destroy(struct session *session);

#endif
