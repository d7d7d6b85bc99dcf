/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/ct.h"
#include "base/error.h"
#include "base/require.h"
#include "nn/layout.h"
#include "secret/encrypt.h"
#include "secret/key.h"
#include "secret/unit.h"

enum state { CREATED, WRITTEN, DECODED };

struct secret_search {
	struct arena arena; /* holds this very struct; what lies above `mark` is wiped by decoding */
	size_t mark;
	const struct nn_context *ctx;
	enum state state;
	struct secret_key key;
	uint8_t seed[RING_SEED_BYTES];
	uint8_t *ciphertexts; /* public, on the heap */
};

/* --- the vector */

static int64_t clamp(int64_t v, int64_t limit)
{
	int64_t above = limit - v, below = v + limit;

	return v + (above & (above >> 63)) - (below & (below >> 63));
}

/** v + q if v < 0. */
static uint64_t residue(int64_t v, uint64_t q)
{
	return (uint64_t)v + (q & (uint64_t)(v >> 63));
}

/** What is encrypted, in place: the unit vector itself, or for exact sets its int8 form. */
static void quantise(const struct nn_context *ctx, double *x)
{
	if (!ctx->plain_modulus)
		return;
	for (uint32_t i = 0; i < ctx->spec.dim; i++)
		x[i] = (double)clamp(secret_nearest(x[i] * ctx->spec.scale), 127);
}

enum veil_status secret_search_quantise(
	const struct nn_context *ctx, int8_t *out, const float *vector, struct veil_error *err)
{
	double x[NN_MAX_DIM];
	enum veil_status st = secret_unit(x, vector, ctx->spec.dim, err);

	for (uint32_t i = 0; i < ctx->spec.dim && st == VEIL_OK; i++)
		out[i] = (int8_t)clamp(secret_nearest(x[i] * ctx->spec.scale), 127);
	wipe(x, sizeof x);
	return st;
}

/* --- encryption */

/** Adds chunk k of the vector to b. */
static void add_message(const struct nn_context *ctx, void *b, const double *x, uint32_t k, void *message)
{
	const struct ring_prime *r = ctx->prime;
	uint32_t from = k * ctx->chunk, left = ctx->spec.dim - from,
		 n = left < ctx->chunk ? left : ctx->chunk;

	for (uint32_t j = 0; j < n; j++)
		ring_set(r, message, j, residue(secret_nearest(x[from + j] * ctx->amplitude), r->p.q));
	r->k.add(b, b, message, n, &r->p);
}

/** b = b / 2^drop, rounded to nearest, ties to even: a tie is one residue in 2^drop, and always rounding it
 * up would add a constant to every residue, which rows of one sign would sum up. q = 1 mod 2^drop, so nothing
 * reaches q. */
static void drop_bits(const struct nn_context *ctx, void *b)
{
	const size_t n = ctx->prime->n;
	const unsigned drop = ctx->drop;
	const uint32_t half = drop ? (1u << (drop - 1)) - 1 : 0, even = drop != 0;

	if (ctx->prime->p.width == 4) {
		uint32_t *x = b;

		for (size_t i = 0; i < n; i++)
			x[i] = (x[i] + half + (x[i] >> drop & even)) >> drop;
	} else {
		uint64_t *x = b;

		for (size_t i = 0; i < n; i++)
			x[i] = (x[i] + half + (x[i] >> drop & even)) >> drop;
	}
}

/** Term k of an interleaved vector: the inverse of kernels.interleave. */
static void take_term(const struct nn_context *ctx, void *dst, const uint8_t *vector, uint32_t k)
{
	size_t lanes = KERNELS_LANES * (size_t)ctx->prime->p.width, blocks = ctx->prime->n / KERNELS_LANES;

	for (size_t i = 0; i < blocks; i++)
		memcpy((uint8_t *)dst + i * lanes, vector + (i * ctx->terms + k) * lanes, lanes);
}

