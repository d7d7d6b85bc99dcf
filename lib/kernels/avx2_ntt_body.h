/* SPDX-License-Identifier: Apache-2.0 */

/* Not a header: the passes of a transform, included once a butterfly. Functions of the vectors v[] are
 * inlined with constant counts, so that v[] lives in registers. The array is crossed a few times: radix-8, -4
 * or -2 passes between vectors that are far apart, and one pass over blocks of neighbours, eight vectors in
 * registers, that does three stages between vectors and the rest inside.
 *
 * Whoever includes it defines WORD, LANES (8 words of 32 bits or 4 of 64), TWIDDLES (kernels_twiddles_w4 or
 * _w8), NAME(x), the structs constant, table, twiddles, ring and factor with ring_of, twiddles_of, scales_of,
 * factor_all, factor_halves, (8 lanes) factor_quarters and factor_each, make_table, and the arithmetic:
 *
 *   enter           what a word of an input array becomes
 *   begin           x of a forward butterfly
 *   mul             y w
 *   sum, difference of two values
 *   settle          bring a value near [0, q), in some stages
 *   settles         does the first stage of the forward pass after `done` of the stages `before` the last
 *                   pass settle its x?
 *   middle          settle the sums of every second stage of the inverse
 *   bias            of the first sum of a radix-8 inverse pass
 *   finish, finish_product   any value, a product: to a word in [0, q)
 *   encode          a constant and its companion
 *   max_bits        of q */

#define BLOCK ((size_t)(8 * LANES))
#define BLOCK_LOG (LANES == 8 ? 6u : 5u)
#ifndef EACH_PAIR
#define EACH_PAIR(k) \
	UNROLL       \
	for (int k = 0; k < 8; k += 2)

/* How many stages the next pass does of those left to do: as many threes as there are, but no one. */
INLINE unsigned next_pass(unsigned left)
{
	return left == 4 ? 2 : left < 3 ? left : 3;
}
#endif

/* Of the input, if it is the first pass. */
INLINE void NAME(load_rows)(
	__m256i *v, int count, const WORD *x, size_t stride, bool first, const struct ring *r)
{
	UNROLL
	for (int k = 0; k < count; k++)
		v[k] = first ? NAME(enter)(load(x + k * stride), r) : load(x + k * stride);
}

INLINE void NAME(store_rows)(const __m256i *v, int count, WORD *x, size_t stride)
{
	UNROLL
	for (int k = 0; k < count; k++)
		store(x + k * stride, v[k]);
}

/* --- forward: Cooley-Tukey */

INLINE void NAME(butterfly)(__m256i *x, __m256i *y, struct factor f, const struct ring *r)
{
	__m256i u = NAME(begin)(*x, r), t = NAME(mul)(*y, f, r);

	*x = NAME(plus)(u, t, r);
	*y = NAME(difference)(u, t, r);
}

INLINE void NAME(stage)(__m256i *v, int half, struct factor f, bool settle, const struct ring *r)
{
	UNROLL
	for (int k = 0; k < half; k++) {
		if (settle)
			v[k] = NAME(settle)(v[k], r);
		NAME(butterfly)(&v[k], &v[k + half], f, r);
	}
}

/* 1 to 3 stages; i is the index of the first one's twiddle. */
INLINE void NAME(stages)(
	__m256i *v, int count, const struct twiddles *t, size_t i, bool settle, const struct ring *r)
{
	const int half = 1 << count >> 1;

	NAME(stage)(v, half, factor_all(t, i), settle, r);
	UNROLL
	for (int g = 0; count > 1 && g < 2; g++)
		NAME(stage)(v + g * half, half / 2, factor_all(t, 2 * i + g), false, r);
	UNROLL
	for (int g = 0; count > 2 && g < 4; g++)
		NAME(stage)(v + 2 * g, 1, factor_all(t, 4 * i + g), false, r);
}

