/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx512_w32_ntt.h"
#include "kernels/avx512_w32_order.h"

/* The factors behind the last stage, which has lifted what is lazy. */
INLINE __m512i scale(__m512i x, const struct factors *c, struct field f)
{
	__m512i w = _mm512_load_si512(c->w), quotient = _mm512_load_si512(c->quotient),
		odd = _mm512_loadu_si512(c->quotient + 1);

	return reduce_down(mul_shoup(x, w, quotient, odd, f.neg_q), f.q);
}

/* The inner stages and `outer` outer ones on blocks of 2^outer vectors. The third outer stage reduces: k
 * was 7.7. If `is_last` these are all there is. */
INLINE void blocks(
	uint32_t *a, const struct table *t, const struct factors *last, bool is_last, int outer, bool wide)
{
	const struct field f = field_of(t);
	const int rows = 1 << outer;
	const size_t groups = ((size_t)1 << t->log_n) / WORDS >> outer;

	for (size_t g = 0; g < groups; g++, a += rows * WORDS) {
		const struct factors *inner = t->factors + at_inverse_inner(t->log_n),
				     *factors = t->factors + at_inverse_outer(t->log_n);
		__m512i v[16];

		KEEP_IN_MEMORY(inner);
		KEEP_IN_MEMORY(factors);
		UNROLL
		for (int k = 0; k < rows; k += 2) {
			v[k] = _mm512_load_si512(a + k * WORDS);
			v[k + 1] = _mm512_load_si512(a + (k + 1) * WORDS);
			inverse_order(&v[k], &v[k + 1]);
			/* the first factors are all 1 */
			add_sub(&v[k], &v[k + 1], v[k + 1], f, wide, 0);
			inverse_exchange(&v[k], &v[k + 1], 0);
		}
		UNROLL
		for (int s = 1; s < INNER_STAGES; s++) {
			UNROLL
			for (int k = 0; k < rows; k += 2) {
				butterfly_each(&v[k], &v[k + 1], inner + s, false, f, wide, 0);
				inverse_exchange(&v[k], &v[k + 1], s);
			}
		}
		UNROLL
		for (int s = 0; s < outer; s++) {
			const int half = 1 << s;

			UNROLL
			for (int k = 0; k < rows / 2; k++) {
				const int i = k % half, x = k / half * 2 * half + i;

				butterfly_each(&v[x], &v[x + half], factors + half + i, false, f, wide,
					(s == 2 ? REDUCE : 0) | (is_last && s == outer - 1 ? LIFT : 0));
			}
		}
		UNROLL
		for (int k = 0; k < rows; k++)
			_mm512_store_si512(a + k * WORDS, is_last ? scale(v[k], last + k, f) : v[k]);
	}
}

/* One pass of `stages` outer stages, on groups of 2^stages rows, `stride` words apart. The first stage
 * reduces its X if `reduce`. If `is_last` there is one group, and the last factors follow. */
INLINE void pass(uint32_t *a, const struct table *t, const struct factors *last, bool is_last, size_t stride,
	int stages, bool wide, bool reduce)
{
	const struct field f = field_of(t);
	const int rows = 1 << stages;
	const size_t groups = ((size_t)1 << t->log_n) / stride >> stages;

	for (size_t g = 0; g < groups; g++) {
		for (size_t j = 0; j < stride; j += WORDS) {
			const struct factors *factors = t->factors + at_inverse_outer(t->log_n);
			uint32_t *at = a + g * rows * stride + j;
			__m512i v[16];

			UNROLL
			for (int k = 0; k < rows; k++)
				v[k] = _mm512_load_si512(at + k * stride);
			UNROLL
			for (int s = 0; s < stages; s++) {
				const int half = 1 << s;

				UNROLL
				for (int k = 0; k < rows / 2; k++) {
					const int i = k % half, x = k / half * 2 * half + i;

					butterfly_each(&v[x], &v[x + half],
						factors + ((half + i) * stride + j) / WORDS, false, f, wide,
						(reduce && s == 0 ? REDUCE : 0) |
							(is_last && s == stages - 1 ? LIFT : 0));
				}
			}
			UNROLL
			for (int k = 0; k < rows; k++) {
				if (is_last)
					v[k] = scale(v[k], last + (k * stride + j) / WORDS, f);
				_mm512_store_si512(at + k * stride, v[k]);
			}
		}
	}
}

