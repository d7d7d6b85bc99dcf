/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "nn/layout.h"
#include "nn/shard.h"
#include "support/nn.h"
#include "support/test.h"

static uint8_t *transform(const struct nn_context *ctx, const int8_t *rows, uint32_t count)
{
	uint8_t *shard = aligned_alloc(64, arena_room(ctx->shard_bytes));
	struct arena scratch;

	cr_assert_eq(arena_init(&scratch, ctx->shard_scratch), VEIL_OK);
	memset(shard, 0xee, ctx->shard_bytes);
	nn_shard_transform(ctx, shard, rows, count, &scratch);
	cr_assert_eq(scratch.used, 0);
	arena_clear(&scratch);
	return shard;
}

Test(shard, every_word_is_that_of_its_polynomial)
{
	static const char *const sets[] = {"insecure_search_n64_q28", "insecure_search_n64_q38_exact"};
	struct rng rng = test_rng();

	for (int i = 0; i < 2; i++) {
		struct nn_context *ctx = test_nn_context(sets[i], 13, 4, 50, cpu_features());
		const struct ring_prime *p = ctx->prime;
		int8_t rows[50 * 13];
		uint8_t *shard;

		rng_fill(&rng, rows, sizeof rows);
		shard = transform(ctx, rows, 47);
		for (uint32_t r = 0; r < ctx->replies; r++) {
			for (uint32_t k = 0; k < ctx->terms; k++) {
				_Alignas(64) uint8_t poly[64 * 8];

				nn_layout_pack(ctx, poly, rows, 47, r, k);
				p->k.ntt_forward(poly, p->table);
				for (size_t c = 0; c < p->n; c++)
					cr_assert_eq(ring_get(p, poly, c),
						ring_get(p, shard,
							((c / 16 * ctx->replies + r) * ctx->terms + k) * 16 +
								c % 16));
			}
		}
		free(shard);
		nn_context_destroy(ctx);
	}
}

Test(shard, the_bytes_are_the_same_on_every_isa)
{
	static const char *const sets[] = {"search_n2048_q28", "search_n2048_q38_exact"};
	static const unsigned masks[] = {CPU_AVX2, CPU_AVX2 | CPU_AVX512, ~0u};
	struct rng rng = test_rng();
	int8_t rows[600 * 24];

	rng_fill(&rng, rows, sizeof rows);
	for (int i = 0; i < 2; i++) {
		struct nn_context *ctx = test_nn_context(sets[i], 24, 6, 600, 0);
		uint8_t *expected = transform(ctx, rows, 590);

		for (int m = 0; m < 3; m++) {
			struct nn_context *other =
				test_nn_context(sets[i], 24, 6, 600, masks[m] & cpu_features());
			uint8_t *shard = transform(other, rows, 590);

			cr_assert_eq(memcmp(shard, expected, ctx->shard_bytes), 0, "mask %x", masks[m]);
			free(shard);
			nn_context_destroy(other);
		}
		free(expected);
		nn_context_destroy(ctx);
	}
}
