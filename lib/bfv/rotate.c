/* SPDX-License-Identifier: Apache-2.0 */
#include "bfv/rotate.h"

#include "base/error.h"
#include "base/require.h"

size_t bfv_rotate_scratch(const struct bfv_context *ctx, unsigned level)
{
	return rlwe_switch_room(ctx->ring, level) + rlwe_wide_bytes(ctx->ring, level) +
	       3 * ring_poly_bytes(ctx->ring, level);
}

static struct ring_poly take_poly(
	const struct ring_poly *like, enum ring_format format, struct arena *scratch)
{
	struct ring_poly poly;

	ring_poly_init(&poly, like->ring, like->level, format,
		arena_take(scratch, ring_poly_bytes(like->ring, like->level)));
	return poly;
}

static struct rlwe_wide take_wide(const struct ring_poly *like, struct arena *scratch)
{
	struct rlwe_wide wide;

	rlwe_wide_init(&wide, like->ring, like->level,
		arena_take(scratch, rlwe_wide_bytes(like->ring, like->level)));
	return wide;
}

/* The image of a polynomial in evaluation format. */
static void move(struct ring_poly *dst, const struct ring_poly *a, const uint32_t *map)
{
	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &a->ring->primes[i];

		r->k.permute(ring_poly_row(dst, i), ring_poly_row(a, i), map, r->n);
	}
}

/* In evaluation format: what needs no switching is added after the division. */
static void switch_values(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a,
	const struct rlwe_digits *digits, const struct rlwe_galois_key *key, const uint32_t *map,
	struct arena *scratch)
{
	struct rlwe_wide wide = take_wide(&a->poly[0], scratch);
	struct ring_poly moved = take_poly(&a->poly[0], RING_EVALUATION, scratch);

	move(&moved, &a->poly[0], key->map);
	rlwe_switch(&wide, digits, &key->key, map, scratch);
	rlwe_wide_divide(dst, &wide, RING_EVALUATION, scratch);
	ring_poly_add(&dst->poly[0], &dst->poly[0], &moved);
}

static void require_pair(const struct bfv_context *ctx, const struct rlwe_ciphertext *a)
{
	REQUIRE(a->count == 2 && a->poly[0].ring == ctx->ring && a->poly[0].level <= ctx->level);
}

void bfv_apply_galois(const struct bfv_context *ctx, struct rlwe_ciphertext *dst,
	const struct rlwe_ciphertext *a, const struct rlwe_galois_key *key, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	const unsigned level = rlwe_ciphertext_level(a);
	struct rlwe_digits digits;

	require_pair(ctx, a);
	rlwe_digits_init(&digits, ctx->ring, level, arena_take(scratch, rlwe_digits_bytes(ctx->ring, level)));
	if (rlwe_ciphertext_format(a) == RING_EVALUATION) {
		struct ring_poly moved = take_poly(&a->poly[1], RING_EVALUATION, scratch);

		move(&moved, &a->poly[1], key->map);
		rlwe_decompose(&digits, &moved, scratch);
		switch_values(dst, a, &digits, key, NULL, scratch);
	} else {
		struct rlwe_wide wide = take_wide(&a->poly[0], scratch);
		struct rlwe_ciphertext values = *a;

		values.poly[0] = take_poly(&a->poly[0], RING_COEFFICIENT, scratch);
		ring_poly_copy(&values.poly[0], &a->poly[0]);
		ring_poly_transform(&values.poly[0], RING_EVALUATION);
		rlwe_decompose(&digits, &a->poly[1], scratch);
		bfv_apply_galois_wide(ctx, &wide, false, &values, &digits, key, scratch);
		rlwe_wide_divide(dst, &wide, RING_COEFFICIENT, scratch);
	}
	arena_release(scratch, mark);
}

