/* SPDX-License-Identifier: Apache-2.0 */
#include "bfv/encode.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "ring/packed.h"
#include "ring/prime.h"
#include "support/bfv.h"
#include "support/test.h"

static const char *const simd_sets[] = {"insecure_n_8_logq_5x18_logt_5", "n_4096_logq_27_28_28_logt_17",
	"n_8192_logq_3x55_logt_24", "n_8192_logq_3x55_logt_42"};
#define SIMD_SETS (sizeof simd_sets / sizeof *simd_sets)

static uint64_t values[32768], got[32768];
static int64_t signed_values[32768], signed_got[32768];

static uint64_t plain_get(const struct bfv_context *ctx, const void *plaintext, size_t i)
{
	return ctx->t.width == 4 ? ((const uint32_t *)plaintext)[i] : ((const uint64_t *)plaintext)[i];
}

static struct test_bfv open(const char *set)
{
	struct test_bfv b;

	test_bfv_init(&b, rlwe_params_find(set), 4, 1, cpu_features());
	return b;
}

Test(encode, coefficients_are_the_values_and_zeros)
{
	struct rng rng = test_rng();

	for (size_t s = 0; s < SIMD_SETS; s++) {
		struct test_bfv b = open(simd_sets[s]);
		void *plaintext = test_bfv_plaintext(&b);
		const size_t n = b.ctx->ring->n, count = test_below(&rng, n + 1);

		for (size_t i = 0; i < count; i++)
			values[i] = test_residue(&rng, b.ctx->t.q);
		cr_assert_eq(bfv_encode(b.ctx, plaintext, values, count, BFV_COEFFICIENT, NULL), VEIL_OK);
		for (size_t i = 0; i < n; i++)
			cr_assert_eq(plain_get(b.ctx, plaintext, i), i < count ? values[i] : 0);
		test_bfv_clear(&b);
	}
}

Test(encode, what_was_encoded_is_decoded_signed_or_not)
{
	struct rng rng = test_rng();

	for (size_t s = 0; s < SIMD_SETS; s++) {
		struct test_bfv b = open(simd_sets[s]);
		void *plaintext = test_bfv_plaintext(&b);
		const size_t n = b.ctx->ring->n;
		const int64_t half = (int64_t)(b.ctx->t.q / 2);

		for (enum bfv_encoding e = BFV_COEFFICIENT; e <= BFV_SIMD; e++) {
			for (size_t i = 0; i < n; i++) {
				values[i] = test_residue(&rng, b.ctx->t.q);
				signed_values[i] = (int64_t)test_residue(&rng, b.ctx->t.q) - half;
			}
			cr_assert_eq(bfv_encode(b.ctx, plaintext, values, n, e, NULL), VEIL_OK);
			bfv_decode(b.ctx, got, n, plaintext, e, &b.arena);
			cr_assert_arr_eq(got, values, n * sizeof *got);
			cr_assert_eq(bfv_encode_signed(b.ctx, plaintext, signed_values, n, e, NULL), VEIL_OK);
			bfv_decode_signed(b.ctx, signed_got, n, plaintext, e, &b.arena);
			cr_assert_arr_eq(signed_got, signed_values, n * sizeof *got);
			bfv_decode(b.ctx, got, n, plaintext, e, &b.arena);
			for (size_t i = 0; i < n; i++)
				cr_assert_eq(got[i], signed_values[i] < 0
							     ? b.ctx->t.q - (uint64_t)-signed_values[i]
							     : (uint64_t)signed_values[i]);
		}
		test_bfv_clear(&b);
	}
}

Test(encode, values_that_do_not_fit_are_refused_by_their_place)
{
	static const uint64_t above[] = {65537, 65538, (uint64_t)1 << 62, (uint64_t)1 << 63, UINT64_MAX};
	static const int64_t outside[] = {32769, -32769, INT64_MAX, INT64_MIN, -65536, 65536};
	struct test_bfv b = open("n_4096_logq_27_28_28_logt_17");
	void *plaintext = test_bfv_plaintext(&b);
	struct veil_error err;

	for (size_t i = 0; i < 5; i++) {
		values[7] = above[i];
		cr_assert_eq(bfv_encode(b.ctx, plaintext, values, 9, BFV_SIMD, &err), VEIL_E_INVALID);
		cr_assert_not_null(strstr(err.text, "value 7, "), "%s", err.text);
		cr_assert_not_null(strstr(err.text, "is not below t = 65537"), "%s", err.text);
		for (size_t j = 0; j < 4096; j++)
			cr_assert_eq(plain_get(b.ctx, plaintext, j), 0);
	}
	for (size_t i = 0; i < 6; i++) {
		signed_values[3] = outside[i];
		cr_assert_eq(bfv_encode_signed(b.ctx, plaintext, signed_values, 9, BFV_COEFFICIENT, &err),
			VEIL_E_INVALID);
		cr_assert_not_null(strstr(err.text, "value 3, "), "%s", err.text);
		cr_assert_not_null(strstr(err.text, "is not in -32768..32768"), "%s", err.text);
	}
	test_bfv_clear(&b);
}

