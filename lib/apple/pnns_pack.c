/* SPDX-License-Identifier: Apache-2.0 */
#include "apple/pnns_pack.h"

#include <math.h>
#include <string.h>

#include "base/require.h"
#include "bfv/encode.h"

void pnns_quantise(int32_t *out, const float *vector, uint32_t dim, uint64_t scale)
{
	float sum = 0, norm;

	for (uint32_t j = 0; j < dim; j++)
		sum += vector[j] * vector[j];
	norm = sqrtf(sum);
	for (uint32_t j = 0; j < dim; j++)
		out[j] = norm > 0 ? (int32_t)roundf(vector[j] * (float)scale / norm) : 0;
}

size_t pnns_pack_scratch(const struct pnns_context *ctx)
{
	const size_t n = ctx->ring->n;

	return arena_room(n * sizeof(uint64_t)) + 2 * arena_room(n * sizeof(uint64_t)) +
	       ring_poly_bytes(ctx->ring, ctx->level);
}

/* x mod t */
static uint64_t residue(int32_t x, uint64_t t)
{
	const int64_t rest = (int64_t)x % (int64_t)t;

	return (uint64_t)(rest < 0 ? rest + (int64_t)t : rest);
}

void pnns_pack_diagonal(const struct pnns_context *ctx, unsigned m, struct ring_poly *factor,
	const int32_t *rows, size_t count, uint32_t r, struct arena *scratch)
{
	const struct bfv_context *bfv = ctx->bfv[m];
	const size_t mark = arena_mark(scratch), n = ctx->ring->n, half = n / 2, dim = ctx->spec.dim;
	const size_t turn = r / ctx->baby * ctx->baby;
	uint64_t *values = arena_take(scratch, n * sizeof *values);
	void *plaintext = arena_take(scratch, bfv_plaintext_bytes(bfv));

	REQUIRE(count <= n && r < ctx->period && factor->room >= ctx->level);
	memset(values, 0, n * sizeof *values);
	for (size_t c = 0; c < count; c++) {
		const size_t column = (c + r) & (ctx->period - 1);

		if (column < dim)
			values[(c & half) + ((c + turn) & (half - 1))] =
				residue(rows[c * dim + column], bfv->t.q);
	}
	REQUIRE(bfv_encode(bfv, plaintext, values, n, BFV_SIMD, NULL) == VEIL_OK);
	factor->level = ctx->level;
	bfv_lift(bfv, factor, plaintext, scratch);
	arena_release(scratch, mark);
}

void pnns_pack_chunk(
	const struct pnns_context *ctx, void *chunk, const int32_t *rows, size_t count, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch), terms = (size_t)ctx->baby * ctx->giant;
	struct ring_poly factor;

	ring_poly_init(&factor, ctx->ring, ctx->level, RING_EVALUATION,
		arena_take(scratch, ring_poly_bytes(ctx->ring, ctx->level)));
	memset(chunk, 0, ctx->spec.moduli * ctx->chunk_bytes);
	for (unsigned m = 0; m < ctx->spec.moduli; m++)
		for (uint32_t r = 0; r < ctx->period; r++) {
			uint8_t *at = (uint8_t *)chunk + m * ctx->chunk_bytes;

			pnns_pack_diagonal(ctx, m, &factor, rows, count, r, scratch);
			for (unsigned i = 0; i < ctx->level; i++) {
				const struct ring_prime *p = &ctx->ring->primes[i];
				void *row = ring_poly_row(&factor, i);

				p->k.affine(row, row, p->n, p->p.mont_one, 0, &p->p, &p->p);
				p->k.interleave(at, row, p->n, terms, r);
				at += terms * ring_prime_bytes(p);
			}
		}
	arena_release(scratch, mark);
}
