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

#define TERMS 64 /* of one dot, if the prime allows so many */

/* Row i of polynomial k. */
static void inner_row(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *const *a,
	const struct ring_poly *const *factor, size_t count, unsigned k, unsigned i, void *part)
{
	const struct ring_prime *r = &dst->poly[0].ring->primes[i];
	const uint64_t limit = kernels_mac_limit(&r->p);
	void *out = ring_poly_row(&dst->poly[k], i);

	for (size_t done = 0, terms; done < count; done += terms) {
		const void *x[TERMS], *y[TERMS];

		for (terms = 0; terms < TERMS && terms < limit && done + terms < count; terms++) {
			x[terms] = ring_poly_row(&a[done + terms]->poly[k], i);
			y[terms] = ring_poly_row(factor[done + terms], i);
		}
		r->k.dot(done ? part : out, x, y, terms, r->n, &r->p);
		if (done)
			r->k.add(out, out, part, r->n, &r->p);
	}
}

void bfv_inner_plain(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *const *a,
	const struct ring_poly *const *factor, size_t count, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	const unsigned level = rlwe_ciphertext_level(a[0]);
	void *part = arena_take(scratch, ring_row_room(a[0]->poly[0].ring));

	REQUIRE(count >= 1 && dst->poly[0].room >= level && dst->poly[1].room >= level);
	for (size_t t = 0; t < count; t++) {
		REQUIRE(a[t] != dst && a[t]->count == 2 && rlwe_ciphertext_level(a[t]) == level &&
			rlwe_ciphertext_format(a[t]) == RING_EVALUATION);
		REQUIRE(factor[t]->level >= level && factor[t]->format == RING_EVALUATION);
	}
	dst->count = 2;
	dst->seeded = false;
	for (unsigned k = 0; k < 2; k++) {
		dst->poly[k].level = level;
		dst->poly[k].format = RING_EVALUATION;
		for (unsigned i = 0; i < level; i++)
			inner_row(dst, a, factor, count, k, i, part);
	}
	arena_release(scratch, mark);
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
