/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "base/rng.h"
#include "bfv/multiply.h"
#include "state.h"
#include "support/bfv.h"

/* BFV on fresh ciphertexts, everything in the caches that it fits. Limits: the multiplications of the
 * transforms and products, or the moving of what is read and written, whichever takes longer; and AES, as
 * OpenSSL does it in the same run, where seeds are expanded or errors are drawn. */

struct case_bfv {
	struct test_bfv b;
	struct bench *bench;
	struct rlwe_ciphertext ct, coefficients, values, other, dropped;
	struct ring_poly factor;
	void *plaintext;
	uint8_t *bytes; /* c0 as it travels */
	uint8_t *random;
	struct keystream *ks;
	size_t random_bytes;
	struct rlwe_evalkey keys;
	struct bfv_multiplier *multiplier;
	struct rlwe_digits digits;
	struct rlwe_wide wide;
	struct arena scratch;
};

static void aes(void *arg)
{
	struct case_bfv *c = arg;

	keystream_read(c->ks, c->random, c->random_bytes);
}

/* --- limits */

static double poly_bytes(const struct case_bfv *c)
{
	return (double)ring_poly_bytes(c->b.ctx->ring, c->b.ctx->level);
}

/* `transforms` and `factors` (products by a constant) of every prime of a fresh ciphertext but the last
 * `less`; a product of two variables has three multiplications where one by a constant has two. */
static double limit_muls(const struct case_bfv *c, double transforms, double factors, unsigned less)
{
	double us = 0;

	for (unsigned i = 0; i < c->b.ctx->level - less; i++) {
		const struct ring_prime *r = &c->b.ctx->ring->primes[i];
		const double n = (double)r->n;

		us += bench_limit_butterflies_us(
			c->bench, r->p.bits, transforms * n / 2 * r->log_n + factors * n);
	}
	return us;
}

/* So many polynomials are read, so many of them written again. */
static double limit_move(const struct case_bfv *c, double read, double written)
{
	return bench_limit_update_us(
		c->bench, (size_t)(read * poly_bytes(c)), (size_t)((read + written) * poly_bytes(c)));
}

static double limit_aes(struct case_bfv *c, double bytes)
{
	c->random_bytes = (size_t)bytes;
	return bench_time(aes, c, 0.2).min_us;
}

/* --- operations */

static void encrypt(void *arg)
{
	struct case_bfv *c = arg;

	secret_bfv_encrypt(
		c->b.ctx, &c->b.key, &c->ct, c->plaintext, &c->b.rng, c->b.drbg, &c->b.stream, &c->b.arena);
}

static void load_seeded(void *arg)
{
	struct case_bfv *c = arg;
	const uint8_t *at = c->bytes;

	for (unsigned i = 0; i < c->b.ctx->level; i++) {
		const struct ring_prime *r = &c->b.ctx->ring->primes[i];

		REQUIRE(r->k.unpack(ring_poly_row(&c->other.poly[0], i), at, r->n, r->p.bits, 0, &r->p));
		at += r->n * r->p.bits / 8;
	}
	rlwe_ciphertext_expand(&c->other, c->coefficients.seed, c->b.drbg);
}

static void decrypt(void *arg)
{
	struct case_bfv *c = arg;

	secret_bfv_decrypt(c->b.ctx, &c->b.key, c->plaintext, &c->coefficients, &c->b.arena);
}

static void add(void *arg)
{
	struct case_bfv *c = arg;

	bfv_add(&c->ct, &c->ct, &c->coefficients);
}

static void mul_plain(void *arg)
{
	struct case_bfv *c = arg;

	bfv_mul_plain(&c->values, &c->values, &c->factor);
}

static void mod_switch(void *arg)
{
	struct case_bfv *c = arg;

	/* what stands in the rows is as good as any other ciphertext */
	c->dropped.poly[0].level = c->dropped.poly[1].level = c->b.ctx->level;
	rlwe_modswitch_drop(&c->dropped, &c->b.arena);
}

static void multiply_relin(void *arg)
{
	struct case_bfv *c = arg;

	bfv_multiply(c->multiplier, &c->dropped, &c->values, &c->values, &c->scratch);
	bfv_relinearize(&c->dropped, &c->keys, &c->scratch);
}

static void rotate(void *arg)
{
	struct case_bfv *c = arg;

	bfv_apply_galois(c->b.ctx, &c->other, &c->values, &c->keys.galois[0], &c->scratch);
}

/* One more of a sum of rotations of one ciphertext. */
static void rotate_hoisted(void *arg)
{
	struct case_bfv *c = arg;

	bfv_apply_galois_wide(
		c->b.ctx, &c->wide, true, &c->values, &c->digits, &c->keys.galois[0], &c->scratch);
}

static void rotate_hoisted_alone(void *arg)
{
	struct case_bfv *c = arg;

	bfv_apply_galois_hoisted(
		c->b.ctx, &c->other, &c->values, &c->digits, &c->keys.galois[0], &c->scratch);
}

/* --- cases */

static void start_keys(struct case_bfv *c)
{
	const struct bfv_context *ctx = c->b.ctx;
	const size_t digits = rlwe_digits_bytes(ctx->ring, ctx->level),
		     wide = rlwe_wide_bytes(ctx->ring, ctx->level);
	const uint32_t element = ring_galois_element_rotate(ctx->ring->log_n, -1);
	struct veil_error err;
	size_t room;

	test_bfv_keys(&c->b, &c->keys, &element, 1, true);
	REQUIRE(bfv_multiplier_create(&c->multiplier, ctx, ctx->level, bench_features(c->bench), &err) ==
		VEIL_OK);
	room = bfv_multiply_scratch(c->multiplier) + bfv_rotate_scratch(ctx, ctx->level) + digits + wide;
	REQUIRE(arena_init(&c->scratch, room) == VEIL_OK);
	rlwe_digits_init(&c->digits, ctx->ring, ctx->level, arena_take(&c->scratch, digits));
	rlwe_wide_init(&c->wide, ctx->ring, ctx->level, memset(arena_take(&c->scratch, wide), 0, wide));
	rlwe_decompose(&c->digits, &c->values.poly[1], &c->scratch);
}

