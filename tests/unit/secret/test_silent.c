/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/silent.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "silent/bits.h"
#include "silent/digits.h"
#include "silent/noise.h"
#include "silent/spread.h"
#include "support/silent.h"
#include "support/test.h"

/* The noise of every stage, measured with the secret at hand: drawn again from the seed of the query. */

struct stages {
	struct silent_shop shop;
	struct rlwe_params params;
	struct arena arena;
	struct secret_key key;
	int64_t *s; /* [n], -1, 0, 1 */
	uint8_t *query;
};

struct sum {
	double squares, count;
};

static void add(struct sum *s, double x)
{
	s->squares += x * x;
	s->count++;
}

static double bits_off(const struct sum *s, double expected)
{
	return log2(sqrt(s->squares / s->count) / expected);
}

static int64_t centred(uint64_t x, uint64_t q)
{
	return x > q / 2 ? (int64_t)x - (int64_t)q : (int64_t)x;
}

#define ROW 77

static void select_row(const void *state, uint32_t block, uint64_t *message)
{
	const struct silent_context *ctx = state;

	if (block == 0)
		message[ROW % ctx->n] = (ctx->prime->p.q + 128) >> 8;
}

static void draw_secret(struct stages *t, uint64_t seed)
{
	const struct ring_prime *r = t->shop.ctx->prime;
	struct secret_stream stream;
	struct rng_seeded state;
	struct rng rng = rng_seeded_init_u64(&state, seed);
	uint64_t *s;

	cr_assert_eq(secret_stream_init(&stream, &rng), VEIL_OK);
	cr_assert_eq(arena_init_secret(&t->arena, secret_key_room(t->shop.ctx->ring) + 65536), VEIL_OK);
	secret_key_generate(&t->key, t->shop.ctx->ring, &stream, &t->arena);
	secret_stream_clear(&stream);
	s = arena_take(&t->arena, ring_prime_bytes(r));
	memcpy(s, t->key.s[0], ring_prime_bytes(r));
	r->k.ntt_inverse(s, r->table, KERNELS_PLAIN);
	t->s = malloc(r->n * sizeof *t->s);
	for (size_t i = 0; i < r->n; i++)
		t->s[i] = centred(s[i], r->p.q);
}

/* What a run follows from. */
struct run {
	const char *set;
	uint32_t rows;
	unsigned c1_bits,
		c0_bits; /* of replies: with 40 what they round does not hide the rest; 0: of the set */
	bool worst;
	uint64_t seed;
};

/* A query for ROW. */
static struct secret_silent *start(struct stages *t, const struct run *run)
{
	struct rng_seeded state, table;
	struct rng rng = rng_seeded_init_u64(&table, run->seed);
	struct secret_silent_message message = {.fill = select_row};
	struct secret_silent *query;

	memset(t, 0, sizeof *t);
	t->params = *rlwe_params_find(run->set);
	if (run->c1_bits) {
		t->params.reply_c1_bits = run->c1_bits;
		t->params.reply_c0_bits = run->c0_bits;
	}
	silent_shop_init(&t->shop, &t->params, run->rows, 1, cpu_features(), run->worst ? NULL : &rng, -128);
	silent_shop_prepare(&t->shop);
	draw_secret(t, run->seed);
	rng = rng_seeded_init_u64(&state, run->seed);
	message.state = t->shop.ctx;
	cr_assert_eq(secret_silent_create(&query, t->shop.ctx, &message, &rng, NULL), VEIL_OK);
	t->query = malloc(t->shop.ctx->query_bytes);
	secret_silent_write(query, t->query);
	return query;
}

static void stop(struct stages *t, struct secret_silent *query)
{
	secret_silent_destroy(query);
	free(t->s), free(t->query);
	arena_clear(&t->arena);
	silent_shop_clear(&t->shop);
}

