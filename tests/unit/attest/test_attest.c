/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/attest.h"

#include <criterion/criterion.h>
#include <string.h>

#include "support/test.h"

#define NOW 1900000000u
#define AGE 3600u

static const uint8_t seed[SIGN_SEED_BYTES] = {1, 2, 3};
static uint8_t key[SIGN_PUBLIC_BYTES];

static void make(uint8_t bytes[ATTEST_BYTES], uint64_t issued)
{
	struct attest a = {.issued = issued, .users = 1234567, .epoch_seconds = 60, .epochs = 200};

	attest_scope(a.scope, "/veil");
	attest_write(bytes, &a, seed);
	sign_public_key(key, seed);
}

static enum veil_status read_at(const uint8_t *bytes, size_t size, uint64_t now)
{
	struct attest a;
	enum veil_status st = attest_read(&a, bytes, size, key, "/veil", now, AGE, NULL);

	cr_assert_eq(a.users, st == VEIL_OK ? 1234567u : 0u);
	return st;
}

Test(attest, ed25519_gives_the_first_two_signatures_of_rfc_8032)
{
	static const uint8_t seed1[SIGN_SEED_BYTES] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba,
		0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19,
		0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
	static const uint8_t public1[] = {0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7};
	static const uint8_t signature1[] = {0xe5, 0x56, 0x43, 0x00, 0xc3, 0x60, 0xac, 0x72};
	uint8_t public_key[SIGN_PUBLIC_BYTES], signature[SIGN_BYTES];

	sign_public_key(public_key, seed1);
	cr_assert_arr_eq(public_key, public1, sizeof public1);
	sign_make(signature, "", 0, seed1);
	cr_assert_arr_eq(signature, signature1, sizeof signature1);
	cr_assert(sign_verify(signature, "", 0, public_key));
	cr_assert(!sign_verify(signature, "x", 1, public_key));
}

Test(attest, what_the_relay_signed_is_read)
{
	uint8_t bytes[ATTEST_BYTES];
	struct attest a;

	make(bytes, NOW);
	cr_assert(attest_read(&a, bytes, sizeof bytes, key, "/veil", NOW, AGE, NULL) == VEIL_OK);
	cr_assert(a.issued == NOW && a.users == 1234567 && a.epoch_seconds == 60 && a.epochs == 200);
}

Test(attest, forged_ones_are_refused)
{
	uint8_t bytes[ATTEST_BYTES], other[SIGN_PUBLIC_BYTES], other_seed[SIGN_SEED_BYTES] = {9};
	struct attest a;

	make(bytes, NOW);
	for (size_t i = 0; i < 8 * sizeof bytes; i++) {
		bytes[i / 8] ^= (uint8_t)(1 << i % 8);
		cr_assert_eq(read_at(bytes, sizeof bytes, NOW), VEIL_E_MALFORMED, "bit %zu", i);
		bytes[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t size = 0; size < sizeof bytes; size++)
		cr_assert_eq(read_at(bytes, size, NOW), VEIL_E_MALFORMED);
	sign_public_key(other, other_seed);
	cr_assert_eq(attest_read(&a, bytes, sizeof bytes, other, "/veil", NOW, AGE, NULL), VEIL_E_MALFORMED);
	cr_assert_eq(attest_read(&a, bytes, sizeof bytes, key, "/other", NOW, AGE, NULL), VEIL_E_MALFORMED);
	cr_assert_eq(read_at(bytes, sizeof bytes, NOW), VEIL_OK);
}

Test(attest, stale_ones_and_those_of_the_future_are_refused)
{
	uint8_t bytes[ATTEST_BYTES];

	make(bytes, NOW);
	cr_assert_eq(read_at(bytes, sizeof bytes, NOW + AGE), VEIL_OK);
	cr_assert_eq(read_at(bytes, sizeof bytes, NOW + AGE + 1), VEIL_E_VERSION);
	cr_assert_eq(read_at(bytes, sizeof bytes, NOW - ATTEST_AHEAD_SECONDS), VEIL_OK);
	cr_assert_eq(read_at(bytes, sizeof bytes, NOW - ATTEST_AHEAD_SECONDS - 1), VEIL_E_VERSION);
	make(bytes, UINT64_MAX);
	cr_assert_eq(read_at(bytes, sizeof bytes, NOW), VEIL_E_VERSION);
}

/* Exactly: of n + 1 different counts in every position of the last one. */
Test(attest, the_next_count_is_below_the_bound_at_most_once_in_a_hundred)
{
	uint32_t counts[ATTEST_MAX_EPOCHS], n_of[] = {99, 150, 199, 200, 500, 1000};

	for (size_t i = 0; i < sizeof n_of / sizeof *n_of; i++) {
		uint32_t n = n_of[i], below = 0;

		for (uint32_t last = 0; last <= n; last++) {
			for (uint32_t j = 0; j < n; j++)
				counts[(j * 7919u) % n] = 10 + j + (j >= last);
			below += 10 + last < attest_lower_bound(counts, n);
		}
		cr_assert_leq(100 * below, n + 1, "%u of %u", below, n + 1);
		cr_assert_geq(
			100 * below + 200, n + 1, "the bound is needlessly low: %u of %u", below, n + 1);
	}
}

Test(attest, without_99_epochs_nothing_is_said)
{
	uint32_t counts[ATTEST_MIN_EPOCHS];

	for (size_t i = 0; i < ATTEST_MIN_EPOCHS; i++)
		counts[i] = 1000;
	cr_assert_eq(attest_lower_bound(counts, ATTEST_MIN_EPOCHS - 1), 0);
	cr_assert_eq(attest_lower_bound(counts, ATTEST_MIN_EPOCHS), 1000);
	cr_assert_eq(attest_lower_bound(counts, 0), 0);
}
