/* SPDX-License-Identifier: Apache-2.0 */
#include "bfv/rotate.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bfv/noise.h"
#include "ring/prime.h"
#include "support/bfv.h"
#include "support/test.h"

#define MAX_N 8192

static struct test_bfv b;
static struct rng rng;
static struct arena scratch;
static size_t n;
static uint64_t values[MAX_N], got[MAX_N];

static const char *const sets[] = {"insecure_n_8_logq_5x18_logt_5", "n_4096_logq_27_28_28_logt_17",
	"n_8192_logq_3x36_logt_22", "n_8192_logq_3x55_logt_24", "n_8192_logq_28_60_60_logt_20"};
#define SETS (sizeof sets / sizeof *sets)

static void start(const char *set)
{
	test_bfv_init(&b, rlwe_params_find(set), 20, test_below(&rng, UINT64_MAX), cpu_features());
	n = b.ctx->ring->n;
	cr_assert_eq(arena_init(&scratch, bfv_rotate_scratch(b.ctx, b.ctx->level) + bfv_plan_scratch(b.ctx) +
						  rlwe_digits_bytes(b.ctx->ring, b.ctx->level)),
		VEIL_OK);
	for (size_t i = 0; i < n; i++)
		values[i] = test_residue(&rng, b.ctx->t.q);
}

static void end(void)
{
	cr_assert_eq(scratch.used, 0);
	arena_clear(&scratch);
	test_bfv_clear(&b);
}

/* Slot i of the image is that many slots to the left, or in the other row. */
static void expect_slots(const struct rlwe_ciphertext *ct, size_t left, bool swap, const char *what)
{
	const size_t row = n / 2;

	test_bfv_decrypt(&b, got, ct, BFV_SIMD);
	for (size_t i = 0; i < n; i++) {
		const size_t from = (i % row + left) % row + ((i >= row) != swap ? row : 0);

		cr_assert_eq(got[i], values[from], "%s: %s, slot %zu", b.ctx->params->name, what, i);
	}
}

static void expect_equal(const struct rlwe_ciphertext *x, const struct rlwe_ciphertext *y, const char *what)
{
	for (unsigned k = 0; k < 2; k++)
		for (unsigned i = 0; i < rlwe_ciphertext_level(x); i++)
			cr_assert_arr_eq(ring_poly_row(&x->poly[k], i), ring_poly_row(&y->poly[k], i),
				ring_prime_bytes(&b.ctx->ring->primes[i]), "%s: %s", b.ctx->params->name,
				what);
}

static struct rlwe_digits digits_of(const struct rlwe_ciphertext *ct)
{
	const unsigned level = rlwe_ciphertext_level(ct);
	struct rlwe_digits digits;

	rlwe_digits_init(
		&digits, b.ctx->ring, level, arena_take(&b.memory, rlwe_digits_bytes(b.ctx->ring, level)));
	rlwe_decompose(&digits, &ct->poly[1], &scratch);
	return digits;
}

Test(rotate, rows_rotate_and_swap_at_every_level_in_both_formats_and_hoisted)
{
	rng = test_rng();
	for (size_t s = 0; s < SETS; s++) {
		struct rlwe_evalkey keys;
		struct rlwe_ciphertext ct, out, hoisted;
		uint32_t elements[3];
		unsigned checked = 0;

		start(sets[s]);
		elements[0] = ring_galois_element_rotate(b.ctx->ring->log_n, -1);
		elements[1] = ring_galois_element_rotate(b.ctx->ring->log_n, 1);
		elements[2] = ring_galois_element_swap(b.ctx->ring->log_n);
		test_bfv_keys(&b, &keys, elements, 3, false);
		ct = test_bfv_encrypt(&b, values, BFV_SIMD, RING_EVALUATION);
		out = test_bfv_ciphertext(&b, 2, b.ctx->level, RING_EVALUATION);
		hoisted = test_bfv_ciphertext(&b, 2, b.ctx->level, RING_EVALUATION);
		for (unsigned level = b.ctx->level; level >= 1; level--) {
			struct rlwe_digits digits;

			rlwe_modswitch_to(&ct, level, &b.arena);
			if (test_bfv_noise(&b, &ct).budget < 6)
				break;
			digits = digits_of(&ct);
			for (unsigned e = 0; e < 3; e++, checked++) {
				static const char *const names[] = {"left", "right", "swapped"};
				const size_t left = e == 0 ? 1 : e == 1 ? n / 2 - 1 : 0;
				const struct rlwe_galois_key *key = rlwe_evalkey_find(&keys, elements[e]);

				bfv_apply_galois_hoisted(b.ctx, &hoisted, &ct, &digits, key, &scratch);
				expect_slots(&hoisted, left, e == 2, names[e]);
				bfv_apply_galois(b.ctx, &out, &ct, key, &scratch);
				expect_equal(&out, &hoisted, "hoisted");
				rlwe_ciphertext_copy(&out, &ct);
				rlwe_ciphertext_transform(&out, RING_COEFFICIENT);
				bfv_apply_galois(b.ctx, &out, &out, key, &scratch); /* in place */
				cr_assert_eq(rlwe_ciphertext_format(&out), RING_COEFFICIENT);
				expect_slots(&out, left, e == 2, "in coefficient format");
			}
		}
		cr_assert_geq(checked, 3);
		end();
	}
}