/* Errors of the sums of the scan under the exact hint: errors[n] mod q, centred. */
static void scan_errors(struct stages *t, int64_t *errors)
{
	const struct silent_context *ctx = t->shop.ctx;
	const uint64_t q = ctx->prime->p.q, delta = (q + 128) >> 8;
	const unsigned bits = ctx->spec.params->upload_bits;
	uint32_t *words = calloc(ctx->spec.rows, sizeof *words), *sums = calloc(ctx->n, sizeof *sums);
	int64_t *hint = malloc((size_t)ctx->n * ctx->n * sizeof *hint);

	for (uint32_t i = 0; i < ctx->spec.rows; i++)
		words[i] = (uint32_t)(silent_bits(t->query, i, bits) << (32 - bits));
	cr_assert_eq(silent_hint(ctx, hint, t->shop.table), VEIL_OK);
	for (uint32_t k = 0; k < ctx->n; k++) {
		uint64_t x;

		for (uint32_t i = 0; i < ctx->spec.rows; i++)
			sums[k] += (uint32_t)silent_shop_get(&t->shop, i, k) * words[i];
		x = silent_lift(sums[k], 32, q);
		for (uint32_t u = 0; u < ctx->n; u++)
			x = (x + silent_residue(hint[(size_t)u * ctx->n + k] * t->s[u] % (int64_t)q *
							(int64_t)ctx->n % (int64_t)q,
					 q)) %
			    q;
		x += q - silent_residue((int64_t)delta * silent_shop_get(&t->shop, ROW, k) % (int64_t)q, q);
		errors[k] = centred(x % q, q);
	}
	free(words), free(sums), free(hint);
}

/* The same of the packed phases, from a reply of 40 bits. */
static void packed_errors(struct stages *t, int64_t *errors)
{
	const struct silent_context *ctx = t->shop.ctx;
	const struct ring_prime *r = ctx->prime;
	const uint64_t q = r->p.q, delta = (q + 128) >> 8;
	uint8_t *reply = malloc(ctx->reply_bytes);
	uint64_t *a = aligned_alloc(64, ring_prime_bytes(r));

	silent_shop_answer(&t->shop, &reply, (const uint8_t *const *)&t->query, 1);
	for (uint32_t i = 0; i < ctx->n; i++)
		a[i] = silent_lift(silent_bits(t->shop.constants, i, 40), 40, q);
	r->k.ntt_forward(a, r->table);
	r->k.mul(a, a, t->key.s[0], r->n, &r->p);
	r->k.ntt_inverse(a, r->table, KERNELS_PLAIN);
	for (uint32_t k = 0; k < ctx->n; k++) {
		uint64_t x =
			a[k] + silent_lift(silent_bits(reply, k, 40), 40, q) + q -
			silent_residue((int64_t)delta * silent_shop_get(&t->shop, ROW, k) % (int64_t)q, q);

		errors[k] = centred(x % q, q);
	}
	free(reply), free(a);
}

static void check_scan_and_pack(const char *set, uint32_t rows, bool worst)
{
	struct stages t;
	const struct run run = {set, rows, 40, 40, worst, test_seed()};
	struct secret_silent *query = start(&t, &run);
	const struct silent_context *ctx = t.shop.ctx;
	int64_t *scan = malloc(ctx->n * sizeof *scan), *packed = malloc(ctx->n * sizeof *packed);
	struct sum of_scan = {0}, of_pack = {0};
	struct silent_noise noise;

	silent_noise(&noise, ctx, worst ? 128 : sqrt(65535 / 12.0));
	scan_errors(&t, scan);
	packed_errors(&t, packed);
	for (uint32_t k = 0; k < ctx->n; k++) {
		add(&of_scan, (double)scan[k]);
		add(&of_pack, (double)(packed[k] - scan[k]));
	}
	cr_log_info("%s, %u rows: scan 2^%.2f, pack 2^%.2f", set, rows, log2(noise.scan), log2(noise.pack));
	/* all -128: every column has the same sum, so its size is one draw of a normal, not a deviation */
	if (worst)
		cr_assert_lt(sqrt(of_scan.squares / of_scan.count), 6 * noise.scan);
	else
		cr_assert_lt(fabs(bits_off(&of_scan, noise.scan)), 0.2, "scan: %.3f bits off",
			bits_off(&of_scan, noise.scan));
	cr_assert_lt(fabs(bits_off(&of_pack, noise.pack)), 0.2, "pack: %.3f bits off",
		bits_off(&of_pack, noise.pack));
	free(scan), free(packed);
	stop(&t, query);
}

Test(silent, noise_of_the_scan_and_of_the_packing_is_that_of_the_formula)
{
	check_scan_and_pack("retrieval_n2048_q40", 4096, false);
}

Test(silent, noise_of_the_sealed_set_is_that_of_the_formula)
{
	check_scan_and_pack("sealed_n2048_q40", 2048, false);
}

Test(silent, noise_of_the_worst_table_is_within_the_formula)
{
	check_scan_and_pack("retrieval_n2048_q40", 2048, true);
}