void bfv_apply_galois_hoisted(const struct bfv_context *ctx, struct rlwe_ciphertext *dst,
	const struct rlwe_ciphertext *a, const struct rlwe_digits *digits, const struct rlwe_galois_key *key,
	struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);

	require_pair(ctx, a);
	REQUIRE(rlwe_ciphertext_format(a) == RING_EVALUATION);
	switch_values(dst, a, digits, key, key->map, scratch);
	arena_release(scratch, mark);
}

void bfv_apply_galois_wide(const struct bfv_context *ctx, struct rlwe_wide *w, bool more,
	const struct rlwe_ciphertext *a, const struct rlwe_digits *digits, const struct rlwe_galois_key *key,
	struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	struct rlwe_wide one = more ? take_wide(&a->poly[0], scratch) : *w;
	struct ring_poly moved = take_poly(&a->poly[0], RING_EVALUATION, scratch);

	require_pair(ctx, a);
	REQUIRE(a->poly[0].format == RING_EVALUATION);
	move(&moved, &a->poly[0], key->map);
	rlwe_switch(&one, digits, &key->key, key->map, scratch);
	rlwe_wide_add_poly(&one, 0, &moved);
	if (more)
		rlwe_wide_add(w, &one);
	else
		*w = one;
	arena_release(scratch, mark);
}

/* --- plans */

size_t bfv_plan_scratch(const struct bfv_context *ctx)
{
	return arena_room(ring_galois_plan_words(ctx->ring->log_n) * sizeof(uint32_t));
}

/* The steps of the keys that rotate rows; returns how many. */
static unsigned list_steps(int *steps, const struct rlwe_galois_key **of, const struct bfv_context *ctx,
	const struct rlwe_evalkey *keys)
{
	const uint32_t mask = ring_galois_element_swap(ctx->ring->log_n);
	unsigned count = 0;
	uint32_t element = 1;

	for (int left = 1; left < (int)ctx->ring->n / 2; left++) {
		const struct rlwe_galois_key *key;

		element = element * 3 & mask;
		key = rlwe_evalkey_find(keys, element);
		if (key) {
			of[count] = key;
			steps[count++] = -left;
		}
	}
	return count;
}

enum veil_status bfv_plan_rotation(struct bfv_plan *plan, const struct bfv_context *ctx,
	const struct rlwe_evalkey *keys, int step, struct arena *scratch, struct veil_error *err)
{
	const size_t mark = arena_mark(scratch);
	uint32_t *words = arena_take(scratch, ring_galois_plan_words(ctx->ring->log_n) * sizeof *words);
	const struct rlwe_galois_key *of[RLWE_MAX_GALOIS_KEYS];
	int steps[RLWE_MAX_GALOIS_KEYS];
	unsigned times[RLWE_MAX_GALOIS_KEYS], count = list_steps(steps, of, ctx, keys), total = 0;
	const bool found = ring_galois_plan(times, ctx->ring->log_n, steps, count, step, words);

	arena_release(scratch, mark);
	*plan = (struct bfv_plan){0};
	for (unsigned i = 0; found && i < count; i++)
		total += times[i];
	if (!found || total > BFV_PLAN_STEPS)
		return error_set(err, VEIL_E_INVALID,
			"%s: no rotation by %d in %d key switches or fewer; ask for a key of it",
			ctx->params->name, step, BFV_PLAN_STEPS);
	for (unsigned i = 0; i < count; i++)
		for (; times[i]; times[i]--)
			plan->key[plan->count++] = of[i];
	return VEIL_OK;
}

void bfv_apply_plan(const struct bfv_context *ctx, struct rlwe_ciphertext *dst,
	const struct rlwe_ciphertext *a, const struct bfv_plan *plan, struct arena *scratch)
{
	if (!plan->count)
		rlwe_ciphertext_copy(dst, a);
	for (unsigned i = 0; i < plan->count; i++)
		bfv_apply_galois(ctx, dst, i ? dst : a, plan->key[i], scratch);
}
