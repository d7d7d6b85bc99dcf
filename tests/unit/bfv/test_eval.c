/* SPDX-License-Identifier: Apache-2.0 */
#include "bfv/eval.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <string.h>

#include "ring/prime.h"
#include "support/bfv.h"
#include "support/test.h"

#define MAX_N 8192
#define HELD 4 /* ciphertexts of a circuit */
#define TERMS 5 /* of a sparse factor, so that the schoolbook product is quick */

static const struct rlwe_params *bfv_set(size_t *at)
{
	const struct rlwe_params *p;

	while ((p = rlwe_params_at((*at)++)) && p->use != RLWE_USE_BFV)
		;
	return p;
}

/* --- the same on polynomials mod t */

struct circuit {
	struct test_bfv b;
	struct rng rng;
	size_t n;
	uint64_t t;
	struct rlwe_ciphertext ct[HELD], spare;
	uint64_t plain[HELD][MAX_N];
	uint64_t factor[MAX_N], out[MAX_N];
	void *plaintext;
};

static struct circuit c; /* too large for a stack */

static uint64_t sub_mod(uint64_t a, uint64_t b)
{
	return a >= b ? a - b : a + c.t - b;
}

static void shift_mod(uint64_t *out, const uint64_t *in, int k)
{
	for (size_t i = 0; i < c.n; i++) {
		const size_t to = (i + (size_t)(k + 4 * (int)c.n)) % (2 * c.n);

		out[to % c.n] = to < c.n ? in[i] : sub_mod(0, in[i]);
	}
}

static void encode(const uint64_t *values)
{
	cr_assert_eq(bfv_encode(c.b.ctx, c.plaintext, values, c.n, BFV_COEFFICIENT, NULL), VEIL_OK);
}

static void random_plain(uint64_t *values)
{
	for (size_t i = 0; i < c.n; i++)
		values[i] = test_residue(&c.rng, c.t);
}

static double budget(unsigned i)
{
	return test_bfv_noise(&c.b, &c.ct[i]).budget;
}

static void start(const struct rlwe_params *params)
{
	test_bfv_init(&c.b, params, HELD + 6, test_below(&c.rng, UINT64_MAX), cpu_features());
	c.n = c.b.ctx->ring->n;
	c.t = c.b.ctx->t.q;
	c.plaintext = test_bfv_plaintext(&c.b);
	for (unsigned i = 0; i < HELD; i++) {
		random_plain(c.plain[i]);
		c.ct[i] = test_bfv_encrypt(&c.b, c.plain[i], BFV_COEFFICIENT,
			test_below(&c.rng, 2) ? RING_COEFFICIENT : RING_EVALUATION);
	}
	c.spare = test_bfv_ciphertext(&c.b, 2, c.b.ctx->level, RING_COEFFICIENT);
}

static void check(unsigned i, const char *what)
{
	test_bfv_decrypt(&c.b, c.out, &c.ct[i], BFV_COEFFICIENT);
	for (size_t k = 0; k < c.n; k++)
		cr_assert_eq(c.out[k], c.plain[i][k], "%s, %s, coefficient %zu, %f bits left",
			c.b.ctx->params->name, what, k, budget(i));
}

/* --- operations: each changes ciphertext i and plain[i], or does nothing where there is no budget */

static void one_format(unsigned i, unsigned j)
{
	rlwe_ciphertext_transform(&c.ct[j], rlwe_ciphertext_format(&c.ct[i]));
}

static void op_add(unsigned i, unsigned j)
{
	one_format(i, j);
	if (fmin(budget(i), budget(j)) < 2)
		return;
	bfv_add(&c.ct[i], &c.ct[i], &c.ct[j]);
	for (size_t k = 0; k < c.n; k++)
		c.plain[i][k] = (c.plain[i][k] + c.plain[j][k]) % c.t;
}

static void op_sub(unsigned i, unsigned j)
{
	one_format(i, j);
	if (fmin(budget(i), budget(j)) < 2)
		return;
	bfv_sub(&c.ct[i], &c.ct[j], &c.ct[i]);
	for (size_t k = 0; k < c.n; k++)
		c.plain[i][k] = sub_mod(c.plain[j][k], c.plain[i][k]);
}

