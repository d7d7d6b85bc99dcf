/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "ring/galois.h"
#include "ring/prime.h"
#include "silent/digits.h"
#include "silent/offline.h"

/* h_k = sum over blocks j of D_(k,j) tau_-1(a_j) / n, where D_(k,j) has the bytes of output k in the rows of
 * block j as coefficients: coefficient u of h_k is then what multiplies s_u in the words' sum. Exactly, with
 * the one prime. */

struct hint {
	const struct silent_context *ctx;
	uint64_t *a; /* [blocks][n]: tau_-1(a_j) / n, transform values */
	uint64_t *poly, *sum;
};

/* Coefficients of one output in one block, as residues. */
static void take_column(
	const struct silent_context *ctx, uint64_t *poly, const int8_t *table, uint32_t block, uint32_t k)
{
	const uint64_t q = ctx->prime->p.q;

	for (uint32_t i = 0; i < ctx->n; i += KERNELS_SCAN_ROWS) {
		const int8_t *at = table + silent_offset(ctx, block * ctx->n + i, k);

		for (uint32_t j = 0; j < KERNELS_SCAN_ROWS; j++)
			poly[i + j] = silent_residue(at[j], q);
	}
}

static void turn(struct hint *h, uint32_t *map)
{
	const struct silent_context *ctx = h->ctx;
	const struct ring_prime *r = ctx->prime;
	const uint64_t inverse = prime_inverse(ctx->n, r->p.q);

	ring_galois_map(map, r->log_n, 2 * ctx->n - 1, RING_EVALUATION);
	for (uint32_t j = 0; j < ctx->blocks; j++) {
		uint64_t *to = h->a + (size_t)j * ctx->n;

		for (uint32_t i = 0; i < ctx->n; i++)
			to[i] = ctx->a[(size_t)j * ctx->n + (map[i] >> 1)];
		r->k.affine(to, to, ctx->n, inverse, 0, &r->p, &r->p);
	}
}

static void output(struct hint *h, int64_t *out, const int8_t *table, uint32_t k)
{
	const struct silent_context *ctx = h->ctx;
	const struct ring_prime *r = ctx->prime;
	const uint64_t q = r->p.q;

	for (uint32_t j = 0; j < ctx->blocks; j++) {
		take_column(ctx, h->poly, table, j, k);
		r->k.ntt_forward(h->poly, r->table);
		r->k.mul(h->poly, h->poly, h->a + (size_t)j * ctx->n, ctx->n, &r->p);
		if (j == 0)
			memcpy(h->sum, h->poly, ctx->n * sizeof *h->sum);
		else
			r->k.add(h->sum, h->sum, h->poly, ctx->n, &r->p);
	}
	r->k.ntt_inverse(h->sum, r->table, KERNELS_PLAIN);
	for (uint32_t u = 0; u < ctx->n; u++)
		out[(size_t)u * ctx->n + k] = (int64_t)(h->sum[u] - (h->sum[u] > q / 2 ? q : 0));
}

enum veil_status silent_hint(const struct silent_context *ctx, int64_t *out, const int8_t *table)
{
	const size_t room = arena_room(ctx->n * sizeof(uint64_t));
	struct arena arena = {0};
	struct hint h = {.ctx = ctx};
	enum veil_status st = arena_init(&arena, (ctx->blocks + 3) * room);

	if (st != VEIL_OK)
		return st;
	h.a = arena_take(&arena, ctx->blocks * room);
	h.poly = arena_take(&arena, room);
	h.sum = arena_take(&arena, room);
	turn(&h, arena_take(&arena, room));
	for (uint32_t k = 0; k < ctx->n; k++)
		output(&h, out, table, k);
	arena_clear(&arena);
	return VEIL_OK;
}
