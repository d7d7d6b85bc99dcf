/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/signed.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#define KEYS 3

static uint8_t seeds[KEYS][SIGN_SEED_BYTES], publics[KEYS][SIGN_PUBLIC_BYTES];

static struct wire_signed example(void)
{
	struct rng rng = test_rng();
	struct wire_signed s = {.sequence = 7,
		.not_before = 1000,
		.not_after = 2000,
		.request_bytes = 100,
		.reply_bytes = 200,
		.authority = "search.example:443",
		.key_count = 1,
		.object_count = 4};

	for (int i = 0; i < KEYS; i++) {
		rng_fill(&rng, seeds[i], SIGN_SEED_BYTES);
		sign_public_key(publics[i], seeds[i]);
	}
	memcpy(s.keys[0], publics[0], SIGN_PUBLIC_BYTES);
	for (int i = 0; i < 4; i++) {
		s.objects[i].kind = (uint8_t)(i + 1);
		rng_fill(&rng, s.objects[i].hash, HASH_BYTES);
	}
	return s;
}

static struct bytes write_with(const struct wire_signed *s, int first, size_t count)
{
	struct veil_error err = {""};
	struct bytes out;
	uint8_t *data;

	cr_assert_eq(wire_signed_write(&data, &out.size, s,
			     (const uint8_t(*)[SIGN_SEED_BYTES])(seeds + first), count, &err),
		VEIL_OK, "%s", err.text);
	out.data = data;
	return out;
}

static enum veil_status read_by(struct wire_signed *s, struct bytes data, int first, size_t count)
{
	return wire_signed_read(s, data, (const uint8_t(*)[SIGN_PUBLIC_BYTES])(publics + first), count, NULL);
}

static void drop(struct bytes b)
{
	free((uint8_t *)(uintptr_t)b.data);
}

Test(signed, what_was_signed_is_read_back_with_a_key_that_signed_it_and_with_no_other)
{
	struct wire_signed s = example(), back;
	struct bytes one = write_with(&s, 0, 1), two = write_with(&s, 1, 2), again = write_with(&s, 0, 1);

	cr_assert_eq(read_by(&back, one, 0, 1), VEIL_OK);
	cr_assert_eq(memcmp(&back, &s, sizeof s), 0);
	cr_assert_eq(read_by(&back, one, 0, KEYS), VEIL_OK);
	cr_assert_eq(read_by(&back, one, 1, 2), VEIL_E_INVALID);
	cr_assert_eq(back.sequence, 0, "nothing is given out");
	cr_assert_eq(read_by(&back, one, 0, 0), VEIL_E_INVALID);
	cr_assert_eq(wire_signed_read_any(&back, one, NULL), VEIL_OK);
	cr_assert_eq(read_by(&back, two, 0, 1), VEIL_E_INVALID, "naming a key as trusted is not signing");
	cr_assert_eq(read_by(&back, two, 1, 1), VEIL_OK);
	cr_assert_eq(read_by(&back, two, 2, 1), VEIL_OK);
	cr_assert(one.size == again.size && memcmp(one.data, again.data, one.size) == 0,
		"the same bytes for all");
	cr_assert(wire_signed_has(&back, WIRE_SIGNED_CONFIG, s.objects[0].hash));
	cr_assert(!wire_signed_has(&back, WIRE_SIGNED_INDEX, s.objects[0].hash));
	cr_assert_eq(
		memcmp(wire_signed_first(&back, WIRE_SIGNED_CODEBOOK), s.objects[2].hash, HASH_BYTES), 0);
	drop(one), drop(two), drop(again);
}

