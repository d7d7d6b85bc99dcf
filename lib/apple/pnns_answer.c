/* SPDX-License-Identifier: Apache-2.0 */
#include "apple/pnns_answer.h"

#include <string.h>

#include "base/require.h"
#include "bfv/rotate.h"
#include "rlwe/modswitch.h"

/* --- baby steps */

static size_t prepared_modulus_bytes(const struct pnns_context *ctx)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < ctx->level; i++)
		bytes += 2 * ctx->baby * ring_prime_bytes(&ctx->ring->primes[i]);
	return bytes;
}

size_t pnns_prepared_bytes(const struct pnns_context *ctx)
{
	return ctx->spec.moduli * prepared_modulus_bytes(ctx);
}

/* Where polynomial v of prime i begins in what is prepared for a modulus. */
static uint8_t *prepared_at(const struct pnns_context *ctx, const void *prepared, unsigned i, unsigned v)
{
	uint8_t *at = (uint8_t *)(uintptr_t)prepared;

	for (unsigned k = 0; k < i; k++)
		at += 2 * ctx->baby * ring_prime_bytes(&ctx->ring->primes[k]);
	return at + v * ctx->baby * ring_prime_bytes(&ctx->ring->primes[i]);
}

static void put(const struct pnns_context *ctx, void *prepared, const struct rlwe_ciphertext *ct, uint32_t j)
{
	for (unsigned i = 0; i < ctx->level; i++) {
		const struct ring_prime *r = &ctx->ring->primes[i];

		for (unsigned v = 0; v < 2; v++)
			r->k.interleave(prepared_at(ctx, prepared, i, v), ring_poly_row(&ct->poly[v], i),
				r->n, ctx->baby, j);
	}
}

static const struct rlwe_galois_key *find(
	const struct pnns_context *ctx, const struct rlwe_evalkey *keys, uint32_t left)
{
	const struct rlwe_galois_key *key =
		rlwe_evalkey_find(keys, ring_galois_element_rotate(ctx->ring->log_n, -(int)left));

	REQUIRE(key);
	return key;
}

/* The rotations of one ciphertext. */
static void turn(const struct pnns_context *ctx, void *prepared, const struct rlwe_ciphertext *first,
	const struct rlwe_evalkey *keys, struct arena *scratch)
{
	const struct bfv_context *bfv = ctx->bfv[0];
	struct rlwe_ciphertext turned;
	struct rlwe_digits digits;

	rlwe_ciphertext_init(&turned, ctx->ring, 2, ctx->level, RING_EVALUATION,
		arena_take(scratch, rlwe_ciphertext_bytes(ctx->ring, 2, ctx->level)));
	rlwe_digits_init(&digits, ctx->ring, ctx->level,
		arena_take(scratch, rlwe_digits_bytes(ctx->ring, ctx->level)));
	if (ctx->spec.form == PNNS_HOISTED)
		rlwe_decompose(&digits, &first->poly[1], scratch);
	put(ctx, prepared, first, 0);
	for (uint32_t j = 1; j < ctx->baby; j++) {
		if (ctx->spec.form == PNNS_HOISTED)
			bfv_apply_galois_hoisted(bfv, &turned, first, &digits, find(ctx, keys, j), scratch);
		else
			bfv_apply_galois(bfv, &turned, j > 1 ? &turned : first, find(ctx, keys, 1), scratch);
		put(ctx, prepared, &turned, j);
	}
}

void pnns_prepare(const struct pnns_context *ctx, void *prepared, unsigned m, unsigned j,
	const struct rlwe_ciphertext *ct, const struct rlwe_evalkey *keys, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	uint8_t *to = (uint8_t *)prepared + m * prepared_modulus_bytes(ctx);

	REQUIRE(m < ctx->spec.moduli && j < ctx->query_count && ct->count == 2 &&
		ct->poly[0].ring == ctx->ring && rlwe_ciphertext_level(ct) == ctx->level &&
		rlwe_ciphertext_format(ct) == RING_EVALUATION);
	if (ctx->spec.form == PNNS_SENT)
		put(ctx, to, ct, j);
	else
		turn(ctx, to, ct, keys, scratch);
	arena_release(scratch, mark);
}

