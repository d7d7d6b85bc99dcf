/* SPDX-License-Identifier: Apache-2.0 */
#include "bfv/pack.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "bfv/noise.h"
#include "ring/prime.h"
#include "secret/public.h"
#include "support/bfv.h"
#include "support/test.h"

#define MAX_N 8192
#define LOG_COUNT 3
#define COUNT (1 << LOG_COUNT)

static struct test_bfv b;
static struct rng rng;
static struct arena scratch;
static struct rlwe_evalkey keys;
static size_t n;
static uint64_t t, values[MAX_N], got[MAX_N];

static void start(const char *set)
{
	test_bfv_init(&b, rlwe_params_find(set), 40, test_below(&rng, UINT64_MAX), cpu_features());
	n = b.ctx->ring->n;
	t = b.ctx->t.q;
	cr_assert_eq(arena_init(&scratch, bfv_pack_scratch(b.ctx, b.ctx->level)), VEIL_OK);
	memset(values, 0, sizeof values);
}

static void end(void)
{
	cr_assert_eq(scratch.used, 0);
	arena_clear(&scratch);
	test_bfv_clear(&b);
}

/* log2 of the standard deviation of t phase / q - m, docs/protocol.md */
static void expect_noise(const struct rlwe_ciphertext *ct, double variance, const char *what)
{
	double want = log2((double)t) + log2(variance) / 2, rms = test_bfv_noise(&b, ct).rms;

	for (unsigned i = 0; i < rlwe_ciphertext_level(ct); i++)
		want -= log2((double)b.ctx->ring->primes[i].p.q);
	cr_assert_float_eq(
		rms, want, 0.2, "%s, %s: 2^%.2f, not 2^%.2f", b.ctx->params->name, what, rms, want);
}

static double switch_variance(void)
{
	return bfv_noise_switched(b.ctx, b.ctx->level, 0);
}

static const char *const sets[] = {"n_4096_logq_27_28_28_logt_5", "n_8192_logq_3x55_logt_24"};

Test(pack, expansion_selects)
{
	rng = test_rng();
	for (size_t s = 0; s < 2; s++) {
		struct rlwe_ciphertext ct, out[COUNT];
		uint32_t elements[LOG_COUNT];
		uint64_t inverse;

		start(sets[s]);
		inverse = prime_inverse(COUNT, t);
		for (size_t i = 0; i < COUNT; i++)
			values[i] = prime_mul(i % 3, inverse, t);
		bfv_expand_elements(elements, b.ctx, LOG_COUNT);
		test_bfv_keys(&b, &keys, elements, LOG_COUNT, false);
		ct = test_bfv_encrypt(&b, values, BFV_COEFFICIENT, RING_COEFFICIENT);
		for (size_t i = 0; i < COUNT; i++)
			out[i] = test_bfv_ciphertext(&b, 2, b.ctx->level, RING_COEFFICIENT);
		bfv_expand(b.ctx, out, &ct, LOG_COUNT, &keys, &scratch);
		for (size_t i = 0; i < COUNT; i++) {
			test_bfv_decrypt(&b, got, &out[i], BFV_COEFFICIENT);
			for (size_t k = 0; k < n; k++)
				cr_assert_eq(got[k], k ? 0 : i % 3, "%zu of ciphertext %zu", k, i);
			expect_noise(&out[i],
				COUNT * (RLWE_CBD21_VARIANCE + 1 / 12.0) + (COUNT - 1) * switch_variance(),
				"expansion");
		}
		end();
	}
}

#define PACK_LOG 5
#define PACKED (1 << PACK_LOG)
#define ROUNDS 16 /* the noise is that of the packed coefficients, which are few */

/* Extracts at random, packs; returns the variance of t phase / q - m. */
static double pack_once(const struct rlwe_ciphertext *ct, struct rlwe_ciphertext *out)
{
	size_t from[PACKED];

	for (size_t i = 0; i < PACKED; i++) {
		from[i] = test_below(&rng, n);
		bfv_extract(&out[i], ct, from[i]);
	}
	test_bfv_decrypt(&b, got, &out[1], BFV_COEFFICIENT);
	cr_assert_eq(got[0], values[from[1]]);
	bfv_pack(b.ctx, out, PACK_LOG, &keys, &scratch);
	test_bfv_decrypt(&b, got, &out[0], BFV_COEFFICIENT);
	for (size_t k = 0; k < n; k++)
		cr_assert_eq(got[k], k % (n / PACKED) ? 0 : values[from[k / (n / PACKED)]], "%zu", k);
	return exp2(2 * test_bfv_noise(&b, &out[0]).rms);
}