#define PASS(name, is_last, stages, wide, reduce)                                              \
	static NOINLINE void name(                                                             \
		uint32_t *a, const struct table *t, const struct factors *last, size_t stride) \
	{                                                                                      \
		pass(a, t, last, is_last, stride, stages, wide, reduce);                       \
	}
#define BLOCKS(name, is_last, outer, wide)                                                        \
	static NOINLINE void name(uint32_t *a, const struct table *t, const struct factors *last) \
	{                                                                                         \
		blocks(a, t, last, is_last, outer, wide);                                         \
	}

PASS(lazy_pass_2, false, 2, false, true)
PASS(lazy_pass_3, false, 3, false, true)
PASS(lazy_last_1, true, 1, false, false)
PASS(lazy_last_2, true, 2, false, false)
PASS(lazy_last_3, true, 3, false, false)
PASS(reducing_last_3, true, 3, false, true)
PASS(reducing_last_4, true, 4, false, true)
PASS(wide_pass_2, false, 2, true, false)
PASS(wide_pass_3, false, 3, true, false)
PASS(wide_last_1, true, 1, true, false)
PASS(wide_last_2, true, 2, true, false)
PASS(wide_last_3, true, 3, true, false)
PASS(wide_last_4, true, 4, true, false)
BLOCKS(lazy_blocks, false, 4, false)
BLOCKS(lazy_only_1, true, 1, false)
BLOCKS(lazy_only_2, true, 2, false)
BLOCKS(lazy_only_3, true, 3, false)
BLOCKS(lazy_only_4, true, 4, false)
BLOCKS(wide_blocks, false, 4, true)
BLOCKS(wide_only_1, true, 1, true)
BLOCKS(wide_only_2, true, 2, true)
BLOCKS(wide_only_3, true, 3, true)
BLOCKS(wide_only_4, true, 4, true)

typedef void pass_fn(uint32_t *a, const struct table *t, const struct factors *last, size_t stride);
typedef void blocks_fn(uint32_t *a, const struct table *t, const struct factors *last);

/* By the number of outer stages. */
struct form {
	blocks_fn *only[MAX_STAGES + 1], *blocks;
	pass_fn *pass[MAX_STAGES], *last[MAX_STAGES + 1];
};

static const struct form lazy_short = {
	.only = {NULL, lazy_only_1, lazy_only_2, lazy_only_3, lazy_only_4},
	.blocks = lazy_blocks,
	.last = {NULL, lazy_last_1, lazy_last_2, lazy_last_3},
};
static const struct form lazy_long = {
	.blocks = lazy_blocks,
	.pass = {NULL, NULL, lazy_pass_2, lazy_pass_3},
	.last = {NULL, NULL, NULL, reducing_last_3, reducing_last_4},
};
static const struct form wide = {
	.only = {NULL, wide_only_1, wide_only_2, wide_only_3, wide_only_4},
	.blocks = wide_blocks,
	.pass = {NULL, NULL, wide_pass_2, wide_pass_3},
	.last = {NULL, wide_last_1, wide_last_2, wide_last_3, wide_last_4},
};

static void run(const struct form *form, uint32_t *a, const struct table *t, enum kernels_scale scale)
{
	const struct factors *last = t->factors + at_last(t->log_n, scale);
	unsigned outer = t->log_n - INNER_STAGES;
	size_t stride = (size_t)1 << (INNER_STAGES + MAX_STAGES);

	if (outer <= MAX_STAGES) {
		form->only[outer](a, t, last);
		return;
	}
	form->blocks(a, t, NULL);
	outer -= MAX_STAGES;
	if (outer > MAX_STAGES) {
		form->pass[outer / 2](a, t, NULL, stride);
		stride <<= outer / 2;
		outer -= outer / 2;
	}
	form->last[outer](a, t, last, stride);
}

/* Bounds: k <= 4.3 after the blocks, so three more stages may pass without a reduction. Where there are more,
 * each pass starts with one: four stages of it are 3.2, 4.3, 5.3, 6.4. */
void avx512_w32_inverse_lazy(void *a, const void *table, enum kernels_scale scale)
{
	const struct table *t = table;

	run(t->log_n <= 11 ? &lazy_short : &lazy_long, a, t, scale);
}

void avx512_w32_inverse_wide(void *a, const void *table, enum kernels_scale scale)
{
	run(&wide, a, table, scale);
}
