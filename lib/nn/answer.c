/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/answer.h"

#include <string.h>

#include "base/error.h"
#include "base/require.h"
#include "nn/layout.h"

#define MAX_QUERIES (KERNELS_MAC_VECTORS / 2)

/* One query on its way through: vectors for mac and what mac makes of them. Index 0 is b and c0, 1 is a and
 * c1. */
struct work {
	void *in[2]; /* [N/16][g][16] */
	void *out[2]; /* [h][N], transform order, times R^-1 */
};

static size_t vector_bytes(const struct nn_context *ctx)
{
	return ctx->terms * ring_prime_bytes(ctx->prime);
}

static size_t output_bytes(const struct nn_context *ctx)
{
	return ctx->replies * ring_prime_bytes(ctx->prime);
}

size_t nn_answer_scratch(const struct nn_context *ctx, unsigned queries)
{
	size_t poly = arena_room(ring_prime_bytes(ctx->prime));

	return queries * 2 * (arena_room(vector_bytes(ctx)) + arena_room(output_bytes(ctx))) + 2 * poly;
}

/** The b_k of a query, transformed and interleaved. */
static bool take_ciphertexts(const struct nn_context *ctx, void *vector, const uint8_t *bytes, void *poly)
{
	const struct ring_prime *r = ctx->prime;
	unsigned bits = ctx->spec.params->upload_bits;
	size_t size = ctx->query_bytes / ctx->terms;
	bool good = true;

	for (uint32_t k = 0; k < ctx->terms && good; k++, bytes += size) {
		good = r->k.unpack(poly, bytes, r->n, bits, ctx->drop, &r->p);
		if (!good)
			break;
		r->k.ntt_forward(poly, r->table);
		r->k.interleave(vector, poly, r->n, ctx->terms, k);
	}
	return good;
}

/** The two halves of a reply: all of c1, the score coefficients of c0. */
static void write_reply(const struct nn_context *ctx, uint8_t *reply, const struct work *w, void *scores)
{
	const struct ring_prime *r = ctx->prime;
	const struct rlwe_params *p = ctx->spec.params;
	size_t c1_size = ctx->c1_bytes / ctx->replies, c0_size = ctx->c0_bytes / ctx->replies;
	uint8_t *c1 = reply, *c0 = reply + ctx->c1_bytes;

	for (uint32_t o = 0; o < ctx->replies; o++, c1 += c1_size, c0 += c0_size) {
		uint8_t *full = (uint8_t *)w->out[1] + o * ring_prime_bytes(r);

		r->k.ntt_inverse(full, r->table, KERNELS_MONTGOMERY);
		r->k.round(full, full, r->n, p->reply_c1_bits, &r->p);
		r->k.pack(c1, full, r->n, p->reply_c1_bits);
		nn_layout_scores(
			ctx, scores, (uint8_t *)w->out[0] + o * ring_prime_bytes(r), KERNELS_MONTGOMERY);
		r->k.round(scores, scores, ctx->rows_per_poly, p->reply_c0_bits, &r->p);
		r->k.pack(c0, scores, ctx->rows_per_poly, p->reply_c0_bits);
	}
}

enum veil_status nn_answer(const struct nn_context *ctx, uint8_t *const *replies, enum veil_status *status,
	const struct nn_query *queries, unsigned count, const void *shard, struct keystream *ks,
	struct arena *scratch, struct veil_error *err)
{
	const struct ring_prime *r = ctx->prime;
	size_t mark = arena_mark(scratch), residues = ctx->terms * r->n;
	struct work work[MAX_QUERIES];
	const void *in[KERNELS_MAC_VECTORS];
	void *out[KERNELS_MAC_VECTORS], *poly, *scores;
	enum veil_status st = VEIL_OK;

	REQUIRE(count >= 1 && count <= MAX_QUERIES);
	poly = arena_take(scratch, ring_prime_bytes(r));
	scores = arena_take(scratch, ring_prime_bytes(r));
	for (unsigned i = 0; i < count; i++) {
		struct work *w = &work[i];

		for (unsigned half = 0; half < 2; half++) {
			in[2 * i + half] = w->in[half] = arena_take(scratch, vector_bytes(ctx));
			out[2 * i + half] = w->out[half] = arena_take(scratch, output_bytes(ctx));
		}
		/* The stream of a is in the order of the layout: nothing to interleave. */
		ring_uniform(r, w->in[1], residues, ks, ctx->domain, queries[i].seed, 0);
		status[i] = VEIL_OK;
		if (!take_ciphertexts(ctx, w->in[0], queries[i].ciphertexts, poly)) {
			memset(w->in[0], 0, vector_bytes(ctx));
			st = status[i] = error_set(err, VEIL_E_MALFORMED,
				"query %u: a residue is not below q (parameter set %s)", i,
				ctx->spec.params->name);
		}
	}
	r->k.mac(out, shard, in, 2 * count, r->n, ctx->replies, ctx->terms, &r->p);
	for (unsigned i = 0; i < count; i++) {
		if (status[i] == VEIL_OK)
			write_reply(ctx, replies[i], &work[i], scores);
		else
			memset(replies[i], 0, ctx->reply_bytes);
	}
	arena_release(scratch, mark);
	return st;
}