static void start(struct case_bfv *c, struct bench *bench, const char *params)
{
	const struct bfv_context *ctx;
	uint8_t *at;

	memset(c, 0, sizeof *c);
	c->bench = bench;
	test_bfv_init(&c->b, rlwe_params_find(params), 9, 1, bench_features(bench));
	ctx = c->b.ctx;
	c->plaintext = memset(test_bfv_plaintext(&c->b), 0, bfv_plaintext_bytes(ctx));
	c->ct = test_bfv_ciphertext(&c->b, 2, ctx->level, RING_COEFFICIENT);
	c->coefficients = c->values = c->other = c->dropped = c->ct;
	encrypt(c);
	c->coefficients = c->ct;
	c->ct = test_bfv_ciphertext(&c->b, 2, ctx->level, RING_COEFFICIENT);
	c->values = test_bfv_ciphertext(&c->b, 2, ctx->level, RING_COEFFICIENT);
	c->other = test_bfv_ciphertext(&c->b, 2, ctx->level, RING_COEFFICIENT);
	c->dropped = test_bfv_ciphertext(&c->b, 3, ctx->level, RING_COEFFICIENT);
	rlwe_ciphertext_copy(&c->values, &c->coefficients);
	rlwe_ciphertext_transform(&c->values, RING_EVALUATION);
	rlwe_ciphertext_copy(&c->dropped, &c->coefficients);
	c->factor = test_bfv_poly(&c->b, ctx->level, RING_EVALUATION);
	ring_poly_copy(&c->factor, &c->values.poly[1]);
	start_keys(c);
	c->bytes = malloc(ctx->ring->n * 8 * ctx->level);
	c->random = malloc(ctx->ring->n * 16 * (ctx->level + 1));
	c->ks = keystream_create();
	REQUIRE(c->bytes && c->random && c->ks);
	at = c->bytes;
	for (unsigned i = 0; i < ctx->level; i++) {
		const struct ring_prime *r = &ctx->ring->primes[i];

		r->k.pack(at, ring_poly_row(&c->coefficients.poly[0], i), r->n, r->p.bits);
		at += r->n * r->p.bits / 8;
	}
}

static void end(struct case_bfv *c)
{
	free(c->bytes);
	free(c->random);
	bfv_multiplier_destroy(c->multiplier);
	arena_clear(&c->scratch);
	keystream_destroy(c->ks);
	test_bfv_clear(&c->b);
}

static void run(struct case_bfv *c, const char *set)
{
	const double seed_bytes = 16.0 * (double)c->b.ctx->ring->n * c->b.ctx->level,
		     error_bytes = 5.25 * (double)c->b.ctx->ring->n;
	const double aes_us = limit_aes(c, seed_bytes), transform = limit_muls(c, 1, 0, 0);
	/* of each prime: transforms of the digits and of what is divided; products by the key and by
	 * constants */
	const double level = c->b.ctx->level,
		     switched = limit_muls(c, 1 + level + 2 + 2 / level, 3 * level + 3 + level, 0);
	const struct {
		const char *name;
		void (*fn)(void *arg);
		double limit_us;
		bool seeds;
	} list[] = {
		{"encrypt", encrypt,
			limit_aes(c, seed_bytes + error_bytes) + 2 * transform + limit_muls(c, 0, 2.5, 0),
			true},
		{"load_seeded", load_seeded, aes_us + transform, true},
		{"decrypt", decrypt, limit_muls(c, 2, 2.5, 0), false},
		{"add", add, limit_move(c, 4, 2), false},
		{"mul_plain", mul_plain, fmax(limit_move(c, 3, 2), 2 * limit_muls(c, 0, 1.5, 0)), false},
		{"mod_switch", mod_switch, fmax(limit_move(c, 2, 1), 2 * limit_muls(c, 0, 1, 1)), false},
		{"rotate", rotate, switched, false},
		{"rotate_hoisted", rotate_hoisted, limit_muls(c, 0, 3 * level + 3, 0), false},
		{"rotate_hoisted_alone", rotate_hoisted_alone, switched - limit_muls(c, 1 + level, 0, 0),
			false},
		{"multiply_relin", multiply_relin, limit_muls(c, 14, 2 * (5 + 10 * level), 0) + switched,
			false},
	};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		char name[64], note[96] = "";

		snprintf(name, sizeof name, "bfv/%s/%s", list[i].name, set);
		if (list[i].seeds)
			snprintf(note, sizeof note, "of it AES of the DRBG's 16 bytes a residue: %.1f us%s",
				aes_us, list[i].fn == load_seeded ? "; protobuf left out" : "");
		bench_run(c->bench, name, list[i].fn, c, list[i].limit_us, 0, note);
	}
}

void bench_bfv(struct bench *b)
{
	static const struct {
		const char *name, *params;
	} sets[] = {
		{"n4096_27_28_28", "n_4096_logq_27_28_28_logt_17"},
		{"n8192_3x55", "n_8192_logq_3x55_logt_24"},
		{"n8192_3x36", "n_8192_logq_3x36_logt_22"},
	};

	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		struct case_bfv c;

		start(&c, b, sets[i].params);
		run(&c, sets[i].name);
		end(&c);
	}
	bench_pnns(b);
}
