/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/bfv_inside.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "bfv/encode.h"
#include "bfv/eval.h"
#include "bfv/noise.h"
#include "bfv/rotate.h"
#include "secret/bfv.h"
#include "wire/he.h"

/* --- ciphertexts */

void veil_bfv_ciphertext_destroy(struct veil_bfv_ciphertext *ct)
{
	if (!ct)
		return;
	arena_clear(&ct->arena);
	free(ct);
}

static enum veil_status ciphertext_alloc(
	struct veil_bfv_ciphertext **out, struct veil_bfv *b, double noise, struct veil_error *err)
{
	const struct bfv_context *ctx = b->ctx;
	const size_t bytes = rlwe_ciphertext_bytes(ctx->ring, 2, ctx->level);
	struct veil_bfv_ciphertext *ct = calloc(1, sizeof *ct);

	*out = NULL;
	if (!ct || arena_init(&ct->arena, bytes) != VEIL_OK) {
		free(ct);
		return bfv_no_memory(err);
	}
	ct->bfv = b;
	ct->noise = noise;
	rlwe_ciphertext_init(
		&ct->ct, ctx->ring, 2, ctx->level, RING_COEFFICIENT, arena_take(&ct->arena, bytes));
	*out = ct;
	return VEIL_OK;
}

enum veil_status veil_bfv_encrypt(struct veil_bfv_ciphertext **out, struct veil_bfv_secret *s,
	const int64_t *values, size_t count, struct veil_error *err)
{
	const struct bfv_context *ctx = s->bfv->ctx;
	const size_t mark = arena_mark(&s->arena);
	struct veil_bfv_ciphertext *ct = NULL;
	enum veil_status st;
	void *plaintext = arena_take(&s->arena, bfv_plaintext_bytes(ctx));

	*out = NULL;
	if (count > ctx->ring->n)
		st = error_set(err, VEIL_E_INVALID, "%zu values for %zu slots", count, ctx->ring->n);
	else
		st = bfv_encode_signed(ctx, plaintext, values, count, BFV_SIMD, err);
	if (st != VEIL_OK)
		goto out;
	st = ciphertext_alloc(&ct, s->bfv, bfv_noise_fresh(ctx), err);
	if (st != VEIL_OK)
		goto out;
	secret_bfv_encrypt(
		ctx, &s->key, &ct->ct, plaintext, &s->bfv->rng, s->bfv->drbg, &s->stream, &s->arena);
	*out = ct;
	ct = NULL;
out:
	veil_bfv_ciphertext_destroy(ct);
	arena_release(&s->arena, mark);
	return st;
}

static enum veil_status one_context(
	const struct veil_bfv *a, const struct veil_bfv *b, struct veil_error *err)
{
	return a == b ? VEIL_OK : error_set(err, VEIL_E_INVALID, "what is combined was made by two contexts");
}

enum veil_status veil_bfv_decrypt(struct veil_bfv_secret *s, int64_t *values, size_t count,
	const struct veil_bfv_ciphertext *ct, struct veil_error *err)
{
	const struct bfv_context *ctx = s->bfv->ctx;
	const size_t mark = arena_mark(&s->arena);
	enum veil_status st = one_context(s->bfv, ct->bfv, err);
	void *plaintext;

	if (st == VEIL_OK && count > ctx->ring->n)
		st = error_set(err, VEIL_E_INVALID, "%zu values of %zu slots", count, ctx->ring->n);
	if (st != VEIL_OK)
		return st;
	plaintext = arena_take(&s->arena, bfv_plaintext_bytes(ctx));
	secret_bfv_decrypt(ctx, &s->key, plaintext, &ct->ct, &s->arena);
	bfv_decode_signed(ctx, values, count, plaintext, BFV_SIMD, &s->arena);
	arena_release(&s->arena, mark);
	return VEIL_OK;
}

enum veil_status veil_bfv_copy(
	struct veil_bfv_ciphertext *dst, const struct veil_bfv_ciphertext *a, struct veil_error *err)
{
	const enum veil_status st = one_context(dst->bfv, a->bfv, err);

	if (st == VEIL_OK) {
		rlwe_ciphertext_copy(&dst->ct, &a->ct);
		dst->noise = a->noise;
	}
	return st;
}

enum veil_status veil_bfv_ciphertext_write(
	const struct veil_bfv_ciphertext *ct, uint8_t *out, size_t *size, struct veil_error *err)
{
	struct arena arena = {0};
	enum veil_status st;

	if (rlwe_ciphertext_is_transparent(&ct->ct))
		return error_set(err, VEIL_E_INVALID,
			"a ciphertext that anybody can read, as a product by zeros is one, does not leave");
	st = bfv_wire_arena(
		&arena, ct->bfv, 1, rlwe_ciphertext_bytes(ct->bfv->ctx->ring, 2, ct->bfv->ctx->level), err);
	if (st == VEIL_OK)
		*size = wire_ciphertext_write(out, &ct->ct, NULL, &arena);
	arena_clear(&arena);
	return st;
}

