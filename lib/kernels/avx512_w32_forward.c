/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx512_w32_ntt.h"
#include "kernels/avx512_w32_order.h"

INLINE const struct factor *outer_factors(const struct table *t)
{
	return (const struct factor *)&t->factors[at_forward_outer(t->log_n)];
}

/* One pass of `stages` outer stages over a whole array: `groups` groups of 2^stages rows, `stride` words
 * apart. The last stage reduces its X if `reduce`. */
INLINE void pass(
	uint32_t *a, const struct table *t, size_t groups, size_t stride, int stages, bool wide, bool reduce)
{
	const struct field f = field_of(t);
	const int rows = 1 << stages;

	for (size_t g = 0; g < groups; g++) {
		const struct factor *factors = outer_factors(t);

		for (size_t j = 0; j < stride; j += WORDS) {
			uint32_t *at = a + g * rows * stride + j;
			__m512i v[16];

			KEEP_IN_MEMORY(factors);
			UNROLL
			for (int k = 0; k < rows; k++)
				v[k] = _mm512_load_si512(at + k * stride);
			UNROLL
			for (int s = 0; s < stages; s++) {
				const int half = rows >> (s + 1);

				UNROLL
				for (int k = 0; k < rows / 2; k++) {
					const int i = k / half, x = i * 2 * half + k % half;

					butterfly_one(&v[x], &v[x + half], factors + ((groups + g) << s) + i,
						f, wide, reduce && s == stages - 1 ? REDUCE : 0);
				}
			}
			UNROLL
			for (int k = 0; k < rows; k++)
				_mm512_store_si512(at + k * stride, v[k]);
		}
	}
}

/* The last `outer` outer stages and the inner ones, on blocks of 2^outer vectors; the last outer stage
 * reduces. */
INLINE void blocks(uint32_t *a, const struct table *t, int outer, bool wide)
{
	const struct field f = field_of(t);
	const int rows = 1 << outer;
	const size_t groups = ((size_t)1 << t->log_n) / WORDS >> outer;
	const struct factors *inner = t->factors;

	for (size_t g = 0; g < groups; g++, a += rows * WORDS) {
		const struct factor *factors = outer_factors(t);
		__m512i v[16];

		UNROLL
		for (int k = 0; k < rows; k++)
			v[k] = _mm512_load_si512(a + k * WORDS);
		UNROLL
		for (int s = 0; s < outer; s++) {
			const int half = rows >> (s + 1);

			UNROLL
			for (int k = 0; k < rows / 2; k++) {
				const int i = k / half, x = i * 2 * half + k % half;

				butterfly_one(&v[x], &v[x + half], factors + ((groups + g) << s) + i, f, wide,
					s == outer - 1 ? REDUCE : 0);
			}
		}
		UNROLL
		for (int s = 0; s < INNER_STAGES; s++) {
			UNROLL
			for (int k = 0; k < rows; k += 2) {
				forward_exchange(&v[k], &v[k + 1], s);
				butterfly_each(&v[k], &v[k + 1], inner + k / 2 * INNER_STAGES + s, s < 3, f,
					wide, false);
			}
		}
		UNROLL
		for (int k = 0; k < rows; k += 2) {
			v[k] = reduce_fully(v[k], f, wide);
			v[k + 1] = reduce_fully(v[k + 1], f, wide);
			forward_order(&v[k], &v[k + 1]);
			_mm512_store_si512(a + k * WORDS, v[k]);
			_mm512_store_si512(a + (k + 1) * WORDS, v[k + 1]);
		}
		inner += rows / 2 * INNER_STAGES;
	}
}

#define PASS(name, stages, wide, reduce)                                                            \
	static NOINLINE void name(uint32_t *a, const struct table *t, size_t groups, size_t stride) \
	{                                                                                           \
		pass(a, t, groups, stride, stages, wide, reduce);                                   \
	}
#define BLOCKS(name, outer, wide)                                     \
	static NOINLINE void name(uint32_t *a, const struct table *t) \
	{                                                             \
		blocks(a, t, outer, wide);                            \
	}

PASS(lazy_pass_1, 1, false, false)
PASS(lazy_pass_2, 2, false, false)
PASS(lazy_pass_3, 3, false, false)
PASS(reducing_pass_2, 2, false, true)
PASS(reducing_pass_3, 3, false, true)
PASS(reducing_pass_4, 4, false, true)
PASS(wide_pass_1, 1, true, true)
PASS(wide_pass_2, 2, true, true)
PASS(wide_pass_3, 3, true, true)
PASS(wide_pass_4, 4, true, true)
BLOCKS(lazy_blocks_1, 1, false)
BLOCKS(lazy_blocks_2, 2, false)
BLOCKS(lazy_blocks_3, 3, false)
BLOCKS(lazy_blocks_4, 4, false)
BLOCKS(wide_blocks_1, 1, true)
BLOCKS(wide_blocks_2, 2, true)
BLOCKS(wide_blocks_3, 3, true)
BLOCKS(wide_blocks_4, 4, true)

typedef void pass_fn(uint32_t *a, const struct table *t, size_t groups, size_t stride);
typedef void blocks_fn(uint32_t *a, const struct table *t);

/* By the number of outer stages. */
struct form {
	pass_fn *pass[MAX_STAGES + 1];
	blocks_fn *blocks[MAX_STAGES + 1];
};

/* Three stages, and three of the blocks, may go before the one that reduces. Longer transforms reduce at the
 * end of every pass, after at most three stages. */
static const struct form lazy_short = {
	.pass = {NULL, lazy_pass_1, lazy_pass_2, lazy_pass_3},
	.blocks = {NULL, lazy_blocks_1, lazy_blocks_2, lazy_blocks_3, lazy_blocks_4},
};
static const struct form lazy_long = {
	.pass = {NULL, NULL, reducing_pass_2, reducing_pass_3, reducing_pass_4},
	.blocks = {NULL, NULL, NULL, NULL, lazy_blocks_4},
};
static const struct form wide = {
	.pass = {NULL, wide_pass_1, wide_pass_2, wide_pass_3, wide_pass_4},
	.blocks = {NULL, wide_blocks_1, wide_blocks_2, wide_blocks_3, wide_blocks_4},
};

static void run(const struct form *form, uint32_t *a, const struct table *t)
{
	unsigned outer = t->log_n - INNER_STAGES;
	size_t groups = 1, stride = (size_t)1 << t->log_n;

	while (outer > MAX_STAGES) {
		unsigned more = outer - MAX_STAGES, stages = more <= MAX_STAGES ? more : more / 2;

		stride >>= stages;
		form->pass[stages](a, t, groups, stride);
		groups <<= stages;
		outer -= stages;
	}
	form->blocks[outer](a, t);
}

void avx512_w32_forward_lazy(void *a, const void *table)
{
	const struct table *t = table;

	run(t->log_n <= 11 ? &lazy_short : &lazy_long, a, t);
}

void avx512_w32_forward_wide(void *a, const void *table)
{
	run(&wide, a, table);
}