/* 1 to 3 stages of the whole array, which begins as `groups` groups; of the input if it is the first. */
INLINE void NAME(pass)(WORD *x, size_t groups, int count, const struct twiddles *t, bool first, bool settle,
	const struct ring *r)
{
	const size_t stride = t->n / groups >> count;

	for (size_t g = 0; g < groups; g++, x += stride << count) {
		for (size_t j = 0; j < stride; j += LANES) {
			__m256i v[8];

			NAME(load_rows)(v, 1 << count, x + j, stride, first, r);
			NAME(stages)(v, count, t, groups + g, settle, r);
			NAME(store_rows)(v, 1 << count, x + j, stride);
		}
	}
}

#if LANES == 8
/* Inside the pairs of vectors, at distances 4, 2 and 1; block i. Each stage brings its partners into two
 * vectors: with v[0] = (x0 x1 x2 x3, y0 y1 y2 y3), and v[1] alike in the upper halves, these are x and y,
 * then x0 y0 x1 y1 and x2 y2 x3 y3, then x0 x2 y0 y2 and x1 x3 y1 y3. The four pairs take each step together:
 * one alone would wait. */
INLINE void NAME(inner)(__m256i v[8], const struct twiddles *t, size_t i, const struct ring *r)
{
	EACH_PAIR(k) exchange_halves(&v[k], &v[k + 1]);
	EACH_PAIR(k) NAME(butterfly)(&v[k], &v[k + 1], factor_halves(t, t->n / 8 + 8 * i + k), r);
	EACH_PAIR(k) unpack_words(&v[k], &v[k + 1]);
	EACH_PAIR(k) NAME(butterfly)(&v[k], &v[k + 1], factor_quarters(t, t->n / 4 + 16 * i + 2 * k), r);
	EACH_PAIR(k) unpack_words(&v[k], &v[k + 1]);
	EACH_PAIR(k) NAME(butterfly)(&v[k], &v[k + 1], factor_each(t, t->n / 2 + 32 * i + 4 * k), r);
	UNROLL
	for (int k = 0; k < 8; k++)
		v[k] = NAME(finish)(v[k], r);
	EACH_PAIR(k) unpack_words(&v[k], &v[k + 1]);
	EACH_PAIR(k) exchange_halves(&v[k], &v[k + 1]);
}
#else
/* The same at distances 2 and 1: with v[0] = (x0 x1, y0 y1), v[1] alike, these are x and y, then x0 y0 and
 * x1 y1 in each half. */
INLINE void NAME(inner)(__m256i v[8], const struct twiddles *t, size_t i, const struct ring *r)
{
	EACH_PAIR(k) exchange_halves(&v[k], &v[k + 1]);
	EACH_PAIR(k) NAME(butterfly)(&v[k], &v[k + 1], factor_halves(t, t->n / 4 + 8 * i + k), r);
	EACH_PAIR(k) exchange_words(&v[k], &v[k + 1]);
	EACH_PAIR(k) NAME(butterfly)(&v[k], &v[k + 1], factor_each(t, t->n / 2 + 16 * i + 2 * k), r);
	UNROLL
	for (int k = 0; k < 8; k++)
		v[k] = NAME(finish)(v[k], r);
	EACH_PAIR(k) exchange_words(&v[k], &v[k + 1]);
	EACH_PAIR(k) exchange_halves(&v[k], &v[k + 1]);
}
#endif

INLINE void NAME(last_pass)(WORD *x, const struct twiddles *t, const struct ring *r)
{
	for (size_t i = 0; i < t->n / BLOCK; i++, x += BLOCK) {
		__m256i v[8];

		NAME(load_rows)(v, 8, x, LANES, false, r);
		NAME(stages)(v, 3, t, t->n / BLOCK + i, NAME(settles)(1, 1), r);
		NAME(inner)(v, t, i, r);
		NAME(store_rows)(v, 8, x, LANES);
	}
}