enum veil_status veil_bfv_ciphertext_read(struct veil_bfv_ciphertext **out, struct veil_bfv *b,
	const uint8_t *data, size_t size, double bits_left, struct veil_error *err)
{
	const double fresh = bfv_noise_fresh(b->ctx);
	struct arena arena = {0};
	enum veil_status st = ciphertext_alloc(out, b, fresh, err);

	if (st == VEIL_OK)
		st = bfv_wire_arena(&arena, b, 1, size, err);
	if (st == VEIL_OK)
		st = wire_ciphertext_read(&(*out)->ct, b->drbg, data, size, &arena, err);
	if (st == VEIL_OK && !(*out)->ct.seeded) {
		const double most = bfv_noise_bits_left(b->ctx, b->ctx->level, fresh);

		(*out)->noise = fresh * exp2(2 * (most - bits_left));
		if (!(bits_left >= 1 && bits_left <= most))
			st = error_set(err, VEIL_E_INVALID,
				"%g bits left for noise are not 1 to %.1f, those of a fresh ciphertext",
				bits_left, most);
	}
	if (st != VEIL_OK) {
		veil_bfv_ciphertext_destroy(*out);
		*out = NULL;
	}
	arena_clear(&arena);
	return st;
}

double veil_bfv_bits_left(const struct veil_bfv_ciphertext *ct)
{
	return bfv_noise_bits_left(ct->bfv->ctx, ct->bfv->ctx->level, ct->noise);
}

/* --- operations: the noise first, which may refuse */

static enum veil_status allow(
	struct veil_bfv_ciphertext *ct, double noise, const char *what, struct veil_error *err)
{
	const enum veil_status st = bfv_noise_check(ct->bfv->ctx, ct->bfv->ctx->level, noise, what, err);

	if (st == VEIL_OK)
		ct->noise = noise;
	return st;
}

/* Operands may depend on each other. */
static double sum_noise(double a, double b)
{
	return pow(sqrt(a) + sqrt(b), 2);
}

enum veil_status veil_bfv_add(
	struct veil_bfv_ciphertext *ct, const struct veil_bfv_ciphertext *a, struct veil_error *err)
{
	enum veil_status st = one_context(ct->bfv, a->bfv, err);

	if (st == VEIL_OK)
		st = allow(ct, sum_noise(ct->noise, a->noise), "the sum", err);
	if (st == VEIL_OK)
		bfv_add(&ct->ct, &ct->ct, &a->ct);
	return st;
}

enum veil_status veil_bfv_sub(
	struct veil_bfv_ciphertext *ct, const struct veil_bfv_ciphertext *a, struct veil_error *err)
{
	enum veil_status st = one_context(ct->bfv, a->bfv, err);

	if (st == VEIL_OK)
		st = allow(ct, sum_noise(ct->noise, a->noise), "the difference", err);
	if (st == VEIL_OK)
		bfv_sub(&ct->ct, &ct->ct, &a->ct);
	return st;
}

/* The noise of a sum of products, whose operands may depend on each other; a square has twice the variance.
 */
static enum veil_status inner_noise(double *noise, const struct veil_bfv *b,
	const struct veil_bfv_ciphertext *const *x, const struct veil_bfv_ciphertext *const *y, size_t count,
	struct veil_error *err)
{
	*noise = 0;
	for (size_t i = 0; i < count; i++) {
		enum veil_status st = one_context(b, x[i]->bfv, err);

		if (st == VEIL_OK)
			st = one_context(b, y[i]->bfv, err);
		if (st != VEIL_OK)
			return st;
		*noise = sum_noise(
			*noise, 2 * bfv_noise_times(b->ctx, b->ctx->level, x[i]->noise, y[i]->noise));
	}
	*noise = bfv_noise_switched(b->ctx, b->ctx->level, *noise);
	return VEIL_OK;
}

enum veil_status veil_bfv_inner(struct veil_bfv_ciphertext *ct, const struct veil_bfv_ciphertext *const *x,
	const struct veil_bfv_ciphertext *const *y, size_t count, const struct veil_bfv_keys *keys,
	struct veil_error *err)
{
	struct veil_bfv *b = ct->bfv;
	const unsigned level = b->ctx->level;
	const size_t mark = arena_mark(&b->scratch);
	const struct rlwe_ciphertext **operands;
	struct rlwe_ciphertext product;
	enum veil_status st = one_context(b, keys->bfv, err);
	double noise;