/* --- giant steps */

/* By Horner's rule: c1 modulo the primes of the level, which the next step decomposes, and p c0 modulo these
 * and p, which is divided by p once, at the end. */
struct sum {
	struct ring_poly c0, c1, moved;
	void *special, *moved_special; /* residues of p c0 modulo p */
	struct rlwe_digits digits;
	struct rlwe_wide wide;
};

/* The sums of products of all giant steps: [level][2][h][n]. */
static size_t products_bytes(const struct pnns_context *ctx)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < ctx->level; i++)
		bytes += 2 * ctx->giant * ring_prime_bytes(&ctx->ring->primes[i]);
	return bytes;
}

size_t pnns_answer_scratch(const struct pnns_context *ctx)
{
	const struct ring *ring = ctx->ring;
	const size_t giants = products_bytes(ctx) + 4 * ring_poly_bytes(ring, ctx->level) +
			      3 * ring_row_room(ring) + arena_room(rlwe_digits_bytes(ring, ctx->level)) +
			      arena_room(rlwe_wide_bytes(ring, ctx->level));
	const size_t babies = rlwe_ciphertext_bytes(ring, 2, ctx->level) +
			      arena_room(rlwe_digits_bytes(ring, ctx->level)) +
			      bfv_rotate_scratch(ctx->bfv[0], ctx->level);

	return giants > babies ? giants : babies;
}

static uint8_t *product_row(
	const struct pnns_context *ctx, void *products, unsigned i, unsigned v, uint32_t k)
{
	uint8_t *at = products;

	for (unsigned j = 0; j < i; j++)
		at += 2 * ctx->giant * ring_prime_bytes(&ctx->ring->primes[j]);
	return at + (v * ctx->giant + k) * ring_prime_bytes(&ctx->ring->primes[i]);
}

static void multiply(const struct pnns_context *ctx, void *products, const void *prepared, const void *chunk)
{
	const uint8_t *at = chunk;

	for (unsigned i = 0; i < ctx->level; i++) {
		const struct ring_prime *r = &ctx->ring->primes[i];
		const void *x[2] = {prepared_at(ctx, prepared, i, 0), prepared_at(ctx, prepared, i, 1)};
		void *out[2] = {product_row(ctx, products, i, 0, 0), product_row(ctx, products, i, 1, 0)};

		r->k.mac(out, at, x, 2, r->n, ctx->giant, ctx->baby, &r->p);
		at += (size_t)ctx->baby * ctx->giant * ring_prime_bytes(r);
	}
}

static struct ring_poly take_poly(const struct pnns_context *ctx, struct arena *scratch)
{
	struct ring_poly poly;

	ring_poly_init(&poly, ctx->ring, ctx->level, RING_EVALUATION,
		arena_take(scratch, ring_poly_bytes(ctx->ring, ctx->level)));
	return poly;
}

static struct sum take_sum(const struct pnns_context *ctx, struct arena *scratch)
{
	const struct ring *ring = ctx->ring;
	struct sum s = {.c0 = take_poly(ctx, scratch),
		.c1 = take_poly(ctx, scratch),
		.moved = take_poly(ctx, scratch),
		.special = arena_take(scratch, ring_row_room(ring)),
		.moved_special = arena_take(scratch, ring_row_room(ring))};

	rlwe_digits_init(
		&s.digits, ring, ctx->level, arena_take(scratch, rlwe_digits_bytes(ring, ctx->level)));
	rlwe_wide_init(&s.wide, ring, ctx->level, arena_take(scratch, rlwe_wide_bytes(ring, ctx->level)));
	memset(s.c0.data, 0, ring_poly_bytes(ring, ctx->level));
	memset(s.c1.data, 0, ring_poly_bytes(ring, ctx->level));
	memset(s.special, 0, ring_row_room(ring));
	return s;
}

