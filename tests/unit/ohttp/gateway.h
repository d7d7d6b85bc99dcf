/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_OHTTP_GATEWAY_H
#define TESTS_UNIT_OHTTP_GATEWAY_H

#include "ohttp/message.h"
#include "vector.h"

/* A gateway's key with all algorithms, and a client's choice of one of them. */

static inline struct message_key gateway_key(
	struct crypto *c, uint8_t id, uint16_t kem_id, const uint8_t *private_key, const struct rng *rng)
{
	static const struct keyconfig_algorithm all[] = {
		{1, 1}, {1, 2}, {1, 3}, {2, 1}, {2, 2}, {2, 3}, {3, 1}, {3, 2}, {3, 3}};
	const struct kem *kem = kem_find(kem_id);
	uint8_t fresh[KEM_MAX_PRIVATE_BYTES];
	struct message_key key;
	struct kem_key *pair;
	struct veil_error err = {0};

	if (!private_key) {
		kem_key_random(c, kem, fresh, rng);
		private_key = fresh;
	}
	cr_assert_eq(kem_key_create(&pair, c, kem, private_key, &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(message_key_init(&key, id, pair, all, 9, &err), VEIL_OK, "%s", err.text);
	vector_keep(pair);
	return key;
}

static inline struct keyconfig_choice gateway_choice(
	const struct message_key *key, uint16_t kdf, uint16_t aead)
{
	return (struct keyconfig_choice){
		.config = &key->config, .suite = {key->config.kem->id, kdf, aead, HPKE_BASE}};
}

static inline void gateway_key_clear(struct message_key *key)
{
	kem_key_destroy((struct kem_key *)(uintptr_t)key->key);
}

/** The KEMs that this build has, one a call, 0 at the end. */
static inline uint16_t gateway_kem(size_t i)
{
	static const uint16_t ids[] = {KEM_X25519, KEM_P256, KEM_XWING, KEM_ML_KEM_768};

	return i < (crypto_has_ml_kem() ? 4 : 2) ? ids[i] : 0;
}

#endif
