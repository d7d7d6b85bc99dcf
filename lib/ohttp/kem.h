/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OHTTP_KEM_H
#define OHTTP_KEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "ohttp/crypto.h"

/* The key encapsulation mechanisms of HPKE: RFC 9180 section 4.1 (DHKEM), draft-ietf-hpke-pq (ML-KEM),
 * draft-connolly-cfrg-xwing-kem (X-Wing). Base mode only. */

#define KEM_P256 0x0010
#define KEM_X25519 0x0020
#define KEM_ML_KEM_768 0x0041
#define KEM_XWING 0x647a

#define KEM_SECRET_BYTES 32 /* of all of them */
#define KEM_MAX_PUBLIC_BYTES 1216
#define KEM_MAX_ENC_BYTES 1120
#define KEM_MAX_PRIVATE_BYTES 64

struct kem_key;

struct kem {
	uint16_t id;
	const char *name;
	bool post_quantum;
	size_t enc_bytes, public_bytes, private_bytes;
	/* One row a KEM; call the functions below. */
	enum veil_status (*open)(struct kem_key *key, struct crypto *c, const uint8_t *private_key);
	enum veil_status (*encap)(struct crypto *c, uint8_t *secret, uint8_t *enc, const uint8_t *public_key,
		const struct rng *rng);
	enum veil_status (*decap)(
		struct crypto *c, const struct kem_key *key, uint8_t *secret, const uint8_t *enc);
	void (*derive)(struct crypto *c, uint8_t *private_key, struct bytes ikm);
};

/** The KEM of an identifier, NULL where this build has none. */
const struct kem *kem_find(uint16_t id);
/** The registered name of an identifier, offered here or not; NULL for one that nobody knows. */
const char *kem_name(uint16_t id);
/** Whether a registered identifier, offered here or not, is of a KEM that withstands quantum computers. */
bool kem_is_post_quantum(uint16_t id);

/** A gateway's key pair. Immutable, shared by threads; private parts in locked memory (see crypto.h), wiped.
 */
struct kem_key {
	const struct kem *kem;
	uint8_t public_key[KEM_MAX_PUBLIC_BYTES];
	struct crypto_key *dh;
	struct crypto_kem_key *ml_kem;
};
/** From the private key as it is stored (kem->private_bytes). VEIL_E_INVALID: not a private key of this KEM.
 */
enum veil_status kem_key_create(struct kem_key **out, struct crypto *c, const struct kem *kem,
	const uint8_t *private_key, struct veil_error *err) VEIL_MUST_CHECK;
void kem_key_destroy(struct kem_key *key);
/** A fresh private key, to be kept in secret memory by the caller. */
void kem_key_random(struct crypto *c, const struct kem *kem, uint8_t *private_key, const struct rng *rng);
/** DeriveKeyPair: the private key of some input of at least private_bytes of entropy. */
void kem_key_derive(struct crypto *c, const struct kem *kem, uint8_t *private_key, struct bytes ikm);

/** Encap: a secret and its encapsulation for a public key. The randomness of `rng` is, in this order, what
 * the specifications call skE (DHKEM), m (ML-KEM), m || skE (X-Wing). VEIL_E_MALFORMED: a bad public key. */
enum veil_status kem_encap(struct crypto *c, const struct kem *kem, uint8_t secret[KEM_SECRET_BYTES],
	uint8_t *enc, const uint8_t *public_key, const struct rng *rng) VEIL_MUST_CHECK;
/** Decap. VEIL_E_MALFORMED: `enc` is no encapsulation; ML-KEM gives another secret instead. */
enum veil_status kem_decap(struct crypto *c, const struct kem_key *key, uint8_t secret[KEM_SECRET_BYTES],
	const uint8_t *enc) VEIL_MUST_CHECK;

#endif
