/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <criterion/criterion.h>

#include "support/test.h"

/* FIPS 180-4 examples */
static const struct {
	const char *text;
	const char *hex;
} known[] = {
	{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

Test(hash, is_sha256)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		uint8_t hash[HASH_BYTES];
		char hex[HASH_HEX_SIZE];

		hash_sha256(hash, known[i].text, strlen(known[i].text));
		hash_hex(hex, hash);
		cr_assert_str_eq(hex, known[i].hex);
	}
}

Test(hash, pieces_hash_as_the_whole_and_reset_starts_again)
{
	struct rng rng = test_rng();
	struct hash *h = hash_create();
	uint8_t data[1000], whole[HASH_BYTES], pieces[HASH_BYTES];

	rng_fill(&rng, data, sizeof data);
	hash_sha256(whole, data, sizeof data);
	for (int round = 0; round < 20; round++) {
		hash_reset(h);
		for (size_t at = 0; at < sizeof data;) {
			size_t size = test_below(&rng, 300);

			size = size < sizeof data - at ? size : sizeof data - at;
			hash_add(h, data + at, size);
			at += size;
		}
		hash_end(h, pieces);
		cr_assert_arr_eq(pieces, whole, HASH_BYTES);
	}
	hash_destroy(h);
	hash_destroy(NULL);
}