/* docs/protocol.md, log2 of the standard deviation of t phase / q - m */
static void expect_noise(const struct rlwe_ciphertext *ct, double variance, const char *what)
{
	double log_q = 0, rms = test_bfv_noise(&b, ct).rms, want;

	for (unsigned i = 0; i < rlwe_ciphertext_level(ct); i++)
		log_q += log2((double)b.ctx->ring->primes[i].p.q);
	want = log2((double)b.ctx->t.q) + log2(variance) / 2 - log_q;
	cr_assert_float_eq(
		rms, want, 0.2, "%s, %s: 2^%.2f, not 2^%.2f", b.ctx->params->name, what, rms, want);
}

Test(rotate, noise_of_rotations_and_of_their_sums_is_that_of_the_formulas)
{
	rng = test_rng();
	for (size_t s = 1; s < SETS; s++) {
		struct rlwe_evalkey keys;
		struct rlwe_ciphertext ct, out;
		struct rlwe_digits digits;
		struct rlwe_wide wide;
		uint32_t elements[4];
		const double fresh = RLWE_CBD21_VARIANCE + 1 / 12.0;
		double rounding, key;

		start(sets[s]);
		rounding = bfv_noise_rounding(b.ctx);
		key = bfv_noise_key(b.ctx, b.ctx->level);
		for (int i = 0; i < 4; i++)
			elements[i] = ring_galois_element_rotate(b.ctx->ring->log_n, -(1 << i));
		test_bfv_keys(&b, &keys, elements, 4, false);
		ct = test_bfv_encrypt(&b, values, BFV_SIMD, RING_EVALUATION);
		out = test_bfv_ciphertext(&b, 2, b.ctx->level, RING_EVALUATION);
		bfv_apply_galois(b.ctx, &out, &ct, &keys.galois[0], &scratch);
		expect_noise(&out, bfv_noise_switched(b.ctx, b.ctx->level, fresh), "a rotation");
		digits = digits_of(&ct);
		rlwe_wide_init(&wide, b.ctx->ring, b.ctx->level,
			arena_take(&b.memory, rlwe_wide_bytes(b.ctx->ring, b.ctx->level)));
		for (unsigned i = 0; i < 4; i++)
			bfv_apply_galois_wide(b.ctx, &wide, i > 0, &ct, &digits, &keys.galois[i], &scratch);
		rlwe_wide_divide(&out, &wide, RING_EVALUATION, &scratch);
		expect_noise(&out, 4 * (fresh + key) + rounding, "four rotations, divided once");
		test_bfv_decrypt(&b, got, &out, BFV_SIMD);
		for (size_t i = 0; i < n; i++) {
			uint64_t sum = 0;

			for (unsigned k = 0; k < 4; k++)
				sum += values[(i + (1u << k)) % (n / 2) + (i < n / 2 ? 0 : n / 2)];
			cr_assert_eq(got[i], sum % b.ctx->t.q);
		}
		end();
	}
}