static void add_product(const struct pnns_context *ctx, struct sum *s, void *products, uint32_t k)
{
	const uint64_t special = ctx->ring->primes[ctx->ring->count - 1].p.q;

	for (unsigned i = 0; i < ctx->level; i++) {
		const struct ring_prime *r = &ctx->ring->primes[i];
		void *c0 = ring_poly_row(&s->c0, i), *c1 = ring_poly_row(&s->c1, i);

		r->k.mul_add(
			c0, c0, product_row(ctx, products, i, 0, k), r->n, special % r->p.q, 0, &r->p, &r->p);
		r->k.add(c1, c1, product_row(ctx, products, i, 1, k), r->n, &r->p);
	}
}

static void move(struct ring_poly *dst, const struct ring_poly *a, const uint32_t *map)
{
	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &a->ring->primes[i];

		r->k.permute(ring_poly_row(dst, i), ring_poly_row(a, i), map, r->n);
	}
}

static void rotate(const struct pnns_context *ctx, struct sum *s, const struct rlwe_galois_key *key,
	struct arena *scratch)
{
	const unsigned last = ctx->ring->count - 1;
	const struct ring_prime *special = &ctx->ring->primes[last];

	move(&s->moved, &s->c1, key->map);
	rlwe_decompose(&s->digits, &s->moved, scratch);
	rlwe_switch(&s->wide, &s->digits, &key->key, NULL, scratch);
	rlwe_modswitch_divide(&s->c1, &s->wide.poly[1], s->wide.special[1], last, scratch);
	move(&s->moved, &s->c0, key->map);
	ring_poly_add(&s->c0, &s->moved, &s->wide.poly[0]);
	special->k.permute(s->moved_special, s->special, key->map, special->n);
	special->k.add(s->special, s->moved_special, s->wide.special[0], special->n, &special->p);
}

/* The sum as a ciphertext of one prime, in the sum's own memory. */
static void finish(
	const struct pnns_context *ctx, struct rlwe_ciphertext *reply, struct sum *s, struct arena *scratch)
{
	const unsigned last = ctx->ring->count - 1;
	const struct ring_prime *special = &ctx->ring->primes[last];
	struct rlwe_ciphertext ct = {.count = 2, .poly = {s->c0, s->c1}};

	rlwe_ciphertext_transform(&ct, RING_COEFFICIENT);
	special->k.ntt_inverse(s->special, special->table, KERNELS_PLAIN);
	rlwe_modswitch_divide(&ct.poly[0], &ct.poly[0], s->special, last, scratch);
	rlwe_modswitch_to(&ct, 1, scratch);
	rlwe_ciphertext_copy(reply, &ct);
}

void pnns_answer(const struct pnns_context *ctx, struct rlwe_ciphertext *replies, const void *prepared,
	const void *chunk, const struct rlwe_evalkey *keys, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	const struct rlwe_galois_key *key = ctx->giant > 1 ? find(ctx, keys, ctx->baby) : NULL;

	for (unsigned m = 0; m < ctx->spec.moduli; m++) {
		void *products = arena_take(scratch, products_bytes(ctx));
		struct sum s = take_sum(ctx, scratch);

		multiply(ctx, products, (const uint8_t *)prepared + m * prepared_modulus_bytes(ctx),
			(const uint8_t *)chunk + m * ctx->chunk_bytes);
		for (uint32_t k = ctx->giant; k-- > 0;) {
			add_product(ctx, &s, products, k);
			if (k)
				rotate(ctx, &s, key, scratch);
		}
		finish(ctx, &replies[m], &s, scratch);
		arena_release(scratch, mark);
	}
}
