/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/bfv.h"

#include <math.h>
#include <string.h>

#include "base/ct.h"
#include "base/drbg.h"
#include "base/require.h"
#include "base/u128.h"
#include "bfv/eval.h"
#include "secret/decrypt.h"
#include "secret/encrypt.h"

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

size_t secret_bfv_scratch(const struct bfv_context *ctx)
{
	const struct ring *ring = ctx->ring;

	return ring_poly_bytes(ring, ring->count) +
	       larger(larger(secret_encrypt_scratch(ring), secret_phase_scratch(ring)),
		       arena_room(bfv_plaintext_bytes(ctx)));
}

void secret_bfv_encrypt(const struct bfv_context *ctx, const struct secret_key *key,
	struct rlwe_ciphertext *ct, const void *plaintext, const struct rng *rng, struct drbg *drbg,
	struct secret_stream *stream, struct arena *scratch)
{
	const enum ring_format format = rlwe_ciphertext_format(ct);
	const unsigned level = rlwe_ciphertext_level(ct);
	const size_t mark = arena_mark(scratch);
	struct ring_poly c0;
	uint8_t seed[RING_SEED_BYTES];

	REQUIRE(key->ring == ctx->ring && ct->poly[0].ring == ctx->ring);
	/* what is secret until the message hides in it stays out of the ciphertext's memory */
	ring_poly_init(&c0, ctx->ring, level, RING_COEFFICIENT,
		arena_take(scratch, ring_poly_bytes(ctx->ring, level)));
	rng_fill(rng, seed, sizeof seed);
	ct->poly[0].format = ct->poly[1].format = RING_EVALUATION; /* what `a` is multiplied in */
	rlwe_ciphertext_expand(ct, seed, drbg);
	secret_encrypt_zero(key, &c0, &ct->poly[1], stream, scratch);
	bfv_add_scaled(ctx, &c0, plaintext, scratch);
	ct_unpoison(c0.data, ring_poly_bytes(ctx->ring, level));
	ring_poly_copy(&ct->poly[0], &c0);
	rlwe_ciphertext_transform(ct, format);
	arena_release(scratch, mark);
}

/* The digits of (t phase + (q-1)/2) mod q for the mixed radix of q's primes: row i becomes the number that
 * q_0 ... q_(i-1) is multiplied by (Garner). */
static void digits(const struct bfv_context *ctx, struct ring_poly *phase)
{
	for (unsigned i = 0; i < phase->level; i++) {
		const struct ring_prime *r = &ctx->ring->primes[i];
		void *row = ring_poly_row(phase, i);

		/* (q-1)/2 is -1/2 modulo q_i, like (q_i - 1)/2 */
		r->k.affine(row, row, r->n, ctx->t.q, r->p.q / 2, &r->p, &r->p);
		for (unsigned j = 0; j < i; j++)
			r->k.sub_mul(row, row, ring_poly_row(phase, j), r->n, ring_inverse(ctx->ring, j, i),
				ctx->ring->primes[j].p.q, &r->p, &ctx->ring->primes[j].p);
	}
}

/* Room of one phase of this ciphertext, as its digits. */
static struct ring_poly open(const struct bfv_context *ctx, const struct secret_key *key,
	const struct rlwe_ciphertext *ct, struct arena *scratch)
{
	const unsigned level = rlwe_ciphertext_level(ct);
	struct ring_poly phase;

	REQUIRE(key->ring == ctx->ring);
	ring_poly_init(&phase, ctx->ring, level, RING_COEFFICIENT,
		arena_take(scratch, ring_poly_bytes(ctx->ring, level)));
	secret_phase(key, &phase, ct, scratch);
	digits(ctx, &phase);
	return phase;
}

/* With w = t phase + h mod q and h = (q-1)/2, round(t phase / q) = (t phase + h - w) / q: mod t that is
 * (h - w) / q. */