Test(rotate, plans_compose_what_keys_there_are)
{
	struct rlwe_evalkey keys;
	struct rlwe_ciphertext ct, out;
	struct bfv_plan plan;
	struct veil_error err;
	uint32_t elements[4];

	rng = test_rng();
	start("n_8192_logq_3x36_logt_22");
	elements[0] = ring_galois_element_rotate(b.ctx->ring->log_n, -1);
	elements[1] = ring_galois_element_rotate(b.ctx->ring->log_n, -16);
	elements[2] = ring_galois_element_rotate(b.ctx->ring->log_n, 256);
	elements[3] = ring_galois_element_swap(b.ctx->ring->log_n);
	test_bfv_keys(&b, &keys, elements, 4, false);
	ct = test_bfv_encrypt(&b, values, BFV_SIMD, RING_EVALUATION);
	out = test_bfv_ciphertext(&b, 2, b.ctx->level, RING_EVALUATION);
	for (int round = 0; round < 8; round++) {
		const int left = round < 2 ? round * 17
					   : (int)test_below(&rng, 20) + 16 * (int)test_below(&rng, 5),
			  right = round < 2 ? 0 : 256 * (int)test_below(&rng, 3);

		cr_assert_eq(bfv_plan_rotation(&plan, b.ctx, &keys, right - left, &scratch, &err), VEIL_OK,
			"%s", err.text);
		cr_assert(round != 1 || plan.count == 2);
		bfv_apply_plan(b.ctx, &out, &ct, &plan, &scratch);
		expect_slots(&out, (size_t)(n / 2 + (size_t)left - (size_t)right) % (n / 2), false, "plan");
	}
	keys.galois_count = 1; /* too many steps of one */
	cr_assert_eq(bfv_plan_rotation(&plan, b.ctx, &keys, -100, &scratch, &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "-100"));
	keys.galois_count = 0;
	cr_assert_eq(bfv_plan_rotation(&plan, b.ctx, &keys, 1, &scratch, &err), VEIL_E_INVALID);
	end();
}

/* Of more terms than one sum of a 60-bit prime holds. */
Test(rotate, inner_products_with_plaintexts)
{
	static const size_t counts[] = {1, 2, 5, 130};

	rng = test_rng();
	for (size_t s = 2; s < SETS; s++) {
		start(sets[s]);
		for (size_t c = 0; c < 4; c++) {
			const size_t mark = arena_mark(&b.memory);
			struct rlwe_ciphertext ct[2],
				out = test_bfv_ciphertext(&b, 2, b.ctx->level, RING_COEFFICIENT);
			struct ring_poly factor[2];
			const struct rlwe_ciphertext *a[130];
			const struct ring_poly *f[130];
			uint64_t weights[2][4];

			for (unsigned k = 0; k < 2; k++) {
				uint64_t sparse[MAX_N] = {0};
				void *plain = test_bfv_plaintext(&b);

				for (unsigned i = 0; i < 4; i++)
					sparse[i] = weights[k][i] = test_below(&rng, 100);
				cr_assert_eq(bfv_encode(b.ctx, plain, sparse, n, BFV_SIMD, NULL), VEIL_OK);
				factor[k] = test_bfv_poly(&b, b.ctx->level, RING_COEFFICIENT);
				bfv_lift(b.ctx, &factor[k], plain, &b.arena);
				ct[k] = test_bfv_encrypt(&b, values, BFV_SIMD, RING_EVALUATION);
			}
			for (size_t i = 0; i < counts[c]; i++) {
				a[i] = &ct[i % 2];
				f[i] = &factor[i % 3 % 2];
			}
			bfv_inner_plain(&out, a, f, counts[c], &scratch);
			if (test_bfv_noise(&b, &out).budget < 0.5)
				continue;
			test_bfv_decrypt(&b, got, &out, BFV_SIMD);
			for (size_t i = 0; i < n; i++) {
				uint64_t sum = 0;

				for (size_t k = 0; i < 4 && k < counts[c]; k++)
					sum = (sum + prime_mul(
							     values[i], weights[k % 3 % 2][i], b.ctx->t.q)) %
					      b.ctx->t.q;
				cr_assert_eq(got[i], sum);
			}
			arena_release(&b.memory, mark);
		}
		end();
	}
}