static void op_neg(unsigned i, unsigned j)
{
	(void)j;
	bfv_neg(&c.ct[i], &c.ct[i]);
	for (size_t k = 0; k < c.n; k++)
		c.plain[i][k] = sub_mod(0, c.plain[i][k]);
}

static void op_add_plain(unsigned i, unsigned j)
{
	(void)j;
	if (budget(i) < 1)
		return;
	random_plain(c.factor);
	encode(c.factor);
	bfv_add_plain(c.b.ctx, &c.ct[i], c.plaintext, &c.b.arena);
	for (size_t k = 0; k < c.n; k++)
		c.plain[i][k] = (c.plain[i][k] + c.factor[k]) % c.t;
}

static void op_sub_plain(unsigned i, unsigned j)
{
	(void)j;
	if (budget(i) < 1)
		return;
	random_plain(c.factor);
	encode(c.factor);
	bfv_sub_plain(c.b.ctx, &c.ct[i], c.plaintext, &c.b.arena);
	for (size_t k = 0; k < c.n; k++)
		c.plain[i][k] = sub_mod(c.plain[i][k], c.factor[k]);
}

static void op_mul_plain(unsigned i, unsigned j)
{
	const size_t mark = arena_mark(&c.b.memory);
	const unsigned level = rlwe_ciphertext_level(&c.ct[i]);
	struct ring_poly factor;
	uint64_t sum[MAX_N] = {0};

	(void)j;
	if (budget(i) < log2(TERMS * (double)c.t / 2) + 0.5)
		return;
	memset(c.factor, 0, sizeof c.factor);
	for (int term = 0; term < TERMS; term++) {
		const size_t at = test_below(&c.rng, c.n);
		const uint64_t value = test_residue(&c.rng, c.t);

		c.factor[at] = (c.factor[at] + value) % c.t;
		shift_mod(c.out, c.plain[i], (int)at);
		for (size_t k = 0; k < c.n; k++)
			sum[k] = (sum[k] + prime_mul(c.out[k], value, c.t)) % c.t;
	}
	memcpy(c.plain[i], sum, c.n * sizeof *sum);
	encode(c.factor);
	factor = test_bfv_poly(&c.b, level, RING_COEFFICIENT);
	bfv_lift(c.b.ctx, &factor, c.plaintext, &c.b.arena);
	rlwe_ciphertext_transform(&c.ct[i], RING_EVALUATION);
	bfv_mul_plain(&c.ct[i], &c.ct[i], &factor);
	arena_release(&c.b.memory, mark);
}

static void op_shift(unsigned i, unsigned j)
{
	const int k = (int)test_below(&c.rng, 4 * c.n - 1) - 2 * (int)c.n + 1;

	(void)j;
	rlwe_ciphertext_transform(&c.ct[i], RING_COEFFICIENT);
	bfv_shift(&c.spare, &c.ct[i], k);
	rlwe_ciphertext_copy(&c.ct[i], &c.spare);
	shift_mod(c.out, c.plain[i], k);
	memcpy(c.plain[i], c.out, c.n * sizeof *c.out);
}

/* All of them, for operands have one level. */
static void op_drop(unsigned i, unsigned j)
{
	const unsigned level = rlwe_ciphertext_level(&c.ct[i]);
	double bits = 0;

	(void)j;
	/* what rounding leaves: half of every coefficient of 1 and s, times t */
	for (unsigned k = 0; k + 1 < level; k++)
		bits += log2((double)c.b.ctx->ring->primes[k].p.q);
	if (level < 2 || bits < log2((double)c.t * ((double)c.n + 1)) + 3 || test_below(&c.rng, 4))
		return;
	for (unsigned k = 0; k < HELD; k++)
		rlwe_modswitch_drop(&c.ct[k], &c.b.arena);
	for (unsigned k = 0; k < HELD; k++)
		check(k, "drop");
}