/** `a` is the interleaved public vector. */
static void encrypt(struct secret_search *s, const double *x, const uint8_t *a, struct secret_stream *stream)
{
	const struct nn_context *ctx = s->ctx;
	const struct ring_prime *r = ctx->prime;
	size_t size = ctx->query_bytes / ctx->terms;
	void *b = arena_take(&s->arena, ring_prime_bytes(r));
	void *message = arena_take(&s->arena, ring_prime_bytes(r));
	struct ring_poly poly;

	for (uint32_t k = 0; k < ctx->terms; k++) {
		take_term(ctx, b, a, k);
		ring_poly_init(&poly, ctx->ring, 1, RING_EVALUATION, b);
		secret_encrypt_zero(&s->key, &poly, &poly, stream, &s->arena);
		add_message(ctx, b, x, k, message);
		drop_bits(ctx, b);
		r->k.pack(s->ciphertexts + k * size, b, r->n, ctx->spec.params->upload_bits);
	}
	ct_unpoison(s->ciphertexts, ctx->query_bytes);
}

static enum veil_status fill(
	struct secret_search *s, const float *vector, const struct rng *rng, struct veil_error *err)
{
	const struct nn_context *ctx = s->ctx;
	size_t size = ctx->terms * ring_prime_bytes(ctx->prime), mark;
	struct keystream *ks = keystream_create();
	uint8_t *a = aligned_alloc(64, arena_room(size));
	struct secret_stream stream = {0};
	double *x;
	enum veil_status st = VEIL_E_NOMEM;

	s->ciphertexts = malloc(ctx->query_bytes);
	if (!ks || !a || !s->ciphertexts)
		goto out;
	st = secret_stream_init(&stream, rng);
	if (st != VEIL_OK)
		goto out;
	secret_key_generate(&s->key, ctx->ring, &stream, &s->arena);
	rng_fill(rng, s->seed, sizeof s->seed);
	mark = arena_mark(&s->arena);
	x = arena_take(&s->arena, ctx->spec.dim * sizeof *x);
	memset(x, 0, ctx->spec.dim * sizeof *x);
	st = vector ? secret_unit(x, vector, ctx->spec.dim, err) : VEIL_OK;
	if (st != VEIL_OK)
		goto out;
	quantise(ctx, x);
	ring_uniform(ctx->prime, a, ctx->terms * ctx->prime->n, ks, ctx->domain, s->seed, 0);
	encrypt(s, x, a, &stream);
	arena_release(&s->arena, mark);
out:
	secret_stream_clear(&stream);
	keystream_destroy(ks);
	free(a);
	return st;
}

static size_t room(const struct nn_context *ctx)
{
	return arena_room(sizeof(struct secret_search)) + secret_key_room(ctx->ring) +
	       arena_room(ctx->spec.dim * sizeof(double)) + 3 * arena_room(ring_prime_bytes(ctx->prime)) +
	       secret_encrypt_scratch(ctx->ring);
}

static enum veil_status create(struct secret_search **out, const struct nn_context *ctx, const float *vector,
	const struct rng *rng, struct veil_error *err)
{
	struct arena arena = {0};
	struct secret_search *s;
	enum veil_status st;

	*out = NULL;
	st = arena_init_secret(&arena, room(ctx));
	if (st != VEIL_OK)
		return error_set(err, st, "no memory for the secret of a query");
	s = arena_take(&arena, sizeof *s);
	*s = (struct secret_search){.arena = arena, .mark = arena_mark(&arena), .ctx = ctx};
	st = fill(s, vector, rng, err);
	if (st == VEIL_E_NOMEM)
		error_set(err, st, "no memory for a query");
	if (st != VEIL_OK) {
		secret_search_destroy(s);
		s = NULL;
	}
	*out = s;
	return st;
}

enum veil_status secret_search_create(struct secret_search **out, const struct nn_context *ctx,
	const float *vector, const struct rng *rng, struct veil_error *err)
{
	REQUIRE(vector);
	return create(out, ctx, vector, rng, err);
}

enum veil_status secret_search_create_fake(struct secret_search **out, const struct nn_context *ctx,
	const struct rng *rng, struct veil_error *err)
{
	return create(out, ctx, NULL, rng, err);
}

