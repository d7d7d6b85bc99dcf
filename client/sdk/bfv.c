/* SPDX-License-Identifier: Apache-2.0 */
#include "veil/bfv.h"

#include <math.h>
#include <stdlib.h>

#include "base/cpu.h"
#include "base/drbg.h"
#include "base/error.h"
#include "bfv/encode.h"
#include "bfv/eval.h"
#include "bfv/multiply.h"
#include "bfv/noise.h"
#include "bfv/rotate.h"
#include "secret/bfv.h"
#include "secret/evalkey.h"
#include "wire/he.h"

struct veil_bfv {
	struct bfv_context *ctx;
	struct bfv_multiplier *multiplier;
	struct drbg *drbg;
	struct rng rng;
	struct arena scratch;
};

struct veil_bfv_secret {
	struct veil_bfv *bfv;
	struct secret_key key;
	struct secret_stream stream;
	struct arena arena; /* the key, and scratch of what handles it */
};

struct veil_bfv_keys {
	struct veil_bfv *bfv;
	struct rlwe_evalkey keys;
	struct arena arena;
};

/* Two polynomials in coefficient format. */
struct veil_bfv_ciphertext {
	struct veil_bfv *bfv;
	struct rlwe_ciphertext ct;
	double noise; /* variance, bfv/noise.h */
	struct arena arena;
};

static enum veil_status no_memory(struct veil_error *err)
{
	return error_set(err, VEIL_E_NOMEM, "no memory for BFV");
}

/* --- contexts */

static size_t scratch_room(const struct veil_bfv *b)
{
	const struct ring *ring = b->ctx->ring;
	const size_t product = 3 * ring_poly_bytes(ring, b->ctx->level) + bfv_multiply_scratch(b->multiplier);
	const size_t other = bfv_rotate_scratch(b->ctx, b->ctx->level) + bfv_plan_scratch(b->ctx) +
			     3 * arena_room(bfv_plaintext_bytes(b->ctx)) +
			     ring_poly_bytes(ring, b->ctx->level);

	return product > other ? product : other;
}

enum veil_status veil_bfv_create(struct veil_bfv **out, const char *params, struct veil_error *err)
{
	const struct rlwe_params *set = rlwe_params_find(params);
	struct veil_bfv *b = NULL;
	enum veil_status st;

	*out = NULL;
	if (!set)
		return error_set(err, VEIL_E_NOT_FOUND, "no parameter set %s", params);
	b = calloc(1, sizeof *b);
	if (!b)
		return no_memory(err);
	b->rng = rng_system();
	st = bfv_context_create(&b->ctx, set, false, cpu_features(), err);
	if (st != VEIL_OK)
		goto out;
	if (!b->ctx->slots || !set->special) {
		st = error_set(err, VEIL_E_INVALID, "%s: %s", params,
			set->special ? "t makes no slots" : "no modulus for key switching");
		goto out;
	}
	st = bfv_multiplier_create(&b->multiplier, b->ctx, b->ctx->level, cpu_features(), err);
	if (st != VEIL_OK)
		goto out;
	b->drbg = drbg_create();
	if (!b->drbg || arena_init(&b->scratch, scratch_room(b)) != VEIL_OK) {
		st = no_memory(err);
		goto out;
	}
	*out = b;
	b = NULL;
out:
	veil_bfv_destroy(b);
	return st;
}

void veil_bfv_destroy(struct veil_bfv *b)
{
	if (!b)
		return;
	drbg_destroy(b->drbg);
	arena_clear(&b->scratch);
	bfv_multiplier_destroy(b->multiplier);
	bfv_context_destroy(b->ctx);
	free(b);
}

size_t veil_bfv_slots(const struct veil_bfv *b)
{
	return b->ctx->ring->n;
}

uint64_t veil_bfv_modulus(const struct veil_bfv *b)
{
	return b->ctx->t.q;
}

/* --- secrets and keys */

enum veil_status veil_bfv_secret_create(
	struct veil_bfv_secret **out, struct veil_bfv *b, struct veil_error *err)
{
	const struct ring *ring = b->ctx->ring;
	struct veil_bfv_secret *s = calloc(1, sizeof *s);

	*out = NULL;
	if (!s ||
		arena_init_secret(&s->arena,
			secret_key_room(ring) + secret_bfv_scratch(b->ctx) + secret_evalkey_scratch(ring) +
				3 * arena_room(bfv_plaintext_bytes(b->ctx))) != VEIL_OK ||
		secret_stream_init(&s->stream, &b->rng) != VEIL_OK) {
		veil_bfv_secret_destroy(s);
		return no_memory(err);
	}
	s->bfv = b;
	secret_key_generate(&s->key, ring, &s->stream, &s->arena);
	*out = s;
	return VEIL_OK;
}

void veil_bfv_secret_destroy(struct veil_bfv_secret *s)
{
	if (!s)
		return;
	secret_stream_clear(&s->stream);
	arena_clear(&s->arena);
	free(s);
}