Test(eval, random_circuits_compute_on_messages)
{
	static const struct {
		const char *name;
		void (*apply)(unsigned i, unsigned j);
	} ops[] = {{"add", op_add}, {"sub", op_sub}, {"neg", op_neg}, {"add plain", op_add_plain},
		{"sub plain", op_sub_plain}, {"mul plain", op_mul_plain}, {"shift", op_shift},
		{"drop", op_drop}};
	const struct rlwe_params *params;

	c.rng = test_rng();
	for (size_t at = 0; (params = bfv_set(&at));) {
		int rounds = params->log_n < 10 ? 150 : 30;

		start(params);
		for (int round = 0; round < rounds; round++) {
			const unsigned i = (unsigned)test_below(&c.rng, HELD),
				       j = (i + 1 + (unsigned)test_below(&c.rng, HELD - 1)) % HELD;
			const size_t op = test_below(&c.rng, sizeof ops / sizeof *ops);

			if (test_below(&c.rng, 3) == 0)
				rlwe_ciphertext_transform(&c.ct[i], (enum ring_format)test_below(&c.rng, 2));
			ops[op].apply(i, j);
			check(i, ops[op].name);
		}
		test_bfv_clear(&c.b);
	}
}

/* A factor in slots multiplies slot by slot. */
Test(eval, products_of_slots)
{
	static const char *const sets[] = {"insecure_n_8_logq_5x18_logt_5", "n_8192_logq_3x36_logt_22",
		"n_8192_logq_3x55_logt_30", "n_8192_logq_28_60_60_logt_20"};

	c.rng = test_rng();
	for (size_t s = 0; s < 4; s++) {
		struct rlwe_ciphertext ct;
		struct ring_poly factor;

		start(rlwe_params_find(sets[s]));
		random_plain(c.plain[0]);
		random_plain(c.factor);
		ct = test_bfv_encrypt(&c.b, c.plain[0], BFV_SIMD, RING_EVALUATION);
		factor = test_bfv_poly(&c.b, c.b.ctx->level, RING_COEFFICIENT);
		cr_assert_eq(bfv_encode(c.b.ctx, c.plaintext, c.factor, c.n, BFV_SIMD, NULL), VEIL_OK);
		bfv_lift(c.b.ctx, &factor, c.plaintext, &c.b.arena);
		bfv_mul_plain(&ct, &ct, &factor);
		test_bfv_decrypt(&c.b, c.out, &ct, BFV_SIMD);
		for (size_t i = 0; i < c.n; i++)
			cr_assert_eq(c.out[i], prime_mul(c.plain[0][i], c.factor[i], c.t));
		test_bfv_clear(&c.b);
	}
}

/* --- noise, docs/protocol.md: log2 of the standard deviation of t phase / q - m */

static void expect_noise(const struct rlwe_ciphertext *ct, double variance, const char *what)
{
	double log_q = 0, got = test_bfv_noise(&c.b, ct).rms, want;

	for (unsigned i = 0; i < rlwe_ciphertext_level(ct); i++)
		log_q += log2((double)c.b.ctx->ring->primes[i].p.q);
	want = log2((double)c.t) + log2(variance) / 2 - log_q;
	cr_assert_float_eq(
		got, want, 0.2, "%s, %s: 2^%.2f, not 2^%.2f", c.b.ctx->params->name, what, got, want);
}

Test(eval, noise_is_that_of_the_formulas_within_a_fifth_of_a_bit)
{
	const struct rlwe_params *params;

	c.rng = test_rng();
	for (size_t at = 0; (params = bfv_set(&at));) {
		struct ring_poly factor;
		struct rlwe_ciphertext sum;
		double fresh, variance, t;

		if (params->log_n < 9)
			continue; /* too few coefficients to measure with */
		start(params);
		t = (double)c.t;
		fresh = RLWE_CBD21_VARIANCE + 1 / 12.0;
		for (unsigned i = 0; i < HELD; i++)
			rlwe_ciphertext_transform(&c.ct[i], RING_EVALUATION);
		expect_noise(&c.ct[0], fresh, "fresh");
		sum = test_bfv_ciphertext(&c.b, 2, c.b.ctx->level, RING_EVALUATION);
		bfv_add(&sum, &c.ct[0], &c.ct[1]);
		bfv_sub(&sum, &sum, &c.ct[2]);
		bfv_add(&sum, &sum, &c.ct[3]);
		expect_noise(&sum, 4 * fresh, "sum of four");

		for (size_t i = 0; i < c.n; i++)
			c.factor[i] = test_below(&c.rng, c.t);
		encode(c.factor);
		factor = test_bfv_poly(&c.b, c.b.ctx->level, RING_COEFFICIENT);
		bfv_lift(c.b.ctx, &factor, c.plaintext, &c.b.arena);
		bfv_mul_plain(&sum, &sum, &factor);
		variance = 4 * fresh * (double)c.n * (t * t - 1) / 12;
		if (test_bfv_noise(&c.b, &sum).budget > 1)
			expect_noise(&sum, variance, "product by a uniform plaintext");

		/* the sum and the product, down to one prime */
		rlwe_ciphertext_copy(&sum, &c.ct[0]);
		variance = fresh;
		while (rlwe_ciphertext_level(&sum) > 1) {
			const double q = (double)c.b.ctx->ring->primes[rlwe_ciphertext_level(&sum) - 1].p.q;

			rlwe_modswitch_drop(&sum, &c.b.arena);
			variance = variance / q / q + (1 + 2 * (double)c.n / 3) / 12;
			if (test_bfv_noise(&c.b, &sum).budget > 1)
				expect_noise(&sum, variance, "modulus switch");
		}
		test_bfv_clear(&c.b);
	}
}