/* brv((3^i - 1) / 2) and brv((15 - 3^i) / 2) for the powers 1 3 9 11 of 3 mod 16 */
Test(encode, the_slot_map_of_degree_8)
{
	static const uint16_t slots[] = {0, 4, 1, 5, 7, 3, 6, 2};
	struct test_bfv b = open("insecure_n_8_logq_5x18_logt_5");

	cr_assert_arr_eq(b.ctx->slots, slots, sizeof slots);
	cr_assert_eq(b.ctx->plain_ring->primes->root, 3);
	test_bfv_clear(&b);
}

static uint64_t value_at(const struct bfv_context *ctx, const void *plaintext, uint64_t x)
{
	uint64_t value = 0;

	for (size_t i = ctx->ring->n; i-- > 0;)
		value = (prime_mul(value, x, ctx->t.q) + plain_get(ctx, plaintext, i)) % ctx->t.q;
	return value;
}

Test(encode, slots_are_values_at_powers_of_the_minimum_root)
{
	static const uint64_t roots[] = {3, 13, 272, 103974551};
	struct rng rng = test_rng();

	for (size_t s = 0; s < SIMD_SETS; s++) {
		struct test_bfv b = open(simd_sets[s]);
		void *plaintext = test_bfv_plaintext(&b);
		const size_t n = b.ctx->ring->n;
		const uint64_t t = b.ctx->t.q;

		for (size_t i = 0; i < n; i++)
			values[i] = test_below(&rng, t);
		cr_assert_eq(bfv_encode(b.ctx, plaintext, values, n, BFV_SIMD, NULL), VEIL_OK);
		for (int round = 0; round < 20; round++) {
			const size_t i = test_below(&rng, n / 2);
			const uint64_t power = prime_pow(3, i, 2 * n);

			cr_assert_eq(value_at(b.ctx, plaintext, prime_pow(roots[s], power, t)), values[i]);
			cr_assert_eq(value_at(b.ctx, plaintext, prime_pow(roots[s], 2 * n - power, t)),
				values[n / 2 + i]);
		}
		test_bfv_clear(&b);
	}
}

Test(encode, contexts_are_of_sets_for_bfv_and_of_secure_ones_but_in_tests)
{
	static const struct {
		const char *set, *says;
	} refused[] = {
		{"search_n2048_q28", "not a set for BFV"},
		{"insecure_n_8_logq_5x18_logt_5", "an insecure set"},
		{"insecure_n_512_logq_4x60_logt_20", "an insecure set"},
	};
	struct bfv_context *ctx;
	struct veil_error err;

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		cr_assert_eq(bfv_context_create(&ctx, rlwe_params_find(refused[i].set), false, 0, &err),
			VEIL_E_INVALID);
		cr_assert_null(ctx);
		cr_assert_not_null(strstr(err.text, refused[i].says), "%s", err.text);
	}
	cr_assert_eq(
		bfv_context_create(&ctx, rlwe_params_find("n_4096_logq_27_28_28_logt_5"), false, 0, &err),
		VEIL_OK, "%s", err.text);
	bfv_context_destroy(ctx);
}

Test(encode, sets_without_slots_say_so)
{
	struct test_bfv b = open("n_4096_logq_27_28_28_logt_13");

	cr_assert_null(b.ctx->slots);
	cr_assert_null(b.ctx->plain_ring);
	test_bfv_clear(&b);
}

Test(encode, slots_of_a_set_without_them_abort, .signal = SIGABRT)
{
	struct test_bfv b = open("n_4096_logq_27_28_28_logt_13");
	enum veil_status st = bfv_encode(b.ctx, test_bfv_plaintext(&b), values, 1, BFV_SIMD, NULL);

	cr_assert_eq(st, VEIL_OK);
}