Test(signed, every_cut_and_every_flipped_bit_is_refused)
{
	struct wire_signed s = example(), back;
	struct bytes good = write_with(&s, 0, 2);
	uint8_t *copy = malloc(good.size + 1);

	for (size_t n = 0; n < good.size; n++)
		cr_assert_eq(read_by(&back, (struct bytes){good.data, n}, 0, 1), VEIL_E_MALFORMED,
			"cut at %zu", n);
	memcpy(copy, good.data, good.size);
	copy[good.size] = 0;
	cr_assert_eq(read_by(&back, (struct bytes){copy, good.size + 1}, 0, 1), VEIL_E_MALFORMED);
	for (size_t bit = 0; bit < 8 * good.size; bit++) {
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_eq(read_by(&back, (struct bytes){copy, good.size}, 0, 1), VEIL_E_MALFORMED,
			"bit %zu", bit);
		cr_assert_eq(back.sequence, 0);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	free(copy);
	drop(good);
}

Test(signed, the_signature_of_another_object_does_not_do)
{
	struct wire_signed s = example(), back;
	struct bytes a = write_with(&s, 0, 1), b;

	s.sequence++;
	b = write_with(&s, 0, 1);
	cr_assert_eq(a.size, b.size);
	memcpy((uint8_t *)(uintptr_t)b.data + b.size - SIGN_BYTES, a.data + a.size - SIGN_BYTES, SIGN_BYTES);
	cr_assert_eq(read_by(&back, b, 0, 1), VEIL_E_MALFORMED);
	drop(a), drop(b);
}

Test(signed, a_configuration_that_says_what_cannot_be_is_not_signed)
{
	struct wire_signed good = example();

#define WRONG(change)                                                                                     \
	do {                                                                                              \
		struct wire_signed s = good;                                                              \
		uint8_t *out;                                                                             \
		size_t size;                                                                              \
                                                                                                          \
		change;                                                                                   \
		cr_assert_eq(wire_signed_write(                                                           \
				     &out, &size, &s, (const uint8_t(*)[SIGN_SEED_BYTES])seeds, 1, NULL), \
			VEIL_E_INVALID, "%s", #change);                                                   \
		cr_assert_null(out);                                                                      \
	} while (0)
	WRONG(s.sequence = 0);
	WRONG(s.not_before = -1);
	WRONG(s.not_after = s.not_before);
	WRONG(s.not_after = INT64_MAX);
	WRONG(s.authority[0] = 0);
	WRONG(snprintf(s.authority, sizeof s.authority, "%s", "Search.example"));
	WRONG(snprintf(s.authority, sizeof s.authority, "%s", "a/b"));
	WRONG(snprintf(s.authority, sizeof s.authority, "%s", "a b"));
	WRONG(s.key_count = 0);
	WRONG(s.key_count = WIRE_SIGNED_MAX_KEYS + 1);
	WRONG((s.key_count = 2, memcpy(s.keys[1], s.keys[0], SIGN_PUBLIC_BYTES)));
	WRONG(s.object_count = WIRE_SIGNED_MAX_OBJECTS + 1);
	WRONG(s.objects[1] = s.objects[0]);
	WRONG(s.objects[1].kind = 0);
#undef WRONG
}

Test(signed, it_is_valid_from_its_first_second_to_the_one_before_its_last)
{
	static const struct {
		int64_t now;
		enum veil_status status;
	} cases[] = {{0, VEIL_E_VERSION}, {999, VEIL_E_VERSION}, {1000, VEIL_OK}, {1999, VEIL_OK},
		{2000, VEIL_E_VERSION}, {INT64_MAX, VEIL_E_VERSION}};
	struct wire_signed s = example();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_assert_eq(wire_signed_check_time(&s, cases[i].now, NULL), cases[i].status, "case %zu", i);
}

/* RFC 8032 7.1, TEST 2. */
Test(signed, signatures_are_those_of_rfc_8032)
{
	static const uint8_t seed[] = {0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46,
		0xec, 0x11, 0x4e, 0x0f, 0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6,
		0xed, 0x4f, 0xb8, 0xa6, 0xfb};
	static const uint8_t key[] = {0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a, 0xa7,
		0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c, 0xc0, 0xcd, 0x55,
		0xf1, 0x2a, 0xf4, 0x66, 0x0c};
	static const uint8_t begin[] = {0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8};
	uint8_t public_key[SIGN_PUBLIC_BYTES], signature[SIGN_BYTES], message = 0x72;

	sign_public_key(public_key, seed);
	cr_assert_eq(memcmp(public_key, key, sizeof key), 0);
	sign_make(signature, &message, 1, seed);
	cr_assert_eq(memcmp(signature, begin, sizeof begin), 0);
	cr_assert(sign_verify(signature, &message, 1, key));
	message++;
	cr_assert(!sign_verify(signature, &message, 1, key));
	memset(public_key, 0, sizeof public_key); /* of small order */
	public_key[0] = 1;
	memset(signature, 0, sizeof signature);
	signature[0] = 1;
	cr_assert(!sign_verify(signature, &message, 1, public_key));
}
