/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/bfv_inside.h"

#include <stdlib.h>

#include "base/cpu.h"
#include "base/error.h"
#include "bfv/rotate.h"
#include "secret/bfv.h"
#include "secret/evalkey.h"
#include "wire/he.h"

enum veil_status bfv_no_memory(struct veil_error *err)
{
	return error_set(err, VEIL_E_NOMEM, "no memory for BFV");
}

enum veil_status bfv_wire_arena(
	struct arena *arena, const struct veil_bfv *b, unsigned count, size_t size, struct veil_error *err)
{
	const unsigned ciphertexts = (count + 1) * (b->ctx->level + 1);

	return arena_init(arena, wire_he_room(size, ciphertexts)) == VEIL_OK ? VEIL_OK : bfv_no_memory(err);
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
		return bfv_no_memory(err);
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
		st = bfv_no_memory(err);
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
		return bfv_no_memory(err);
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

		if (steps[i] == VEIL_BFV_SWAP_ROWS) {
			elements[i] = ring_galois_element_swap(b->ctx->ring->log_n);
			continue;
		}
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
		return bfv_no_memory(err);
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

enum veil_status veil_bfv_keys_write(
	const struct veil_bfv_keys *keys, uint8_t *out, size_t *size, struct veil_error *err)
{
	const size_t room = rlwe_evalkey_room(keys->bfv->ctx->ring, keys->keys.galois_count, true);
	struct arena arena = {0};
	enum veil_status st = bfv_wire_arena(&arena, keys->bfv, keys->keys.galois_count, room, err);

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
		st = bfv_wire_arena(&arena, b, count, size, err);
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