	if (st == VEIL_OK && count < 1)
		st = error_set(err, VEIL_E_INVALID, "an inner product of no ciphertexts");
	if (st == VEIL_OK)
		st = inner_noise(&noise, b, x, y, count, err);
	if (st != VEIL_OK)
		return st;
	operands = calloc(2 * count, sizeof *operands);
	st = operands ? allow(ct, noise, count > 1 ? "the inner product" : "the product", err)
		      : bfv_no_memory(err);
	if (st != VEIL_OK)
		goto out;
	for (size_t i = 0; i < count; i++) {
		operands[i] = &x[i]->ct;
		operands[count + i] = &y[i]->ct;
	}
	rlwe_ciphertext_init(&product, b->ctx->ring, 3, level, RING_COEFFICIENT,
		arena_take(&b->scratch, rlwe_ciphertext_bytes(b->ctx->ring, 3, level)));
	bfv_inner(b->multiplier, &product, operands, operands + count, count, &b->scratch);
	bfv_relinearize(&product, &keys->keys, &b->scratch);
	rlwe_ciphertext_copy(&ct->ct, &product);
	arena_release(&b->scratch, mark);
out:
	free(operands);
	return st;
}

enum veil_status veil_bfv_multiply(struct veil_bfv_ciphertext *ct, const struct veil_bfv_ciphertext *a,
	const struct veil_bfv_keys *keys, struct veil_error *err)
{
	const struct veil_bfv_ciphertext *self = ct;

	return veil_bfv_inner(ct, &self, &a, 1, keys, err);
}

enum veil_status veil_bfv_multiply_plain(
	struct veil_bfv_ciphertext *ct, const int64_t *values, size_t count, struct veil_error *err)
{
	struct veil_bfv *b = ct->bfv;
	const size_t mark = arena_mark(&b->scratch);
	const struct bfv_context *ctx = b->ctx;
	struct ring_poly factor;
	void *plaintext = arena_take(&b->scratch, bfv_plaintext_bytes(ctx));
	enum veil_status st;

	if (count > ctx->ring->n)
		st = error_set(err, VEIL_E_INVALID, "%zu values for %zu slots", count, ctx->ring->n);
	else
		st = bfv_encode_signed(ctx, plaintext, values, count, BFV_SIMD, err);
	if (st == VEIL_OK)
		st = allow(ct, bfv_noise_times_plain(ctx, ct->noise), "the product", err);
	if (st != VEIL_OK)
		goto out;
	ring_poly_init(&factor, ctx->ring, ctx->level, RING_EVALUATION,
		arena_take(&b->scratch, ring_poly_bytes(ctx->ring, ctx->level)));
	bfv_lift(ctx, &factor, plaintext, &b->scratch);
	rlwe_ciphertext_transform(&ct->ct, RING_EVALUATION);
	bfv_mul_plain(&ct->ct, &ct->ct, &factor);
	rlwe_ciphertext_transform(&ct->ct, RING_COEFFICIENT);
out:
	arena_release(&b->scratch, mark);
	return st;
}

enum veil_status veil_bfv_rotate(
	struct veil_bfv_ciphertext *ct, int step, const struct veil_bfv_keys *keys, struct veil_error *err)
{
	struct veil_bfv *b = ct->bfv;
	const int row = (int)b->ctx->ring->n / 2;
	struct bfv_plan plan;
	double noise = ct->noise;
	enum veil_status st = one_context(b, keys->bfv, err);

	if (st == VEIL_OK && (step <= -row || step >= row))
		st = error_set(err, VEIL_E_INVALID, "a rotation by %d in rows of %d slots", step, row);
	if (st == VEIL_OK)
		st = bfv_plan_rotation(&plan, b->ctx, &keys->keys, step, &b->scratch, err);
	if (st != VEIL_OK)
		return st;
	for (unsigned i = 0; i < plan.count; i++)
		noise = bfv_noise_switched(b->ctx, b->ctx->level, noise);
	st = allow(ct, noise, "the rotation", err);
	if (st == VEIL_OK)
		bfv_apply_plan(b->ctx, &ct->ct, &ct->ct, &plan, &b->scratch);
	return st;
}

enum veil_status veil_bfv_swap_rows(
	struct veil_bfv_ciphertext *ct, const struct veil_bfv_keys *keys, struct veil_error *err)
{
	struct veil_bfv *b = ct->bfv;
	enum veil_status st = one_context(b, keys->bfv, err);
	const struct rlwe_galois_key *key;

	if (st != VEIL_OK)
		return st;
	key = rlwe_evalkey_find(&keys->keys, ring_galois_element_swap(b->ctx->ring->log_n));
	if (!key)
		return error_set(err, VEIL_E_INVALID,
			"no key to swap the rows; ask for one with the step VEIL_BFV_SWAP_ROWS");
	st = allow(ct, bfv_noise_switched(b->ctx, b->ctx->level, ct->noise), "the exchange of the rows", err);
	if (st == VEIL_OK)
		bfv_apply_galois(b->ctx, &ct->ct, &ct->ct, key, &b->scratch);
	return st;
}