/* Room for the keys of these steps and for relinearisation. */
static enum veil_status keys_alloc(struct veil_bfv_keys **out, struct veil_bfv *b, const int *steps,
	unsigned count, struct veil_error *err)
{
	uint32_t elements[RLWE_MAX_GALOIS_KEYS];
	struct veil_bfv_keys *k;
	enum veil_status st;

	*out = NULL;
	for (unsigned i = 0; i < count && i < RLWE_MAX_GALOIS_KEYS; i++) {
		const int row = (int)b->ctx->ring->n / 2;

		if (steps[i] <= -row || steps[i] >= row || !steps[i])
			return error_set(err, VEIL_E_INVALID,
				"step %u: a rotation by %d is none of up to %d slots", i, steps[i], row - 1);
		elements[i] = ring_galois_element_rotate(b->ctx->ring->log_n, steps[i]);
	}
	st = rlwe_evalkey_check(b->ctx->params, elements, count, true, err);
	if (st != VEIL_OK)
		return st;
	k = calloc(1, sizeof *k);
	if (!k || arena_init(&k->arena, rlwe_evalkey_room(b->ctx->ring, count, true)) != VEIL_OK) {
		veil_bfv_keys_destroy(k);
		return no_memory(err);
	}
	k->bfv = b;
	rlwe_evalkey_init(&k->keys, b->ctx->ring, elements, count, true, &k->arena);
	*out = k;
	return VEIL_OK;
}

enum veil_status veil_bfv_keys_create(struct veil_bfv_keys **out, struct veil_bfv_secret *s, const int *steps,
	unsigned count, struct veil_error *err)
{
	const enum veil_status st = keys_alloc(out, s->bfv, steps, count, err);

	if (st == VEIL_OK)
		secret_evalkey_generate(
			&(*out)->keys, &s->key, &s->bfv->rng, s->bfv->drbg, &s->stream, &s->arena);
	return st;
}

static enum veil_status wire_arena(
	struct arena *arena, const struct veil_bfv *b, unsigned count, size_t size, struct veil_error *err)
{
	const unsigned ciphertexts = (count + 1) * (b->ctx->level + 1);

	return arena_init(arena, wire_he_room(size, ciphertexts)) == VEIL_OK ? VEIL_OK : no_memory(err);
}

enum veil_status veil_bfv_keys_write(
	const struct veil_bfv_keys *keys, uint8_t *out, size_t *size, struct veil_error *err)
{
	const size_t room = rlwe_evalkey_room(keys->bfv->ctx->ring, keys->keys.galois_count, true);
	struct arena arena = {0};
	enum veil_status st = wire_arena(&arena, keys->bfv, keys->keys.galois_count, room, err);

	if (st == VEIL_OK)
		*size = wire_evalkey_write(out, &keys->keys, &arena);
	arena_clear(&arena);
	return st;
}

enum veil_status veil_bfv_keys_read(struct veil_bfv_keys **out, struct veil_bfv *b, const int *steps,
	unsigned count, const uint8_t *data, size_t size, struct veil_error *err)
{
	struct arena arena = {0};
	enum veil_status st = keys_alloc(out, b, steps, count, err);

	if (st == VEIL_OK)
		st = wire_arena(&arena, b, count, size, err);
	if (st == VEIL_OK)
		st = wire_evalkey_read(&(*out)->keys, b->drbg, data, size, &arena, err);
	if (st != VEIL_OK) {
		veil_bfv_keys_destroy(*out);
		*out = NULL;
	}
	arena_clear(&arena);
	return st;
}

void veil_bfv_keys_destroy(struct veil_bfv_keys *k)
{
	if (!k)
		return;
	arena_clear(&k->arena);
	free(k);
}

/* --- ciphertexts */

void veil_bfv_ciphertext_destroy(struct veil_bfv_ciphertext *ct)
{
	if (!ct)
		return;
	arena_clear(&ct->arena);
	free(ct);
}

enum veil_status veil_bfv_encrypt(struct veil_bfv_ciphertext **out, struct veil_bfv_secret *s,
	const int64_t *values, size_t count, struct veil_error *err)
{
	const struct bfv_context *ctx = s->bfv->ctx;
	const size_t mark = arena_mark(&s->arena), bytes = rlwe_ciphertext_bytes(ctx->ring, 2, ctx->level);
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
	ct = calloc(1, sizeof *ct);
	if (!ct || arena_init(&ct->arena, bytes) != VEIL_OK) {
		st = no_memory(err);
		goto out;
	}
	ct->bfv = s->bfv;
	ct->noise = bfv_noise_fresh(ctx);
	rlwe_ciphertext_init(
		&ct->ct, ctx->ring, 2, ctx->level, RING_COEFFICIENT, arena_take(&ct->arena, bytes));
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

enum veil_status veil_bfv_multiply(struct veil_bfv_ciphertext *ct, const struct veil_bfv_ciphertext *a,
	const struct veil_bfv_keys *keys, struct veil_error *err)
{
	struct veil_bfv *b = ct->bfv;
	const unsigned level = b->ctx->level;
	const size_t mark = arena_mark(&b->scratch);
	struct rlwe_ciphertext product;
	enum veil_status st = one_context(b, a->bfv, err);
	double noise;

	if (st == VEIL_OK)
		st = one_context(b, keys->bfv, err);
	if (st != VEIL_OK)
		return st;
	noise = 2 * bfv_noise_times(b->ctx, level, ct->noise, a->noise); /* a square has twice the variance */
	st = allow(ct, bfv_noise_switched(b->ctx, level, noise), "the product", err);
	if (st != VEIL_OK)
		return st;
	rlwe_ciphertext_init(&product, b->ctx->ring, 3, level, RING_COEFFICIENT,
		arena_take(&b->scratch, rlwe_ciphertext_bytes(b->ctx->ring, 3, level)));
	bfv_multiply(b->multiplier, &product, &ct->ct, &a->ct, &b->scratch);
	bfv_relinearize(&product, &keys->keys, &b->scratch);
	rlwe_ciphertext_copy(&ct->ct, &product);
	arena_release(&b->scratch, mark);
	return VEIL_OK;
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