static void NAME(forward)(void *a, const void *table)
{
	const struct ring r = ring_of(table);
	const struct twiddles t = twiddles_of(table, false);
	const unsigned before = ((const struct table *)table)->log_n - BLOCK_LOG;

	for (unsigned done = 0, count; done < before; done += count) {
		const size_t groups = (size_t)1 << done;
		const bool first = done == 0, settle = NAME(settles)(done, before);

		count = next_pass(before - done);
		if (count == 1)
			NAME(pass)(a, 1, 1, &t, true, false, &r);
		else if (count == 2 && first)
			NAME(pass)(a, 1, 2, &t, true, false, &r);
		else if (count == 2 && settle)
			NAME(pass)(a, groups, 2, &t, false, true, &r);
		else if (count == 2)
			NAME(pass)(a, groups, 2, &t, false, false, &r);
		else if (first)
			NAME(pass)(a, 1, 3, &t, true, false, &r);
		else if (settle)
			NAME(pass)(a, groups, 3, &t, false, true, &r);
		else
			NAME(pass)(a, groups, 3, &t, false, false, &r);
	}
	NAME(last_pass)(a, &t, &r);
}

/* --- inverse: Gentleman-Sande */

INLINE void NAME(back_butterfly)(__m256i *x, __m256i *y, struct factor f, bool middle, const struct ring *r)
{
	__m256i sum = NAME(sum)(*x, *y, r);

	*y = NAME(mul)(NAME(difference)(*x, *y, r), f, r);
	*x = middle ? NAME(middle)(sum, r) : sum;
}

/* The last stage of a pass; of the whole transform if there are `scales`. */
INLINE void NAME(back_last_stage)(
	__m256i *v, int half, struct factor f, const struct factor *scales, const struct ring *r)
{
	UNROLL
	for (int k = 0; k < half; k++) {
		__m256i sum = NAME(sum)(v[k], v[k + half], r),
			difference = NAME(difference)(v[k], v[k + half], r);

		if (half == 4 && k == 0)
			sum = NAME(bias)(sum, r);
		if (scales) {
			v[k] = NAME(finish_product)(NAME(mul)(sum, scales[0], r), r);
			v[k + half] = NAME(finish_product)(NAME(mul)(difference, scales[1], r), r);
		} else {
			v[k] = NAME(settle)(sum, r);
			v[k + half] = NAME(mul)(difference, f, r);
		}
	}
}

INLINE void NAME(back_stages)(__m256i *v, int count, const struct twiddles *t, size_t i,
	const struct factor *scales, const struct ring *r)
{
	const int half = 1 << count >> 1;

	UNROLL
	for (int g = 0; count > 2 && g < 4; g++)
		NAME(back_butterfly)(&v[2 * g], &v[2 * g + 1], factor_all(t, 4 * i + g), false, r);
	UNROLL
	for (int g = 0; count > 1 && g < 2; g++) {
		struct factor f = factor_all(t, 2 * i + g);

		UNROLL
		for (int k = g * half; k < g * half + half / 2; k++)
			NAME(back_butterfly)(&v[k], &v[k + half / 2], f, count > 2, r);
	}
	NAME(back_last_stage)(v, half, factor_all(t, i), scales, r);
}

/* 1 to 3 stages of the whole array, which ends as `groups` groups. */
INLINE void NAME(back_pass)(WORD *x, size_t groups, int count, const struct twiddles *t,
	const struct factor *scales, const struct ring *r)
{
	const size_t stride = t->n / groups >> count;

	for (size_t g = 0; g < groups; g++, x += stride << count) {
		for (size_t j = 0; j < stride; j += LANES) {
			__m256i v[8];

			NAME(load_rows)(v, 1 << count, x + j, stride, false, r);
			NAME(back_stages)(v, count, t, groups + g, scales, r);
			NAME(store_rows)(v, 1 << count, x + j, stride);
		}
	}
}

