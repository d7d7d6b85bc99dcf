/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/sealing.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"

void sealing_copy(struct sealing *to, const struct sealing *from)
{
	*to = *from;
	to->config.public_key = to->public_key;
	to->choice.config = &to->config;
}

static bool find(struct bytes *one, struct bytes body, const uint8_t wanted[HASH_BYTES])
{
	uint8_t hash[HASH_BYTES];

	while (keyconfig_next(&body, one)) {
		hash_sha256(hash, one->data, one->size);
		if (memcmp(hash, wanted, HASH_BYTES) == 0)
			return true;
	}
	return false;
}

static bool is_gateway_key(uint8_t kind)
{
	return kind == WIRE_SIGNED_GATEWAY_KEY || kind == WIRE_SIGNED_GATEWAY_KEY_PQ;
}

/* The keys come through the relay, which could leave those out that it would rather not see used. Keys also
 * end before a signed configuration does, so not every one need be there; of the post-quantum ones, one must.
 */
static bool post_quantum_left_out(struct bytes body, const struct wire_signed *s)
{
	struct bytes one;
	bool named = false;

	for (size_t i = 0; i < s->object_count; i++) {
		if (s->objects[i].kind != WIRE_SIGNED_GATEWAY_KEY_PQ)
			continue;
		if (find(&one, body, s->objects[i].hash))
			return false;
		named = true;
	}
	return named;
}

/* Those that the signed configuration names, once each, under whichever kind, and in its order: never more
 * than came. */
static size_t keep_signed(uint8_t *out, struct bytes body, const struct wire_signed *s)
{
	struct bytes one;
	size_t kept = 0;

	for (size_t i = 0; i < s->object_count; i++) {
		bool again = false;

		for (size_t j = 0; j < i && !again; j++)
			again = is_gateway_key(s->objects[j].kind) &&
				memcmp(s->objects[j].hash, s->objects[i].hash, HASH_BYTES) == 0;
		if (again || !is_gateway_key(s->objects[i].kind) || !find(&one, body, s->objects[i].hash))
			continue;
		memcpy(out + kept, one.data, one.size);
		kept += one.size;
	}
	return kept;
}

static enum veil_status take_first(struct sealing *next, const struct sealing *last, const uint8_t *kept,
	size_t size, enum keyconfig_policy policy, struct veil_error *err)
{
	struct keyconfig_list list;
	enum veil_status st = keyconfig_read(&list, kept, size, err);

	if (st == VEIL_OK)
		st = keyconfig_choose(&next->choice, &list, policy, err);
	if (st != VEIL_OK)
		return st;
	if (policy != KEYCONFIG_CLASSIC && last->generation > 0 && last->config.kem->post_quantum &&
		!next->choice.config->kem->post_quantum)
		return error_set(err, VEIL_E_UNSUPPORTED,
			"the gateway had a post-quantum key, and now the relay shows classic ones alone; no "
			"request is sealed with them: ask the operator, or set --kem-policy classic");
	next->config = *next->choice.config;
	memcpy(next->public_key, next->config.public_key, next->config.kem->public_bytes);
	sealing_copy(next, next);
	return VEIL_OK;
}

enum veil_status sealing_choose(struct sealing *next, const struct sealing *last, struct bytes body,
	enum keyconfig_policy policy, struct veil_error *err)
{
	struct keyconfig_list list;
	uint8_t *kept;
	size_t size;
	/* one bad configuration spoils all */
	enum veil_status st = keyconfig_read(&list, body.data, body.size, err);

	if (st != VEIL_OK)
		return st;
	if (policy != KEYCONFIG_CLASSIC && post_quantum_left_out(body, &next->signed_config))
		return error_set(err, VEIL_E_UNSUPPORTED,
			"the signed configuration names post-quantum keys of the gateway, and the relay "
			"shows "
			"none of them; no request is sealed with another: ask the operator, or set "
			"--kem-policy classic");
	kept = malloc(body.size);
	if (!kept)
		return error_set(err, VEIL_E_NOMEM, "no memory for %zu bytes of keys", body.size);
	size = keep_signed(kept, body, &next->signed_config);
	if (size == 0)
		st = error_set(err, VEIL_E_MALFORMED,
			"no key that came for the gateway is one that the signed configuration names; none "
			"is used");
	else
		st = take_first(next, last, kept, size, policy, err);
	free(kept);
	return st;
}
