/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "nn/layout.h"
#include "ring/prime.h"
#include "support/nn.h"
#include "support/test.h"

static const struct {
	uint32_t dim, terms, rows;
} shapes[] = {{1, 1, 1}, {1, 1, 64}, {1, 1, 65}, {7, 2, 30}, {16, 4, 20}, {13, 13, 70}, {64, 1, 3},
	{64, 2, 5}, {63, 1, 2}, {100, 2, 4}, {33, 8, 17}};
#define SHAPES (sizeof shapes / sizeof *shapes)

/* Plain integers: sum over k of chunk_k(x) times W[r][k] in Z[X]/(X^N+1). */
Test(layout, the_multiples_of_the_chunk_are_the_dot_products)
{
	struct rng rng = test_rng();

	for (size_t i = 0; i < SHAPES; i++) {
		struct nn_context *ctx = test_nn_context("insecure_search_n64_q28", shapes[i].dim,
			shapes[i].terms, shapes[i].rows, cpu_features());
		size_t n = ctx->prime->n, dim = ctx->spec.dim;
		int8_t *rows = malloc(ctx->spec.rows * dim), *x = malloc(dim);
		uint32_t *w = aligned_alloc(64, n * 4),
			 count = 1 + (uint32_t)test_below(&rng, ctx->spec.rows);

		rng_fill(&rng, rows, ctx->spec.rows * dim);
		rng_fill(&rng, x, dim);
		for (uint32_t r = 0; r < ctx->replies; r++) {
			int64_t sum[64] = {0};

			for (uint32_t k = 0; k < ctx->terms; k++) {
				nn_layout_pack(ctx, w, rows, count, r, k);
				for (size_t a = 0; a < ctx->chunk && k * ctx->chunk + a < dim; a++) {
					for (size_t b = 0; b < n; b++) {
						int64_t q = (int64_t)ctx->prime->p.q, y = w[b];
						int64_t product =
							x[k * ctx->chunk + a] * (y > q / 2 ? y - q : y);

						sum[(a + b) % n] += a + b < n ? product : -product;
					}
				}
			}
			for (uint32_t v = 0; v < ctx->rows_per_poly; v++) {
				size_t row = (size_t)r * ctx->rows_per_poly + v;
				int64_t dot = 0;

				for (size_t j = 0; j < dim && row < count; j++)
					dot += x[j] * rows[row * dim + j];
				cr_assert_eq(sum[v * ctx->chunk], dot, "shape %zu row %zu", i, row);
			}
		}
		free(rows), free(x), free(w);
		nn_context_destroy(ctx);
	}
}

Test(layout, the_fold_and_the_small_transform_give_the_score_coefficients)
{
	static const char *const sets[] = {"insecure_search_n64_q28", "insecure_search_n64_q38_exact"};
	struct rng rng = test_rng();

	for (size_t i = 0; i < 2 * SHAPES; i++) {
		size_t s = i / 2;
		struct nn_context *ctx = test_nn_context(
			sets[i % 2], shapes[s].dim, shapes[s].terms, shapes[s].rows, cpu_features());
		const struct ring_prime *r = ctx->prime;
		_Alignas(64) uint8_t a[64 * 8], coefficients[64 * 8], scores[64 * 8];

		for (size_t j = 0; j < r->n; j++)
			ring_set(r, a, j, test_residue(&rng, r->p.q));
		for (int scale = KERNELS_PLAIN; scale <= KERNELS_MONTGOMERY; scale++) {
			memcpy(coefficients, a, sizeof a);
			r->k.ntt_inverse(coefficients, r->table, (enum kernels_scale)scale);
			nn_layout_scores(ctx, scores, a, (enum kernels_scale)scale);
			for (uint32_t v = 0; v < ctx->rows_per_poly; v++)
				cr_assert_eq(ring_get(r, scores, v),
					ring_get(r, coefficients, (size_t)v * ctx->chunk), "shape %zu row %u",
					s, v);
		}
		nn_context_destroy(ctx);
	}
}