/* Errors of the phases that a client gets, as fractions of q. */
static void decrypted_errors(struct stages *t, struct secret_silent *query, double *errors)
{
	const struct silent_context *ctx = t->shop.ctx;
	uint32_t *phases = malloc(ctx->n * sizeof *phases);
	uint8_t *reply = malloc(ctx->reply_bytes);

	silent_shop_answer(&t->shop, &reply, (const uint8_t *const *)&t->query, 1);
	secret_silent_decrypt(query, phases, t->shop.constants, reply);
	for (uint32_t k = 0; k < ctx->n; k++) {
		double x = ldexp(phases[k], -(int)ctx->spec.params->reply_c1_bits) -
			   silent_shop_get(&t->shop, ROW, k) / 256.0;

		errors[k] = x - floor(x + 0.5);
	}
	free(phases), free(reply);
}

Test(silent, noise_of_the_whole_reply_is_that_of_the_formula)
{
	static const char *const sets[] = {"retrieval_n2048_q40", "sealed_n2048_q40"};

	for (size_t i = 0; i < 2; i++) {
		struct stages t;
		const struct run run = {.set = sets[i], .rows = 2048, .seed = test_seed()};
		struct secret_silent *query = start(&t, &run);
		struct silent_noise noise;
		struct sum sum = {0};
		double errors[2048];

		silent_noise(&noise, t.shop.ctx, sqrt(65535 / 12.0));
		decrypted_errors(&t, query, errors);
		for (uint32_t k = 0; k < 2048; k++)
			add(&sum, errors[k]);
		cr_assert_lt(
			fabs(bits_off(&sum, hypot(noise.total, noise.step / sqrt(12)))), 0.2, "%s", sets[i]);
		stop(&t, query);
	}
}

/* One query, its reply sent whole, with a short static half, and with both halves short. */
Test(silent, noise_of_each_half_of_a_sealed_reply_is_that_of_the_formula)
{
	static const unsigned bits[3][2] = {{40, 40}, {17, 17}, {17, 12}};
	const uint64_t seed = test_seed();
	struct sum of_static = {0}, of_short = {0};
	int64_t whole[2048];
	double errors[3][2048];
	struct silent_noise noise;

	for (size_t i = 0; i < 3; i++) {
		struct stages t;
		const struct run run = {"sealed_n2048_q40", 2048, bits[i][0], bits[i][1], false, seed};
		struct secret_silent *query = start(&t, &run);

		if (i == 0)
			packed_errors(&t, whole);
		else
			decrypted_errors(&t, query, errors[i]);
		silent_noise(&noise, t.shop.ctx, sqrt(65535 / 12.0));
		for (uint32_t k = 0; i == 0 && k < 2048; k++)
			errors[0][k] = (double)whole[k] / (double)t.shop.ctx->prime->p.q;
		stop(&t, query);
	}
	for (uint32_t k = 0; k < 2048; k++) {
		add(&of_static, errors[1][k] - errors[0][k]);
		add(&of_short, errors[2][k] - errors[1][k]);
	}
	cr_assert_lt(fabs(bits_off(&of_static, noise.reply)), 0.2, "static half: %.3f bits off",
		bits_off(&of_static, noise.reply));
	cr_assert_lt(fabs(bits_off(&of_short, noise.step / sqrt(12))), 0.2, "short half: %.3f bits off",
		bits_off(&of_short, noise.step / sqrt(12)));
}

Test(silent, the_largest_table_fails_less_than_once_in_2_to_the_40)
{
	for (uint32_t rows = 2048; rows <= SILENT_MAX_ROWS; rows *= 2) {
		struct silent_context *ctx;
		struct silent_spec spec = {.params = rlwe_params_find("retrieval_n2048_q40"),
			.rows = rows,
			.packs = SILENT_MAX_PACKS};
		struct veil_error err;

		cr_assert_eq(silent_context_create(&ctx, &spec, 0, &err), VEIL_OK, "%s", err.text);
		cr_assert_lt(silent_failure_log2(ctx), -40);
		silent_context_destroy(ctx);
	}
}

Test(silent, a_set_that_would_decode_wrongly_is_refused)
{
	struct rlwe_params params = *rlwe_params_find("retrieval_n2048_q40");
	struct silent_spec spec = {.params = &params, .rows = 32768, .packs = 16};
	struct silent_context *ctx;
	struct veil_error err = {.text = ""};

	params.upload_bits = 20;
	cr_assert_eq(silent_context_create(&ctx, &spec, 0, &err), VEIL_E_INVALID);
	cr_assert_not_null(strstr(err.text, "would decode wrongly"), "%s", err.text);
	params.upload_bits = 28;
	params.reply_c0_bits = 9;
	params.reply_c1_bits = 13;
	cr_assert_eq(silent_context_create(&ctx, &spec, 0, &err), VEIL_E_INVALID);
}