#if LANES == 8
INLINE void NAME(back_inner)(__m256i v[8], const struct twiddles *t, size_t i, const struct ring *r)
{
	EACH_PAIR(k) exchange_halves(&v[k], &v[k + 1]);
	EACH_PAIR(k) part_words(&v[k], &v[k + 1]);
	EACH_PAIR(k)
	NAME(back_butterfly)(&v[k], &v[k + 1], factor_each(t, t->n / 2 + 32 * i + 4 * k), false, r);
	EACH_PAIR(k) part_words(&v[k], &v[k + 1]);
	EACH_PAIR(k)
	NAME(back_butterfly)(&v[k], &v[k + 1], factor_quarters(t, t->n / 4 + 16 * i + 2 * k), false, r);
	EACH_PAIR(k) part_words(&v[k], &v[k + 1]);
	EACH_PAIR(k) NAME(back_butterfly)(&v[k], &v[k + 1], factor_halves(t, t->n / 8 + 8 * i + k), false, r);
	EACH_PAIR(k) v[k] = NAME(settle)(v[k], r);
	EACH_PAIR(k) exchange_halves(&v[k], &v[k + 1]);
}
#else
INLINE void NAME(back_inner)(__m256i v[8], const struct twiddles *t, size_t i, const struct ring *r)
{
	EACH_PAIR(k) exchange_halves(&v[k], &v[k + 1]);
	EACH_PAIR(k) exchange_words(&v[k], &v[k + 1]);
	EACH_PAIR(k)
	NAME(back_butterfly)(&v[k], &v[k + 1], factor_each(t, t->n / 2 + 16 * i + 2 * k), false, r);
	EACH_PAIR(k) exchange_words(&v[k], &v[k + 1]);
	EACH_PAIR(k) NAME(back_butterfly)(&v[k], &v[k + 1], factor_halves(t, t->n / 4 + 8 * i + k), true, r);
	EACH_PAIR(k) exchange_halves(&v[k], &v[k + 1]);
}
#endif

INLINE void NAME(back_first_pass)(
	WORD *x, const struct twiddles *t, const struct factor *scales, const struct ring *r)
{
	for (size_t i = 0; i < t->n / BLOCK; i++, x += BLOCK) {
		__m256i v[8];

		NAME(load_rows)(v, 8, x, LANES, true, r);
		NAME(back_inner)(v, t, i, r);
		NAME(back_stages)(v, 3, t, t->n / BLOCK + i, scales, r);
		NAME(store_rows)(v, 8, x, LANES);
	}
}

static void NAME(inverse)(void *a, const void *table, enum kernels_scale scale)
{
	const struct ring r = ring_of(table);
	const struct twiddles t = twiddles_of(table, true);
	struct factor scales[2];
	unsigned left = ((const struct table *)table)->log_n - BLOCK_LOG;

	scales_of(scales, table, scale);
	if (left == 0) {
		NAME(back_first_pass)(a, &t, scales, &r);
		return;
	}
	NAME(back_first_pass)(a, &t, NULL, &r);
	for (unsigned count; left > (count = next_pass(left)); left -= count) {
		size_t groups = (size_t)1 << (left - count);

		if (count == 2)
			NAME(back_pass)(a, groups, 2, &t, NULL, &r);
		else
			NAME(back_pass)(a, groups, 3, &t, NULL, &r);
	}
	if (left == 1)
		NAME(back_pass)(a, 1, 1, &t, scales, &r);
	else if (left == 2)
		NAME(back_pass)(a, 1, 2, &t, scales, &r);
	else
		NAME(back_pass)(a, 1, 3, &t, scales, &r);
}

static void NAME(init)(void *table, const struct kernels_prime *p, unsigned log_n, uint64_t root)
{
	struct table *t = table;
	const size_t n = (size_t)1 << log_n;
	WORD *forward = t->twiddles, *inverse = forward + 2 * n;

	/* what the bounds above the arithmetic were worked out for */
	REQUIRE(p->bits <= NAME(max_bits) && log_n >= BLOCK_LOG && log_n <= 15);
	*t = make_table(p, log_n);
	TWIDDLES(forward, inverse, p, log_n, root);
	for (enum kernels_scale s = KERNELS_PLAIN; s <= KERNELS_MONTGOMERY; s++) {
		uint64_t sum = kernels_ntt_scale(p, log_n, s),
			 difference = (uint64_t)((uint128)sum * inverse[1] % p->q);

		t->last[s][0] = NAME(encode)(sum, p->q);
		t->last[s][1] = NAME(encode)(difference, p->q);
	}
	for (size_t i = 0; i < n; i++) {
		struct constant to = NAME(encode)(forward[i], p->q), back = NAME(encode)(inverse[i], p->q);

		forward[i] = to.w;
		forward[n + i] = to.quotient;
		inverse[i] = back.w;
		inverse[n + i] = back.quotient;
	}
}
