/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "support/test.h"

Test(rng, seeded_is_the_chacha20_keystream)
{
	/* zero key, zero nonce, blocks 0 and 1: draft-agl-tls-chacha20poly1305-04 section 7, RFC 8439 A.1 */
	static const uint8_t block0[] = {
		0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5};
	static const uint8_t block1[] = {
		0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba, 0x97, 0x7c};
	uint8_t out[128];
	struct rng_seeded state;
	struct rng rng = rng_seeded_init_u64(&state, 0);

	rng_fill(&rng, out, sizeof out);
	cr_assert_arr_eq(out, block0, sizeof block0);
	cr_assert_arr_eq(out + 64, block1, sizeof block1);
	/* each call starts at a new block */
	rng = rng_seeded_init_u64(&state, 0);
	rng_fill(&rng, out, 1);
	rng_fill(&rng, out, sizeof block1);
	cr_assert_arr_eq(out, block1, sizeof block1);
}

Test(rng, another_seed_is_another_stream)
{
	uint8_t a[32], b[32], seed[32] = {0};
	struct rng_seeded state;
	struct rng rng = rng_seeded_init_u64(&state, 1);

	rng_fill(&rng, a, sizeof a);
	rng = rng_seeded_init_u64(&state, (uint64_t)1 << 56);
	rng_fill(&rng, b, sizeof b);
	cr_assert_arr_neq(a, b, sizeof a);
	seed[7] = 1; /* the same number, as bytes */
	rng = rng_seeded_init(&state, seed);
	rng_fill(&rng, a, sizeof a);
	cr_assert_arr_eq(a, b, sizeof a);
}

Test(rng, the_system_does_not_repeat_itself)
{
	struct rng rng = rng_system();
	uint8_t a[32] = {0}, b[32] = {0};

	rng_fill(&rng, a, sizeof a);
	rng_fill(&rng, b, sizeof b);
	cr_assert_arr_neq(a, b, sizeof a);
}

Test(keystream, is_aes_128_ctr_from_zero)
{
	/* AES-128 of 0 and of 1 under the zero key: H and E(K, Y0) of test case 1 of the GCM specification */
	static const uint8_t want[] = {
		0x66, 0xe9, 0x4b, 0xd4, 0xef, 0x8a, 0x2c, 0x3b, 0x88, 0x4c, 0xfa, 0x59, 0xca, 0x34, 0x2b,
		0x2e, //
		0x58, 0xe2, 0xfc, 0xce, 0xfa, 0x7e, 0x30, 0x61, 0x36, 0x7f, 0x1d, 0x57, 0xa4, 0xe7, 0x45,
		0x5a, //
	};
	static const uint8_t key[16], other[16] = {1};
	struct keystream *ks = keystream_create();
	uint8_t out[sizeof want];

	cr_assert_not_null(ks);
	for (int round = 0; round < 3; round++) {
		keystream_key(ks, key);
		keystream_read(ks, out, sizeof out);
		cr_assert_arr_eq(out, want, sizeof want);
		keystream_key(ks, other);
		keystream_read(ks, out, 5); /* leaves a block half read: a new key starts afresh */
		cr_assert_arr_neq(out, want, 5);
	}
	keystream_destroy(ks);
	keystream_destroy(NULL);
}

Test(keystream, of_a_secret_key_is_aes_256_ctr_from_zero)
{
	/* AES-256 of 0 under the zero key: H of test case 13 of the GCM specification; of 1: E(K, Y0) of the
	 * same */
	static const uint8_t want[] = {
		0xdc, 0x95, 0xc0, 0x78, 0xa2, 0x40, 0x89, 0x89, 0xad, 0x48, 0xa2, 0x14, 0x92, 0x84, 0x20,
		0x87, //
		0x53, 0x0f, 0x8a, 0xfb, 0xc7, 0x45, 0x36, 0xb9, 0xa9, 0x63, 0xb4, 0xf1, 0xc4, 0xcb, 0x73,
		0x8b, //
	};
	static const uint8_t key[32];
	struct keystream *ks = keystream_create_secret(key);
	uint8_t out[sizeof want];

	cr_assert_not_null(ks);
	keystream_read(ks, out, sizeof out);
	cr_assert_arr_eq(out, want, sizeof want);
	keystream_destroy(ks);
}

Test(keystream, of_a_secret_key_cannot_be_rekeyed, .signal = SIGABRT)
{
	static const uint8_t key[32];

	keystream_key(keystream_create_secret(key), key);
}

Test(keystream, does_not_depend_on_how_it_is_cut)
{
	enum { SIZE = 100000 };
	static uint8_t whole[SIZE], cut[SIZE];
	struct rng rng = test_rng();
	struct keystream *ks = keystream_create();
	uint8_t key[16];

	rng_fill(&rng, key, sizeof key);
	keystream_key(ks, key);
	keystream_read(ks, whole, SIZE);
	keystream_key(ks, key);
	for (size_t at = 0; at < SIZE;) {
		size_t size = test_below(&rng, 40000);

		size = size < SIZE - at ? size : SIZE - at;
		keystream_read(ks, cut + at, size);
		at += size;
	}
	cr_assert_arr_eq(whole, cut, SIZE);
	keystream_destroy(ks);
}