void secret_bfv_decrypt(const struct bfv_context *ctx, const struct secret_key *key, void *plaintext,
	const struct rlwe_ciphertext *ct, struct arena *scratch)
{
	const unsigned level = rlwe_ciphertext_level(ct);
	const size_t mark = arena_mark(scratch), n = ctx->ring->n;
	const struct ring_poly w = open(ctx, key, ct, scratch);
	const struct kernels *k = &ctx->t_kernels;

	for (unsigned i = 0; i < level; i++) {
		const struct kernels_prime *from = &ctx->ring->primes[i].p;
		const uint64_t digit = ctx->at_level[level - 1].digit[i];

		if (i == 0)
			k->affine(plaintext, ring_poly_row(&w, i), n, digit, ctx->at_level[level - 1].round,
				&ctx->t, from);
		else
			k->mul_add(plaintext, plaintext, ring_poly_row(&w, i), n, digit, 0, &ctx->t, from);
	}
	arena_release(scratch, mark);
}

/* --- noise: numbers of RING_MAX_PRIMES words, least first */

struct number {
	uint64_t word[RING_MAX_PRIMES];
};

/* x = x factor + add */
static void multiply(struct number *x, uint64_t factor, uint64_t add)
{
	for (unsigned i = 0; i < RING_MAX_PRIMES; i++) {
		const uint128 product = (uint128)x->word[i] * factor + add;

		x->word[i] = (uint64_t)product;
		add = u128_hi(product);
	}
}

static bool less(const struct number *a, const struct number *b)
{
	for (unsigned i = RING_MAX_PRIMES; i-- > 0;)
		if (a->word[i] != b->word[i])
			return a->word[i] < b->word[i];
	return false;
}

/* |a - b| */
static struct number distance(const struct number *a, const struct number *b)
{
	const bool swap = less(a, b);
	const struct number *from = swap ? b : a, *take = swap ? a : b;
	struct number d;
	uint64_t borrow = 0;

	for (unsigned i = 0; i < RING_MAX_PRIMES; i++) {
		const uint128 rest = (uint128)from->word[i] - take->word[i] - borrow;

		d.word[i] = (uint64_t)rest;
		borrow = u128_hi(rest) & 1;
	}
	return d;
}

static int bit_length(const struct number *x)
{
	int i = RING_MAX_PRIMES;

	while (i > 0 && !x->word[i - 1])
		i--;
	return i ? 64 * i - __builtin_clzll(x->word[i - 1]) : 0;
}

/* x / 2^bits, about; bits is near the length of x, for no double holds numbers as long as these */
static double scaled(const struct number *x, int bits)
{
	double sum = 0;

	for (unsigned i = 0; i < RING_MAX_PRIMES; i++)
		sum += ldexp((double)x->word[i], 64 * (int)i - bits);
	return sum;
}

/* t phase - q m is w - h, see secret_bfv_decrypt. */
struct secret_bfv_noise secret_bfv_noise_vartime(const struct bfv_context *ctx, const struct secret_key *key,
	const struct rlwe_ciphertext *ct, struct arena *scratch)
{
	const unsigned level = rlwe_ciphertext_level(ct);
	const size_t mark = arena_mark(scratch);
	const struct ring_poly w = open(ctx, key, ct, scratch);
	struct number q = {{1}}, half = {{0}}, largest = {{0}};
	int bits = 0; /* of the largest so far */
	double squares = 0, q_scaled; /* over 4^bits; over 2^q_bits */
	int q_bits;

	ct_unpoison(w.data, ring_poly_bytes(ctx->ring, level));
	for (unsigned i = level; i-- > 0;) {
		const uint64_t prime = ctx->ring->primes[i].p.q;

		multiply(&q, prime, 0);
		multiply(&half, prime, prime / 2); /* digits of (q-1)/2 */
	}
	q_bits = bit_length(&q);
	q_scaled = scaled(&q, q_bits);
	for (size_t at = 0; at < ctx->ring->n; at++) {
		struct number x = {{0}};

		for (unsigned i = level; i-- > 0;) {
			const struct ring_prime *r = &ctx->ring->primes[i];

			multiply(&x, r->p.q, ring_get(r, ring_poly_row(&w, i), at));
		}
		x = distance(&x, &half);
		if (less(&largest, &x)) {
			largest = x;
			squares = ldexp(squares, 2 * (bits - bit_length(&x)));
			bits = bit_length(&x);
		}
		squares += pow(scaled(&x, bits), 2);
	}
	arena_release(scratch, mark);
	return (struct secret_bfv_noise){
		.budget = q_bits - bits - 1 - log2(scaled(&largest, bits) / q_scaled),
		.rms = bits - q_bits + log2(sqrt(squares / (double)ctx->ring->n) / q_scaled),
	};
}