/* --- shapes */

Test(eval, a_product_by_zero_is_transparent_and_nothing_else_here)
{
	struct ring_poly factor;

	c.rng = test_rng();
	start(rlwe_params_find("insecure_n_512_logq_4x60_logt_20"));
	memset(c.factor, 0, sizeof c.factor);
	encode(c.factor);
	factor = test_bfv_poly(&c.b, c.b.ctx->level, RING_COEFFICIENT);
	bfv_lift(c.b.ctx, &factor, c.plaintext, &c.b.arena);
	cr_assert(!rlwe_ciphertext_is_transparent(&c.ct[0]));
	rlwe_ciphertext_transform(&c.ct[0], RING_EVALUATION);
	bfv_mul_plain(&c.ct[0], &c.ct[0], &factor);
	cr_assert(rlwe_ciphertext_is_transparent(&c.ct[0]));
	cr_assert(!c.ct[0].seeded);
	rlwe_ciphertext_transform(&c.ct[1], RING_EVALUATION);
	bfv_add(&c.ct[0], &c.ct[0], &c.ct[1]);
	cr_assert(!rlwe_ciphertext_is_transparent(&c.ct[0]));
	bfv_sub(&c.ct[0], &c.ct[0], &c.ct[1]);
	cr_assert(rlwe_ciphertext_is_transparent(&c.ct[0]));
	/* one residue hides something, wherever it is */
	for (unsigned i = 0; i < c.b.ctx->level; i++) {
		const struct ring_prime *r = &c.b.ctx->ring->primes[i];

		ring_set(r, ring_poly_row(&c.ct[0].poly[1], i), c.n - 1, 1);
		cr_assert(!rlwe_ciphertext_is_transparent(&c.ct[0]));
		ring_set(r, ring_poly_row(&c.ct[0].poly[1], i), c.n - 1, 0);
	}
	test_bfv_clear(&c.b);
}

/* A third polynomial is multiplied by s^2: phases add up whatever the counts. */
Test(eval, two_and_three_polynomials_mix)
{
	struct rlwe_ciphertext three, sum;

	c.rng = test_rng();
	start(rlwe_params_find("insecure_n_512_logq_4x60_logt_20"));
	for (int sign = 0; sign < 2; sign++) {
		three = test_bfv_ciphertext(&c.b, 3, c.b.ctx->level, RING_COEFFICIENT);
		sum = test_bfv_ciphertext(&c.b, 3, c.b.ctx->level, RING_COEFFICIENT);
		rlwe_ciphertext_transform(&c.ct[0], RING_EVALUATION);
		rlwe_ciphertext_transform(&c.ct[1], RING_EVALUATION);
		/* c1 s = (c1 s^-1) s^2, where s^-1 exists; here: c1 moved up by dividing its values by s's */
		rlwe_ciphertext_copy(&three, &c.ct[0]);
		three.count = 3;
		for (unsigned i = 0; i < c.b.ctx->level; i++) {
			const struct ring_prime *r = &c.b.ctx->ring->primes[i];

			for (size_t k = 0; k < r->n; k++)
				ring_set(r, ring_poly_row(&three.poly[2], i), k, k * k % r->p.q);
			/* poly[0] -= poly[2] s^2 */
			r->k.mul(ring_poly_row(&sum.poly[0], i), ring_poly_row(&three.poly[2], i),
				c.b.key.s[i], r->n, &r->p);
			r->k.mul(ring_poly_row(&sum.poly[0], i), ring_poly_row(&sum.poly[0], i), c.b.key.s[i],
				r->n, &r->p);
			r->k.sub(ring_poly_row(&three.poly[0], i), ring_poly_row(&three.poly[0], i),
				ring_poly_row(&sum.poly[0], i), r->n, &r->p);
		}
		three.poly[2].format = RING_EVALUATION;
		if (sign)
			bfv_sub(&sum, &c.ct[1], &three);
		else
			bfv_add(&sum, &three, &c.ct[1]);
		cr_assert_eq(sum.count, 3);
		for (int f = 0; f < 2; f++) {
			test_bfv_decrypt(&c.b, c.out, &sum, BFV_COEFFICIENT);
			for (size_t k = 0; k < c.n; k++)
				cr_assert_eq(c.out[k], sign ? sub_mod(c.plain[1][k], c.plain[0][k])
							    : (c.plain[0][k] + c.plain[1][k]) % c.t);
			rlwe_ciphertext_transform(&sum, RING_COEFFICIENT);
		}
	}
	test_bfv_clear(&c.b);
}

