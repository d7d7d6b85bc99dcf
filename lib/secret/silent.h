/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_SILENT_H
#define SECRET_SILENT_H

#include "base/rng.h"
#include "secret/key.h"
#include "silent/context.h"

/* One query of silent PIR, whatever it carries, from fresh secret to decrypted phases. It cannot be used
 * twice: it is serialised once, decrypted once, and its secret is wiped by decrypting and by destroy. The
 * public polynomials are the same for all queries of a table, so two queries under one secret would show the
 * difference of their messages: a retry is a new object. secret/retrieve.h puts bytes on top. */
struct secret_silent;

/** Adds to message[n], zeros, the residues mod q that rows block * n ... of the query encrypt. Constant
 * time. */
struct secret_silent_message {
	void (*fill)(const void *state, uint32_t block, uint64_t *message);
	const void *state; /* read during create alone */
};

/** Draws a fresh ternary secret and encrypts. `ctx` must outlive the query. VEIL_E_NOMEM. */
enum veil_status secret_silent_create(struct secret_silent **out, const struct silent_context *ctx,
	const struct secret_silent_message *message, const struct rng *rng,
	struct veil_error *err) VEIL_MUST_CHECK;

/** Writes ctx->query_bytes. May be called once; a second call aborts. */
void secret_silent_write(struct secret_silent *query, uint8_t *out);

/** Phases of a reply: phases[packs * n], in [0, 2^reply_c1_bits), a fraction of the whole of which is the
 * message. `constants` are the static halves of all packs, packs * static_bytes. Wipes the secret; may be
 * called once, after write; a second call aborts. Every reply of the right size decrypts to something. The
 * phases are secret, the caller's to wipe. Constant time. */
void secret_silent_decrypt(
	struct secret_silent *query, uint32_t *phases, const uint8_t *constants, const uint8_t *reply);

/** Accepts NULL; wipes. */
void secret_silent_destroy(struct secret_silent *query);

#endif
