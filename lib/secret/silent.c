/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/silent.h"

#include <stdlib.h>
#include <string.h>

#include "base/ct.h"
#include "base/error.h"
#include "base/require.h"
#include "ring/galois.h"
#include "secret/encrypt.h"
#include "silent/bits.h"

enum state { CREATED, WRITTEN, DECRYPTED };

struct secret_silent {
	struct arena arena; /* holds this very struct; what lies above `mark` is wiped by decrypting */
	size_t mark;
	const struct silent_context *ctx;
	enum state state;
	struct secret_key key;
	uint8_t *bytes; /* public, on the heap */
};

/* b = -(a s) + e + message, rounded to `bits` bits and packed. */
static void encrypt(struct secret_silent *s, uint8_t *out, const uint64_t *a, const uint64_t *message,
	unsigned bits, struct secret_stream *stream)
{
	const struct ring_prime *r = s->ctx->prime;
	const size_t mark = arena_mark(&s->arena);
	uint64_t *b = arena_take(&s->arena, ring_prime_bytes(r));
	struct ring_poly poly;

	memcpy(b, a, ring_prime_bytes(r));
	ring_poly_init(&poly, s->ctx->ring, 1, RING_EVALUATION, b);
	secret_encrypt_zero(&s->key, &poly, &poly, stream, &s->arena);
	r->k.add(b, b, message, r->n, &r->p);
	r->k.round(b, b, r->n, bits, &r->p);
	r->k.pack(out, b, r->n, bits);
	arena_release(&s->arena, mark);
}

/* Keys that take what is under tau(s), tau: X -> X^element, to s. */
static uint8_t *encrypt_keys(struct secret_silent *s, uint8_t *out, const struct rlwe_gadget *g,
	uint32_t element, const uint64_t *w, struct secret_stream *stream)
{
	const struct silent_context *ctx = s->ctx;
	const struct ring_prime *r = ctx->prime;
	const size_t mark = arena_mark(&s->arena);
	uint32_t *map = arena_take(&s->arena, ctx->n * sizeof *map);
	uint64_t *image = arena_take(&s->arena, ring_prime_bytes(r));
	uint64_t *message = arena_take(&s->arena, ring_prime_bytes(r));
	struct ring_poly from, to;

	ring_galois_map(map, r->log_n, element, RING_EVALUATION);
	ring_poly_init(&from, ctx->ring, 1, RING_EVALUATION, s->key.s[0]);
	ring_poly_init(&to, ctx->ring, 1, RING_EVALUATION, image);
	ring_galois_apply(&to, &from, map);
	r->k.ntt_inverse(image, r->table, KERNELS_PLAIN);
	for (unsigned l = 0; l < g->digits; l++, out += (size_t)ctx->n * g->key_bits / 8) {
		r->k.affine(message, image, r->n, (uint64_t)1 << (g->drop + l * g->bits), 0, &r->p, &r->p);
		encrypt(s, out, w + (size_t)l * ctx->n, message, g->key_bits, stream);
	}
	arena_release(&s->arena, mark);
	return out;
}

static enum veil_status fill(
	struct secret_silent *s, const struct secret_silent_message *message, const struct rng *rng)
{
	const struct silent_context *ctx = s->ctx;
	const struct rlwe_params *p = ctx->spec.params;
	const size_t poly = ring_prime_bytes(ctx->prime);
	struct secret_stream stream = {0};
	uint64_t *residues;
	uint8_t *out;
	size_t mark;

