/* SPDX-License-Identifier: Apache-2.0 */
#include "silent/answer.h"

#include <string.h>

#include "base/require.h"
#include "silent/bits.h"
#include "silent/digits.h"

static unsigned lanes(unsigned count)
{
	return count == 3 ? 4 : count;
}

static size_t poly_room(const struct silent_context *ctx)
{
	return arena_room(ctx->n * sizeof(uint64_t));
}

static size_t words_room(const struct silent_context *ctx)
{
	return arena_room(ctx->spec.rows * sizeof(uint32_t));
}

size_t silent_answer_room(const struct silent_context *ctx, unsigned count)
{
	const struct rlwe_params *p = ctx->spec.params;
	size_t keys = arena_room(ctx->terms * sizeof(uint64_t)) + p->h.digits * poly_room(ctx);

	/* the words twice, for they are unpacked before they are prepared */
	return lanes(count) * (2 * words_room(ctx) + keys) + arena_room(ctx->terms * sizeof(uint64_t));
}

size_t silent_answer_scratch(const struct silent_context *ctx, unsigned count)
{
	return lanes(count) * (arena_room(ctx->n * sizeof(uint32_t)) + poly_room(ctx)) + 2 * poly_room(ctx);
}

/* A query that nobody asked has words of zero. */
static void unpack_words(const struct silent_context *ctx, uint32_t *words, const uint8_t *query)
{
	const unsigned bits = ctx->spec.params->upload_bits;

	for (uint32_t i = 0; i < ctx->spec.rows; i++)
		words[i] = query ? (uint32_t)(silent_bits(query, i, bits) << (SILENT_WORD_BITS - bits)) : 0;
}

static void prepare_words(struct silent_answer *a, const uint8_t *const *queries, struct arena *arena)
{
	uint32_t *words[SILENT_MAX_QUERIES] = {NULL};
	size_t mark;

	a->words = arena_take(arena, a->lanes * words_room(a->ctx));
	mark = arena_mark(arena);
	for (unsigned v = 0; v < a->lanes; v++) {
		words[v] = arena_take(arena, words_room(a->ctx));
		unpack_words(a->ctx, words[v], v < a->count ? queries[v] : NULL);
	}
	a->ctx->scan.scan_prepare(a->words, (const uint32_t *const *)words, a->lanes, a->ctx->spec.rows);
	arena_release(arena, mark);
}

/* Keys of g are words of apply; keys of h are residues, transformed. */
static void prepare_keys(struct silent_answer *a, unsigned v, const uint8_t *query, struct arena *arena)
{
	const struct silent_context *ctx = a->ctx;
	const struct ring_prime *r = ctx->prime;
	const struct rlwe_params *p = ctx->spec.params;
	const unsigned up = KERNELS_APPLY_BITS - p->g.key_bits;
	uint64_t *words;
	size_t mark;

	a->keys[v] = arena_take(arena, ctx->terms * sizeof(uint64_t));
	a->turn[v] = arena_take(arena, p->h.digits * poly_room(ctx));
	mark = arena_mark(arena);
	words = arena_take(arena, ctx->terms * sizeof *words);
	query += ctx->words_bytes;
	for (uint32_t t = 0; t < ctx->terms; t++)
		words[t] = silent_bits(query, t, p->g.key_bits) << up;
	ctx->scan.apply_prepare(a->keys[v], words, ctx->terms);
	query += p->g.digits * ctx->key_g_bytes;
	for (unsigned l = 0; l < p->h.digits; l++) {
		uint64_t *poly = a->turn[v] + (size_t)l * ctx->n;

		for (uint32_t i = 0; i < ctx->n; i++)
			poly[i] = silent_lift(silent_bits(query, (size_t)l * ctx->n + i, p->h.key_bits),
				p->h.key_bits, r->p.q);
		r->k.ntt_forward(poly, r->table);
	}
	arena_release(arena, mark);
}

void silent_answer_prepare(struct silent_answer *answer, const struct silent_context *ctx,
	const uint8_t *const *queries, unsigned count, struct arena *arena)
{
	REQUIRE(count >= 1 && count <= SILENT_MAX_QUERIES);
	*answer = (struct silent_answer){.ctx = ctx, .count = count, .lanes = lanes(count)};
	prepare_words(answer, queries, arena);
	for (unsigned v = 0; v < answer->lanes; v++)
		prepare_keys(answer, v, queries[v < count ? v : 0], arena);
}

/* b = sum of z_l y_l, the last switch. */
static void turn(const struct silent_context *ctx, uint64_t *b, const uint64_t *fold, const uint64_t *keys,
	uint64_t *poly)
{
	const struct ring_prime *r = ctx->prime;

	r->k.mul(b, fold, keys, ctx->n, &r->p);
	for (unsigned l = 1; l < ctx->spec.params->h.digits; l++) {
		r->k.mul(poly, fold + (size_t)l * ctx->n, keys + (size_t)l * ctx->n, ctx->n, &r->p);
		r->k.add(b, b, poly, ctx->n, &r->p);
	}
	r->k.ntt_inverse(b, r->table, KERNELS_PLAIN);
}

void silent_answer_pack(const struct silent_answer *a, uint8_t *const *replies,
	const struct silent_pack *pack, struct arena *scratch)
{
	const struct silent_context *ctx = a->ctx;
	const struct ring_prime *r = ctx->prime;
	const unsigned bits = ctx->spec.params->reply_c0_bits;
	const size_t mark = arena_mark(scratch);
	uint32_t *sums[SILENT_MAX_QUERIES];
	uint64_t *switched[SILENT_MAX_QUERIES], *b, *poly;

	for (unsigned v = 0; v < a->lanes; v++) {
		sums[v] = arena_take(scratch, ctx->n * sizeof **sums);
		switched[v] = arena_take(scratch, ctx->n * sizeof **switched);
	}
	b = arena_take(scratch, ctx->n * sizeof *b);
	poly = arena_take(scratch, ctx->n * sizeof *poly);
	ctx->scan.scan(sums, pack->table, ctx->n, ctx->spec.rows, a->words, a->lanes);
	ctx->scan.apply(switched, pack->matrix, ctx->n, ctx->terms, (const void *const *)a->keys, a->lanes);
	for (unsigned v = 0; v < a->count; v++) {
		turn(ctx, b, pack->fold, a->turn[v], poly);
		for (uint32_t i = 0; i < ctx->n; i++)
			poly[i] = (b[i] + silent_lift(sums[v][i], SILENT_WORD_BITS, r->p.q) +
					  silent_lift(switched[v][i], KERNELS_APPLY_BITS, r->p.q)) %
				  r->p.q;
		r->k.round(poly, poly, ctx->n, bits, &r->p);
		r->k.pack(replies[v], poly, ctx->n, bits);
	}
	arena_release(scratch, mark);
}