void secret_search_write(struct secret_search *s, uint8_t seed[RING_SEED_BYTES], uint8_t *ciphertexts)
{
	REQUIRE(s->state == CREATED);
	s->state = WRITTEN;
	memcpy(seed, s->seed, RING_SEED_BYTES);
	memcpy(ciphertexts, s->ciphertexts, s->ctx->query_bytes);
}

/* --- decryption */

/** c1 of one group, in [0, 2^b_1), times s: its score coefficients mod q, and context.c made sure that these
 * are the integers. */
static void multiply(struct secret_search *s, void *product, const uint8_t *bytes, void *c1)
{
	const struct nn_context *ctx = s->ctx;
	const struct ring_prime *r = ctx->prime;

	REQUIRE(r->k.unpack(c1, bytes, r->n, ctx->spec.params->reply_c1_bits, 0, &r->p));
	r->k.ntt_forward(c1, r->table);
	r->k.mul(c1, c1, s->key.s[0], r->n, &r->p);
	nn_layout_scores(ctx, product, c1, KERNELS_PLAIN);
}

/** Phases as fractions of q in (-1/2, 1/2], from the products and c0, then scores. */
static void score(
	const struct nn_context *ctx, double *scores, uint32_t count, const void *product, const void *c0)
{
	const struct rlwe_params *p = ctx->spec.params;
	const struct ring_prime *r = ctx->prime;
	unsigned unused = 64 - p->reply_c1_bits;
	double unit = ldexp(ctx->score_unit, -(int)p->reply_c1_bits);

	for (uint32_t v = 0; v < count; v++) {
		uint64_t z = ring_get(r, product, v), low;

		z -= r->p.q & ct_mask_less(r->p.q / 2, z);
		low = z + (ring_get(r, c0, v) << (p->reply_c1_bits - p->reply_c0_bits));
		scores[v] = (double)((int64_t)(low << unused) >> unused) * unit;
		if (ctx->plain_modulus)
			scores[v] = (double)secret_nearest(scores[v]);
	}
}

static void decode(struct secret_search *s, double *scores, const uint8_t *reply)
{
	const struct nn_context *ctx = s->ctx;
	const struct ring_prime *r = ctx->prime;
	size_t c1_size = ctx->c1_bytes / ctx->replies, c0_size = ctx->c0_bytes / ctx->replies,
	       mark = arena_mark(&s->arena);
	uint32_t per = ctx->rows_per_poly;
	void *c1 = arena_take(&s->arena, ring_prime_bytes(r));
	void *product = arena_take(&s->arena, ring_prime_bytes(r));
	void *c0 = arena_take(&s->arena, ring_prime_bytes(r));

	for (uint32_t o = 0; o < ctx->replies; o++) {
		uint32_t first = o * per, left = ctx->spec.rows - first;

		multiply(s, product, reply + o * c1_size, c1);
		REQUIRE(r->k.unpack(c0, reply + ctx->c1_bytes + o * c0_size, per,
			ctx->spec.params->reply_c0_bits, 0, &r->p));
		score(ctx, scores + first, left < per ? left : per, product, c0);
	}
	ct_unpoison(scores, ctx->spec.rows * sizeof *scores);
	arena_release(&s->arena, mark);
}

void secret_search_decode_several(
	struct secret_search *s, double *scores, const uint8_t *const *replies, uint32_t count)
{
	REQUIRE(s->state == WRITTEN);
	s->state = DECODED;
	for (uint32_t i = 0; i < count; i++)
		decode(s, scores + (size_t)i * s->ctx->spec.rows, replies[i]);
	arena_release(&s->arena, s->mark); /* the secret is wiped */
}

void secret_search_decode(struct secret_search *s, double *scores, const uint8_t *reply)
{
	secret_search_decode_several(s, scores, &reply, 1);
}

void secret_search_destroy(struct secret_search *s)
{
	struct arena arena;

	if (!s)
		return;
	free(s->ciphertexts);
	arena = s->arena;
	arena_clear(&arena);
}
