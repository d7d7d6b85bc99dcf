/* SPDX-License-Identifier: Apache-2.0 */
#include "bfv/eval.h"

#include <string.h>

#include "base/require.h"

/* The polynomials that both have by `both`, those that a has alone copied, those of b by `of_b`. */
static void combine(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a,
	const struct rlwe_ciphertext *b,
	void (*both)(struct ring_poly *, const struct ring_poly *, const struct ring_poly *),
	void (*of_b)(struct ring_poly *, const struct ring_poly *))
{
	const unsigned a_count = a->count, b_count = b->count;

	dst->count = a_count > b_count ? a_count : b_count;
	dst->seeded = false;
	for (unsigned i = 0; i < dst->count; i++) {
		if (i < a_count && i < b_count)
			both(&dst->poly[i], &a->poly[i], &b->poly[i]);
		else if (i < a_count)
			ring_poly_copy(&dst->poly[i], &a->poly[i]);
		else
			of_b(&dst->poly[i], &b->poly[i]);
	}
}

void bfv_add(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a, const struct rlwe_ciphertext *b)
{
	combine(dst, a, b, ring_poly_add, ring_poly_copy);
}

void bfv_sub(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a, const struct rlwe_ciphertext *b)
{
	combine(dst, a, b, ring_poly_sub, ring_poly_neg);
}

/* dst becomes what the result of an operation on a is, but for its polynomials. */
static void take_shape(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a)
{
	dst->count = a->count;
	dst->seeded = false;
}

void bfv_neg(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a)
{
	take_shape(dst, a);
	for (unsigned i = 0; i < a->count; i++)
		ring_poly_neg(&dst->poly[i], &a->poly[i]);
}

void bfv_mul_plain(
	struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a, const struct ring_poly *factor)
{
	take_shape(dst, a);
	for (unsigned i = 0; i < a->count; i++)
		ring_poly_mul(&dst->poly[i], &a->poly[i], factor);
}

void bfv_shift(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a, int k)
{
	REQUIRE(dst != a);
	take_shape(dst, a);
	for (unsigned i = 0; i < a->count; i++)
		ring_poly_shift(&dst->poly[i], &a->poly[i], k);
}

/* poly += round(q m / t), or -= it. With u = q m + (t+1)/2 mod t the rounded quotient is (q m + (t+1)/2 - u)
 * / t, and q is 0 modulo each of its primes: ((t+1)/2 - u) / t there. So no product is longer than a word. */
static void add_scaled(const struct bfv_context *ctx, struct ring_poly *poly, const void *plaintext,
	bool negative, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch), n = ctx->ring->n;
	const struct kernels_prime *t = &ctx->t;
	void *u = arena_take(scratch, bfv_plaintext_bytes(ctx));

	REQUIRE(poly->ring == ctx->ring && poly->format == RING_COEFFICIENT);
	ctx->t_kernels.affine(u, plaintext, n, ctx->at_level[poly->level - 1].q, (t->q + 1) / 2, t, t);
	for (unsigned i = 0; i < poly->level; i++) {
		const struct ring_prime *r = &ctx->ring->primes[i];
		const uint64_t inverse = ctx->prime[i].t_inverse, offset = ctx->prime[i].scale_offset;
		void *row = ring_poly_row(poly, i);

		r->k.mul_add(row, row, u, n, negative ? inverse : r->p.q - inverse,
			negative ? r->p.q - offset : offset, &r->p, t);
	}
	arena_release(scratch, mark);
}

void bfv_add_scaled(
	const struct bfv_context *ctx, struct ring_poly *poly, const void *plaintext, struct arena *scratch)
{
	add_scaled(ctx, poly, plaintext, false, scratch);
}

size_t bfv_plain_scratch(const struct bfv_context *ctx)
{
	return ring_poly_bytes(ctx->ring, ctx->ring->count) + arena_room(bfv_plaintext_bytes(ctx));
}

static void add_plain(const struct bfv_context *ctx, struct rlwe_ciphertext *ct, const void *plaintext,
	bool negative, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	const unsigned level = rlwe_ciphertext_level(ct);
	struct ring_poly scaled;

	ct->seeded = false;
	if (rlwe_ciphertext_format(ct) == RING_COEFFICIENT) {
		add_scaled(ctx, &ct->poly[0], plaintext, negative, scratch);
		return;
	}
	ring_poly_init(&scaled, ctx->ring, level, RING_COEFFICIENT,
		arena_take(scratch, ring_poly_bytes(ctx->ring, level)));
	memset(scaled.data, 0, ring_poly_bytes(ctx->ring, level));
	add_scaled(ctx, &scaled, plaintext, negative, scratch);
	ring_poly_transform(&scaled, RING_EVALUATION);
	ring_poly_add(&ct->poly[0], &ct->poly[0], &scaled);
	arena_release(scratch, mark);
}

void bfv_add_plain(const struct bfv_context *ctx, struct rlwe_ciphertext *ct, const void *plaintext,
	struct arena *scratch)
{
	add_plain(ctx, ct, plaintext, false, scratch);
}

void bfv_sub_plain(const struct bfv_context *ctx, struct rlwe_ciphertext *ct, const void *plaintext,
	struct arena *scratch)
{
	add_plain(ctx, ct, plaintext, true, scratch);
}
