/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_KEY_MESSAGE_H
#define SECRET_KEY_MESSAGE_H

#include "secret/key.h"
#include "veil/status.h"

/* SerializedSecretKey of apple/swift-homomorphic-encryption: field 1, bytes: 16-bit little-endian 1, then the
 * transform values modulo every prime, packed MSB first (ring/packed.h). Written here by hand, not in
 * lib/wire: protobuf-c would copy the secret to a heap that is neither locked nor wiped. N >= 8. */

size_t secret_key_message_bytes(const struct ring *ring);
/** Writes that many bytes; they are as secret as the key, so `out` should lie in a secret arena. Constant
 * time. */
void secret_key_message_write(uint8_t *out, const struct secret_key *key);
/** A key in a secret arena with secret_key_room. VEIL_E_MALFORMED names what is wrong, another size first,
 * and the key is zeroed; that the residues are those of a ternary secret is not checked. Time depends on
 * whether the key is accepted, and on nothing else of its bytes. */
enum veil_status secret_key_message_read(struct secret_key *key, const struct ring *ring, const uint8_t *data,
	size_t size, struct arena *arena, struct veil_error *err) VEIL_MUST_CHECK;

#endif