	s->bytes = out = malloc(ctx->query_bytes);
	if (!out || secret_stream_init(&stream, rng) != VEIL_OK)
		return VEIL_E_NOMEM;
	secret_key_generate(&s->key, ctx->ring, &stream, &s->arena);
	mark = arena_mark(&s->arena);
	residues = arena_take(&s->arena, poly);
	for (uint32_t j = 0; j < ctx->blocks; j++, out += (size_t)ctx->n * p->upload_bits / 8) {
		memset(residues, 0, poly);
		message->fill(message->state, j, residues);
		encrypt(s, out, ctx->a + (size_t)j * ctx->n, residues, p->upload_bits, &stream);
	}
	arena_release(&s->arena, mark);
	out = encrypt_keys(s, out, &p->g, 5, ctx->w, &stream);
	out = encrypt_keys(s, out, &p->h, 2 * ctx->n - 1, ctx->w + (size_t)p->g.digits * ctx->n, &stream);
	REQUIRE(out == s->bytes + ctx->query_bytes);
	ct_unpoison(s->bytes, ctx->query_bytes);
	secret_stream_clear(&stream);
	return VEIL_OK;
}

static size_t room(const struct silent_context *ctx)
{
	return arena_room(sizeof(struct secret_silent)) + secret_key_room(ctx->ring) +
	       4 * arena_room(ring_prime_bytes(ctx->prime)) + secret_encrypt_scratch(ctx->ring);
}

enum veil_status secret_silent_create(struct secret_silent **out, const struct silent_context *ctx,
	const struct secret_silent_message *message, const struct rng *rng, struct veil_error *err)
{
	struct arena arena = {0};
	struct secret_silent *s;
	enum veil_status st;

	*out = NULL;
	st = arena_init_secret(&arena, room(ctx));
	if (st != VEIL_OK)
		return error_set(err, st, "no memory for the secret of a retrieval");
	s = arena_take(&arena, sizeof *s);
	*s = (struct secret_silent){.arena = arena, .mark = arena_mark(&arena), .ctx = ctx};
	st = fill(s, message, rng);
	if (st != VEIL_OK) {
		secret_silent_destroy(s);
		return error_set(err, st, "no memory for a retrieval");
	}
	*out = s;
	return VEIL_OK;
}

void secret_silent_write(struct secret_silent *s, uint8_t *out)
{
	REQUIRE(s->state == CREATED);
	s->state = WRITTEN;
	memcpy(out, s->bytes, s->ctx->query_bytes);
	free(s->bytes);
	s->bytes = NULL;
}

/* a', in [0, 2^c1 bits), times s: coefficients are below n 2^c1 bits < q/2, so residues are the integers. */
static void multiply(struct secret_silent *s, uint64_t *product, const uint8_t *constant)
{
	const struct ring_prime *r = s->ctx->prime;

	for (uint32_t i = 0; i < r->n; i++)
		product[i] = silent_bits(constant, i, s->ctx->spec.params->reply_c1_bits);
	r->k.ntt_forward(product, r->table);
	r->k.mul(product, product, s->key.s[0], r->n, &r->p);
	r->k.ntt_inverse(product, r->table, KERNELS_PLAIN);
}

void secret_silent_decrypt(
	struct secret_silent *s, uint32_t *phases, const uint8_t *constants, const uint8_t *reply)
{
	const struct silent_context *ctx = s->ctx;
	const struct rlwe_params *p = ctx->spec.params;
	const unsigned up = p->reply_c1_bits - p->reply_c0_bits;
	const uint64_t q = ctx->prime->p.q, mask = ((uint64_t)1 << p->reply_c1_bits) - 1;
	uint64_t *product;

	REQUIRE(s->state == WRITTEN);
	s->state = DECRYPTED;
	product = arena_take(&s->arena, ring_prime_bytes(ctx->prime));
	for (uint32_t k = 0; k < ctx->spec.packs; k++) {
		multiply(s, product, constants + k * ctx->static_bytes);
		for (uint32_t i = 0; i < ctx->n; i++) {
			uint64_t x = product[i] - (q & ct_mask_less(q / 2, product[i]));

			x += silent_bits(reply + k * ctx->short_bytes, i, p->reply_c0_bits) << up;
			phases[(size_t)k * ctx->n + i] = (uint32_t)(x & mask);
		}
	}
	arena_release(&s->arena, s->mark);
}

void secret_silent_destroy(struct secret_silent *s)
{
	struct arena arena;

	if (!s)
		return;
	free(s->bytes);
	arena = s->arena;
	arena_clear(&arena);
}