Test(pack, coefficients_are_extracted_and_packed_exactly)
{
	rng = test_rng();
	for (size_t s = 0; s < 2; s++) {
		struct rlwe_ciphertext ct, out[PACKED];
		uint32_t elements[RING_MAX_LOG_N];
		double measured = 0, want, scale = 1;

		start(sets[s]);
		for (size_t i = 0; i < n; i++)
			values[i] = test_residue(&rng, t);
		bfv_pack_elements(elements, b.ctx);
		test_bfv_keys(&b, &keys, elements, b.ctx->ring->log_n, false);
		ct = test_bfv_encrypt(&b, values, BFV_COEFFICIENT, RING_COEFFICIENT);
		for (size_t i = 0; i < PACKED; i++)
			out[i] = test_bfv_ciphertext(&b, 2, b.ctx->level, RING_COEFFICIENT);
		for (int round = 0; round < (s ? 1 : ROUNDS); round++)
			measured += pack_once(&ct, out) / ROUNDS;
		want = PACKED / (double)n * (RLWE_CBD21_VARIANCE + 1 / 12.0) +
		       ((double)n / PACKED * ((PACKED * PACKED - 1) / 3.0 + 1) - 1) * switch_variance();
		for (unsigned i = 0; i < b.ctx->level; i++)
			scale /= (double)b.ctx->ring->primes[i].p.q;
		if (s == 0)
			cr_assert_float_eq(log2(measured) / 2, log2(want) / 2 + log2((double)t * scale), 0.2,
				"2^%.2f", log2(measured) / 2);
		end();
	}
}

Test(pack, public_keys_encrypt_and_flooding_hides_what_noise_there_was)
{
	rng = test_rng();
	for (size_t s = 0; s < 2; s++) {
		struct rlwe_ciphertext pk, ct, zero;
		struct arena secret;
		void *plaintext;
		const unsigned bits = s ? 62 : 40;
		double fresh;

		start(sets[s]);
		cr_assert_eq(arena_init_secret(&secret, secret_public_scratch(b.ctx)), VEIL_OK);
		fresh = bfv_noise_fresh_public(b.ctx);
		for (size_t i = 0; i < n; i++)
			values[i] = test_residue(&rng, t);
		plaintext = test_bfv_plaintext(&b);
		cr_assert_eq(bfv_encode(b.ctx, plaintext, values, n, BFV_COEFFICIENT, NULL), VEIL_OK);
		pk = test_bfv_ciphertext(&b, 2, b.ctx->level, RING_EVALUATION);
		secret_public_key_generate(b.ctx, &b.key, &pk, &b.rng, b.drbg, &b.stream, &secret);
		for (int format = 0; format < 2; format++) {
			ct = test_bfv_ciphertext(&b, 2, b.ctx->level, (enum ring_format)format);
			zero = test_bfv_ciphertext(&b, 2, b.ctx->level, (enum ring_format)format);
			secret_public_encrypt(b.ctx, &pk, &ct, plaintext, &b.stream, &secret);
			expect_noise(&ct, fresh, "public key");
			secret_public_encrypt(b.ctx, &pk, &zero, NULL, &b.stream, &secret);
			bfv_add(&ct, &ct, &zero);
			secret_public_flood(b.ctx, &pk, &ct, bits, &b.stream, &secret);
			expect_noise(&ct, ldexp(1, (int)(2 * bits)) / 3, "flooded");
			test_bfv_decrypt(&b, got, &ct, BFV_COEFFICIENT);
			cr_assert_arr_eq(got, values, n * sizeof *got);
		}
		cr_assert_eq(secret.used, 0);
		arena_clear(&secret);
		end();
	}
}