/* 41 = 2 * 4 * 5 + 1: half of the prime that is dropped is 0 modulo the one that is left. */
Test(eval, a_drop_is_the_same_in_both_formats_where_half_a_prime_is_a_multiple_of_another)
{
	static const uint64_t primes[] = {5, 41};
	_Alignas(64) uint8_t memory[2][256];
	struct ring_poly a, b;
	struct arena scratch;
	struct ring *ring;

	cr_assert_eq(ring_create(&ring, 1, primes, 2, cpu_features(), NULL), VEIL_OK);
	cr_assert_eq(arena_init(&scratch, 4096), VEIL_OK);
	for (uint64_t x = 0; x < 5 * 41; x++) {
		ring_poly_init(&a, ring, 2, RING_COEFFICIENT, memory[0]);
		ring_poly_init(&b, ring, 2, RING_COEFFICIENT, memory[1]);
		for (unsigned i = 0; i < 2; i++)
			for (size_t j = 0; j < 2; j++)
				ring_set(&ring->primes[i], ring_poly_row(&a, i), j, (x + 7 * j) % primes[i]);
		ring_poly_copy(&b, &a);
		ring_poly_transform(&b, RING_EVALUATION);
		rlwe_modswitch_drop_poly(&a, &scratch);
		rlwe_modswitch_drop_poly(&b, &scratch);
		ring_poly_transform(&b, RING_COEFFICIENT);
		for (size_t j = 0; j < 2; j++) {
			const uint64_t value = (x + 7 * j) % (5 * 41);

			cr_assert_eq(
				ring_get(&ring->primes[0], ring_poly_row(&a, 0), j), (value + 20) / 41 % 5);
			cr_assert_eq(
				ring_get(&ring->primes[0], ring_poly_row(&b, 0), j), (value + 20) / 41 % 5);
		}
	}
	arena_clear(&scratch);
	ring_destroy(ring);
}

Test(eval, operands_of_two_levels_abort, .signal = SIGABRT)
{
	c.rng = test_rng();
	start(rlwe_params_find("insecure_n_512_logq_4x60_logt_20"));
	one_format(0, 1);
	rlwe_modswitch_drop(&c.ct[0], &c.b.arena);
	bfv_add(&c.ct[1], &c.ct[1], &c.ct[0]);
}

Test(eval, operands_of_two_formats_abort, .signal = SIGABRT)
{
	c.rng = test_rng();
	start(rlwe_params_find("insecure_n_512_logq_4x60_logt_20"));
	rlwe_ciphertext_transform(&c.ct[0], RING_COEFFICIENT);
	rlwe_ciphertext_transform(&c.ct[1], RING_EVALUATION);
	bfv_add(&c.ct[1], &c.ct[1], &c.ct[0]);
}

Test(eval, the_last_prime_cannot_be_dropped, .signal = SIGABRT)
{
	c.rng = test_rng();
	start(rlwe_params_find("insecure_n_512_logq_4x60_logt_20"));
	rlwe_modswitch_to(&c.ct[0], 1, &c.b.arena);
	cr_assert_eq(rlwe_ciphertext_level(&c.ct[0]), 1);
	rlwe_modswitch_drop(&c.ct[0], &c.b.arena);
}