Test(encode, a_factor_has_centred_coefficients)
{
	static const char *const sets[] = {"insecure_n_8_logq_5x18_logt_5", "n_4096_logq_27_28_28_logt_17",
		"n_8192_logq_3x55_logt_42", "n_8192_logq_28_60_60_logt_20"};
	struct rng rng = test_rng();

	for (size_t s = 0; s < 4; s++) {
		struct test_bfv b = open(sets[s]);
		void *plaintext = test_bfv_plaintext(&b);
		struct ring_poly factor = test_bfv_poly(&b, b.ctx->ring->count, RING_COEFFICIENT);
		const uint64_t t = b.ctx->t.q;

		for (size_t i = 0; i < b.ctx->ring->n; i++)
			values[i] = i < 2 ? t / 2 + i : test_residue(&rng, t);
		cr_assert_eq(
			bfv_encode(b.ctx, plaintext, values, b.ctx->ring->n, BFV_COEFFICIENT, NULL), VEIL_OK);
		bfv_lift(b.ctx, &factor, plaintext, &b.arena);
		cr_assert_eq(factor.format, RING_EVALUATION);
		ring_poly_transform(&factor, RING_COEFFICIENT);
		for (unsigned i = 0; i < factor.level; i++) {
			const struct ring_prime *r = &b.ctx->ring->primes[i];

			for (size_t j = 0; j < r->n; j++)
				cr_assert_eq(ring_get(r, ring_poly_row(&factor, i), j),
					values[j] > t / 2 ? r->p.q - (t - values[j]) : values[j]);
		}
		test_bfv_clear(&b);
	}
}

/* Plaintext 0 of three databases that the tool of apple/swift-homomorphic-encryption (main 6867588) made:
 * vector i has the coordinates ((131 i + 71 j + i j mod 97) mod 255) - 127, scaled to norm `scale` and
 * rounded; slot c is coordinate c mod 2^ceil(log2 dimension) of vector c. The first 16 bytes of the SHA-256
 * of what it stores. */
static const struct {
	const char *set;
	size_t rows, dimension, padded;
	float scale;
	const char *hash;
} databases[] = {
	{"n_4096_logq_27_28_28_logt_17", 100, 128, 128, 175, "1541fce68038f82a398e84536c4973d2"},
	{"n_4096_logq_27_28_28_logt_16", 5000, 96, 128, 138, "9c240da8778fe49bbf3b5395626f84e8"},
	{"n_8192_logq_3x55_logt_24", 100, 768, 1024, 2036, "5e1a19942570f7d149c25e74b8f4ce7c"},
};

static float coordinate(size_t i, size_t j)
{
	return (float)((i * 131 + j * 71 + i * j % 97) % 255) - 127;
}

static int64_t quantised(size_t i, size_t j, size_t dimension, float scale)
{
	float squares = 0;

	if (j >= dimension)
		return 0;
	for (size_t k = 0; k < dimension; k++)
		squares += coordinate(i, k) * coordinate(i, k);
	return lroundf(coordinate(i, j) * scale / sqrtf(squares));
}

Test(encode, a_stored_plaintext_is_that_of_apple)
{
	for (size_t d = 0; d < sizeof databases / sizeof *databases; d++) {
		struct test_bfv b = open(databases[d].set);
		void *plaintext = test_bfv_plaintext(&b);
		struct ring_poly factor = test_bfv_poly(&b, b.ctx->level, RING_COEFFICIENT);
		const size_t n = b.ctx->ring->n, size = ring_packed_bytes(b.ctx->ring, b.ctx->level, 0);
		const size_t count = databases[d].rows < n ? databases[d].rows : n;
		uint8_t *bytes = malloc(size), hash[HASH_BYTES];
		char hex[HASH_HEX_SIZE];

		cr_assert_not_null(bytes);
		for (size_t i = 0; i < count; i++)
			signed_values[i] = quantised(
				i, i % databases[d].padded, databases[d].dimension, databases[d].scale);
		cr_assert_eq(
			bfv_encode_signed(b.ctx, plaintext, signed_values, count, BFV_SIMD, NULL), VEIL_OK);
		bfv_lift(b.ctx, &factor, plaintext, &b.arena);
		ring_pack(bytes, &factor, 0);
		hash_sha256(hash, bytes, size);
		hash_hex(hex, hash);
		cr_assert_eq(strncmp(hex, databases[d].hash, 32), 0, "%s: %s", databases[d].set, hex);
		free(bytes);
		test_bfv_clear(&b);
	}
}
