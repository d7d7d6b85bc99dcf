/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/sealing.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define KEYS 3

static const struct keyconfig_algorithm algorithm = {HPKE_KDF_SHA256, HPKE_AEAD_AES128_GCM};
static const struct kem strong = {.post_quantum = true};

/* The gateway's keys as a body, ids 1..KEYS in the order given. */
struct body {
	uint8_t data[512];
	size_t size;
};

static struct body body(const int *ids, size_t count)
{
	static uint8_t public_keys[KEYS][32];
	struct keyconfig configs[8];
	struct body b;

	for (size_t i = 0; i < count; i++) {
		memset(public_keys[ids[i] - 1], ids[i], 32);
		configs[i] = (struct keyconfig){.id = (uint8_t)ids[i],
			.kem = kem_find(KEM_X25519),
			.public_key = public_keys[ids[i] - 1],
			.algorithm_count = 1,
			.algorithms = {algorithm}};
	}
	b.size = keyconfig_bytes(configs, count);
	cr_assert_leq(b.size, sizeof b.data);
	keyconfig_write(b.data, configs, count);
	return b;
}

/* Names those keys, in that order, among objects of other kinds. */
static void name(struct wire_signed *s, const int *ids, size_t count)
{
	*s = (struct wire_signed){.object_count = count + 1, .objects = {{.kind = WIRE_SIGNED_CONFIG}}};
	for (size_t i = 0; i < count; i++) {
		const struct body one = body(&ids[i], 1);

		s->objects[i + 1].kind = WIRE_SIGNED_GATEWAY_KEY;
		hash_sha256(s->objects[i + 1].hash, one.data, one.size);
	}
}

static enum veil_status choose(struct sealing *next, const struct sealing *last, const int *ids, size_t count,
	enum keyconfig_policy policy, struct veil_error *err)
{
	const struct body b = body(ids, count);

	return sealing_choose(next, last, (struct bytes){b.data, b.size}, policy, err);
}

Test(sealing, the_order_is_that_of_the_signed_configuration_whatever_a_relay_makes_of_it)
{
	static const int shown[][KEYS] = {{1, 2, 3}, {3, 2, 1}, {2, 3, 1}, {3, 1, 2}};
	const struct sealing none = {0};
	struct veil_error err = {""};

	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
		struct sealing next = {.generation = 1};

		name(&next.signed_config, (const int[]){2, 1}, 2);
		cr_assert_eq(choose(&next, &none, shown[i], KEYS, KEYCONFIG_PREFER_PQ, &err), VEIL_OK, "%s",
			err.text);
		cr_assert_eq(next.config.id, 2);
		cr_assert(next.choice.config == &next.config && next.config.public_key == next.public_key);
		cr_assert_eq(next.public_key[31], 2);
		cr_assert_not_null(next.choice.note);
	}
}

Test(sealing, a_key_that_is_shown_twice_or_is_not_signed_changes_nothing)
{
	const struct sealing none = {0};
	struct sealing next = {.generation = 1};
	struct veil_error err = {""};

	name(&next.signed_config, (const int[]){3, 3}, 2);
	cr_assert_eq(choose(&next, &none, (const int[]){1, 3, 3, 2}, 4, KEYCONFIG_CLASSIC, &err), VEIL_OK,
		"%s", err.text);
	cr_assert_eq(next.config.id, 3);
	cr_assert_null(next.choice.note);
	next.signed_config.objects[2].kind = WIRE_SIGNED_GATEWAY_KEY_PQ; /* one key, named as either */
	cr_assert_eq(choose(&next, &none, (const int[]){3}, 1, KEYCONFIG_PREFER_PQ, &err), VEIL_OK, "%s",
		err.text);
	cr_assert_eq(next.config.id, 3);
	cr_assert_eq(choose(&next, &none, (const int[]){1, 2}, 2, KEYCONFIG_CLASSIC, &err), VEIL_E_MALFORMED);
	cr_assert(strstr(err.text, "the signed configuration names"));
}

Test(sealing, a_relay_that_leaves_out_all_post_quantum_keys_gets_nothing_sealed)
{
	const struct sealing none = {0};
	struct veil_error err = {""};

	for (int policy = KEYCONFIG_REQUIRE_PQ; policy <= KEYCONFIG_CLASSIC; policy++) {
		struct sealing next = {.generation = 1};
		enum veil_status st;

		name(&next.signed_config, (const int[]){1, 2, 3}, 3);
		next.signed_config.objects[2].kind = WIRE_SIGNED_GATEWAY_KEY_PQ;
		next.signed_config.objects[3].kind = WIRE_SIGNED_GATEWAY_KEY_PQ;
		st = choose(&next, &none, (const int[]){1}, 1, policy, &err);
		cr_assert_eq(st, policy == KEYCONFIG_CLASSIC ? VEIL_OK : VEIL_E_UNSUPPORTED);
		cr_assert(policy == KEYCONFIG_CLASSIC || strstr(err.text, "shows none of them"), "%s",
			err.text);
	}
}

/* The other one may have ended. The KEMs of these tests are all classic: only the kinds differ. */
Test(sealing, one_post_quantum_key_of_those_signed_is_enough_and_is_a_key_like_the_others)
{
	const struct sealing none = {0};
	struct sealing next = {.generation = 1};
	struct veil_error err = {""};

	name(&next.signed_config, (const int[]){3, 1, 2}, 3);
	next.signed_config.objects[1].kind = WIRE_SIGNED_GATEWAY_KEY_PQ;
	next.signed_config.objects[3].kind = WIRE_SIGNED_GATEWAY_KEY_PQ;
	cr_assert_eq(choose(&next, &none, (const int[]){1, 3}, 2, KEYCONFIG_PREFER_PQ, &err), VEIL_OK, "%s",
		err.text);
	cr_assert_eq(next.config.id, 3);
}

Test(sealing, a_classic_key_does_not_follow_a_post_quantum_one_unless_it_is_asked_for)
{
	const struct sealing last = {.generation = 1, .config = {.kem = &strong}};
	struct sealing next = {.generation = 2};
	struct veil_error err = {""};

	name(&next.signed_config, (const int[]){1}, 1);
	cr_assert_eq(
		choose(&next, &last, (const int[]){1}, 1, KEYCONFIG_PREFER_PQ, &err), VEIL_E_UNSUPPORTED);
	cr_assert(strstr(err.text, "had a post-quantum key"));
	cr_assert_eq(
		choose(&next, &last, (const int[]){1}, 1, KEYCONFIG_REQUIRE_PQ, &err), VEIL_E_UNSUPPORTED);
	cr_assert_eq(
		choose(&next, &last, (const int[]){1}, 1, KEYCONFIG_CLASSIC, &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(next.config.id, 1);
}
