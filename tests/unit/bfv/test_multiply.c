/* SPDX-License-Identifier: Apache-2.0 */
#include "bfv/multiply.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "bfv/noise.h"
#include "ring/prime.h"
#include "support/bfv.h"
#include "support/test.h"

#define MAX_N 8192

static struct test_bfv b;
static struct rng rng;
static struct arena scratch;
static struct bfv_multiplier *m;
static struct rlwe_evalkey keys;
static size_t n;
static uint64_t values[2][MAX_N], got[MAX_N];

static const char *const sets[] = {"n_4096_logq_27_28_28_logt_16", "n_8192_logq_3x36_logt_22",
	"n_8192_logq_3x55_logt_24", "n_8192_logq_28_60_60_logt_20", "n_8192_logq_40_60_60_logt_26",
	"n_8192_logq_3x55_logt_42"};
#define SETS (sizeof sets / sizeof *sets)

static void start(const char *set, unsigned level)
{
	struct veil_error err;

	test_bfv_init(&b, rlwe_params_find(set), 20, test_below(&rng, UINT64_MAX), cpu_features());
	n = b.ctx->ring->n;
	level = level ? level : b.ctx->level;
	cr_assert_eq(bfv_multiplier_create(&m, b.ctx, level, cpu_features(), &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(arena_init(&scratch, bfv_multiply_scratch(m)), VEIL_OK);
	test_bfv_keys(&b, &keys, NULL, 0, true);
	for (size_t i = 0; i < n; i++) {
		values[0][i] = test_residue(&rng, b.ctx->t.q);
		values[1][i] = test_residue(&rng, b.ctx->t.q);
	}
}

static void end(void)
{
	cr_assert_eq(scratch.used, 0);
	bfv_multiplier_destroy(m);
	arena_clear(&scratch);
	test_bfv_clear(&b);
}

static double log_q(void)
{
	double sum = 0;

	for (unsigned i = 0; i < b.ctx->level; i++)
		sum += log2((double)b.ctx->ring->primes[i].p.q);
	return sum;
}

static void expect_product(const struct rlwe_ciphertext *ct, unsigned x, unsigned y, double variance)
{
	const struct secret_bfv_noise noise = test_bfv_noise(&b, ct);
	const double want = log2((double)b.ctx->t.q) + log2(variance) / 2 - log_q();

	cr_assert_float_eq(
		noise.rms, want, 0.2, "%s: 2^%.2f, not 2^%.2f", b.ctx->params->name, noise.rms, want);
	if (noise.budget < 0.01)
		return;
	test_bfv_decrypt(&b, got, ct, BFV_SIMD);
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(got[i], prime_mul(values[x][i], values[y][i], b.ctx->t.q), "%s, slot %zu",
			b.ctx->params->name, i);
}

Test(multiply, products_and_their_noise_before_and_after_relinearisation)
{
	rng = test_rng();
	for (size_t s = 0; s < SETS; s++) {
		struct rlwe_ciphertext ct[2], out;
		double product;

		start(sets[s], 0);
		product =
			bfv_noise_times(b.ctx, b.ctx->level, bfv_noise_fresh(b.ctx), bfv_noise_fresh(b.ctx));
		out = test_bfv_ciphertext(&b, 3, b.ctx->level, RING_EVALUATION);
		for (unsigned i = 0; i < 2; i++)
			ct[i] = test_bfv_encrypt(
				&b, values[i], BFV_SIMD, i ? RING_EVALUATION : RING_COEFFICIENT);
		for (unsigned y = 0; y < 2; y++) {
			bfv_multiply(m, &out, &ct[1], &ct[y], &scratch);
			cr_assert_eq(out.count, 3);
			expect_product(&out, 1, y, y == 1 ? 2 * product : product);
			rlwe_ciphertext_transform(&out, y ? RING_EVALUATION : RING_COEFFICIENT);
			bfv_relinearize(&out, &keys, &scratch);
			cr_assert_eq(out.count, 2);
			expect_product(&out, 1, y,
				bfv_noise_switched(b.ctx, b.ctx->level, y == 1 ? 2 * product : product));
		}
		end();
	}
}

Test(multiply, inner_products_are_the_sums_of_products_divided_and_relinearised_once)
{
	static const size_t counts[] = {2, 7};

	rng = test_rng();
	for (size_t s = 1; s < 3; s++) {
		struct rlwe_ciphertext ct[7], out;
		const struct rlwe_ciphertext *x[7], *y[7];

		start(sets[s], 0);
		out = test_bfv_ciphertext(&b, 3, b.ctx->level, RING_EVALUATION);
		for (unsigned i = 0; i < 7; i++) {
			ct[i] = test_bfv_encrypt(
				&b, values[i % 2], BFV_SIMD, i % 3 ? RING_EVALUATION : RING_COEFFICIENT);
			x[i] = &ct[i];
		}
		for (unsigned i = 0; i < 7; i++)
			y[i] = &ct[(i + 1) % 7];
		for (size_t c = 0; c < 2; c++) {
			const double product = bfv_noise_times(
				b.ctx, b.ctx->level, bfv_noise_fresh(b.ctx), bfv_noise_fresh(b.ctx));
			struct secret_bfv_noise noise;
			double want;

			bfv_inner(m, &out, x, y, counts[c], &scratch);
			bfv_relinearize(&out, &keys, &scratch);
			noise = test_bfv_noise(&b, &out);
			want = log2((double)b.ctx->t.q) - log_q() +
			       log2(bfv_noise_switched(b.ctx, b.ctx->level, (double)counts[c] * product)) / 2;
			cr_assert_float_eq(noise.rms, want, 0.2, "%s: 2^%.2f, not 2^%.2f",
				b.ctx->params->name, noise.rms, want);
			cr_assert_gt(noise.budget, 0.1);
			test_bfv_decrypt(&b, got, &out, BFV_SIMD);
			for (size_t i = 0; i < n; i++) {
				uint64_t sum = 0;

				for (size_t k = 0; k < counts[c]; k++)
					sum = (sum + prime_mul(values[k % 2][i], values[(k + 1) % 7 % 2][i],
							     b.ctx->t.q)) %
					      b.ctx->t.q;
				cr_assert_eq(got[i], sum, "%s, %zu products, slot %zu", b.ctx->params->name,
					counts[c], i);
			}
		}
		end();
	}
}

Test(multiply, products_at_lower_levels)
{
	rng = test_rng();
	for (unsigned level = 1; level < 3; level++) {
		struct rlwe_ciphertext ct[2], out;

		start("insecure_n_512_logq_4x60_logt_20", level);
		out = test_bfv_ciphertext(&b, 3, level, RING_COEFFICIENT);
		for (unsigned i = 0; i < 2; i++) {
			ct[i] = test_bfv_encrypt(&b, values[i], BFV_SIMD, RING_COEFFICIENT);
			rlwe_modswitch_to(&ct[i], level, &b.arena);
		}
		bfv_multiply(m, &out, &ct[0], &ct[1], &scratch);
		bfv_relinearize(&out, &keys, &scratch);
		cr_assert_eq(rlwe_ciphertext_level(&out), level);
		cr_assert_gt(test_bfv_noise(&b, &out).budget, 4);
		test_bfv_decrypt(&b, got, &out, BFV_SIMD);
		for (size_t i = 0; i < n; i++)
			cr_assert_eq(got[i], prime_mul(values[0][i], values[1][i], b.ctx->t.q));
		end();
	}
}

/* Products, rotations and sums, until the noise would be too large: what was not refused decrypts. */
Test(multiply, random_circuits_compute_until_they_are_refused)
{
	rng = test_rng();
	for (unsigned s = 0; s < 3; s++) {
		struct rlwe_evalkey rotations;
		struct rlwe_ciphertext acc, other, out;
		struct arena memory, room;
		struct veil_error err;
		double noise;
		unsigned products = 0;
		uint32_t element;

		start(sets[s], 0);
		element = ring_galois_element_rotate(b.ctx->ring->log_n, -1);
		cr_assert_eq(arena_init(&memory, rlwe_evalkey_room(b.ctx->ring, 1, false)), VEIL_OK);
		cr_assert_eq(arena_init(&room, bfv_rotate_scratch(b.ctx, b.ctx->level)), VEIL_OK);
		rlwe_evalkey_init(&rotations, b.ctx->ring, &element, 1, false, &memory);
		secret_evalkey_generate(&rotations, &b.key, &b.rng, b.drbg, &b.stream, &b.arena);
		acc = test_bfv_encrypt(&b, values[0], BFV_SIMD, RING_COEFFICIENT);
		out = test_bfv_ciphertext(&b, 3, b.ctx->level, RING_COEFFICIENT);
		noise = bfv_noise_fresh(b.ctx);
		for (;;) {
			const size_t mark = arena_mark(&b.memory), row = n / 2;
			const uint64_t op = test_below(&rng, 3), first = values[0][0],
				       second = values[0][row];
			double next;

			other = test_bfv_encrypt(&b, values[1], BFV_SIMD, RING_COEFFICIENT);
			next = op == 0	 ? bfv_noise_times(b.ctx, b.ctx->level, noise, bfv_noise_fresh(b.ctx))
			       : op == 1 ? noise + bfv_noise_fresh(b.ctx)
					 : noise;
			if (op != 1)
				next = bfv_noise_switched(b.ctx, b.ctx->level, next);
			if (bfv_noise_check(b.ctx, b.ctx->level, next, "the circuit", &err) != VEIL_OK)
				break;
			noise = next;
			if (op == 0) {
				bfv_multiply(m, &out, &acc, &other, &scratch);
				bfv_relinearize(&out, &keys, &scratch);
				rlwe_ciphertext_copy(&acc, &out);
				products++;
			} else if (op == 1) {
				bfv_add(&acc, &acc, &other);
			} else {
				bfv_apply_galois(b.ctx, &acc, &acc, &rotations.galois[0], &room);
			}
			for (size_t i = 0; i < n; i++)
				values[0][i] = op == 0	 ? prime_mul(values[0][i], values[1][i], b.ctx->t.q)
					       : op == 1 ? (values[0][i] + values[1][i]) % b.ctx->t.q
					       : i == row - 1 ? first
					       : i == n - 1   ? second
							      : values[0][i + 1];
			test_bfv_decrypt(&b, got, &acc, BFV_SIMD);
			cr_assert_arr_eq(got, values[0], n * sizeof *got, "%s, operation %u, %u products",
				b.ctx->params->name, (unsigned)op, products);
			cr_assert_leq(bfv_noise_bits_left(b.ctx, b.ctx->level, noise),
				test_bfv_noise(&b, &acc).budget + 0.2);
			arena_release(&b.memory, mark);
		}
		cr_assert(strstr(err.text, "bits for noise"));
		arena_clear(&memory);
		arena_clear(&room);
		end();
	}
}
