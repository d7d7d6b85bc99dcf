/* SPDX-License-Identifier: Apache-2.0 */

/* Not a header: the passes of avx2_ntt.c, included once a butterfly with NAME defined. Functions of the
 * vectors v[] are inlined with constant counts, so that v[] lives in registers. */

/* --- forward: Cooley-Tukey
 *
 * A lazy stage takes values below b to below b + 1 + b/32: from [0, 1) six stages end
 * at 2.1, 3.1, 4.2, 5.4, 6.5, 7.7; a stage whose x is settled, then five more,
 * at 1.8, 2.8, 3.9, 5.1, 6.2, 7.4. Settled is the first stage of the last pass, and that of the second pass
 * where more than six stages come before the last pass. */

INLINE void NAME(butterfly)(__m256i *x, __m256i *y, struct factor f, const struct ring *r)
{
	__m256i u = NAME(begin)(*x, r), t = NAME(mul)(*y, f, r);

	*x = _mm256_add_epi32(u, t);
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

/* 1 to 3 stages of the whole array, which begins as `groups` groups. */
INLINE void NAME(pass)(
	uint32_t *x, size_t groups, int count, const struct twiddles *t, bool settle, const struct ring *r)
{
	const size_t stride = t->n / groups >> count;

	for (size_t g = 0; g < groups; g++, x += stride << count) {
		for (size_t j = 0; j < stride; j += 8) {
			__m256i v[8];

			load_rows(v, 1 << count, x + j, stride);
			NAME(stages)(v, count, t, groups + g, settle, r);
			store_rows(v, 1 << count, x + j, stride);
		}
	}
}

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

INLINE void NAME(last_pass)(uint32_t *x, const struct twiddles *t, const struct ring *r)
{
	for (size_t i = 0; i < t->n / 64; i++, x += 64) {
		__m256i v[8];

		load_rows(v, 8, x, 8);
		NAME(stages)(v, 3, t, t->n / 64 + i, true, r);
		NAME(inner)(v, t, i, r);
		store_rows(v, 8, x, 8);
	}
}

static void NAME(forward)(void *a, const void *table)
{
	const struct ring r = ring_of(table);
	const struct twiddles t = twiddles_of(table, false);
	const unsigned before = ((const struct table *)table)->log_n - 6;

	for (unsigned done = 0, count; done < before; done += count) {
		size_t groups = (size_t)1 << done;

		count = next_pass(before - done);
		if (count == 1)
			NAME(pass)(a, groups, 1, &t, false, &r);
		else if (count == 2 && (before <= 6 || done != 3))
			NAME(pass)(a, groups, 2, &t, false, &r);
		else if (count == 2)
			NAME(pass)(a, groups, 2, &t, true, &r);
		else if (before <= 6 || done != 3)
			NAME(pass)(a, groups, 3, &t, false, &r);
		else
			NAME(pass)(a, groups, 3, &t, true, &r);
	}
	NAME(last_pass)(a, &t, &r);
}

/* --- inverse: Gentleman-Sande
 *
 * Lazy sums double and are settled in the last stage of each pass. Inside the vectors they go from [0, 1) to
 * [0, 8); in a radix-8 pass from (-1/2, 5/4) to (-4, 10), of which 3 is taken off. */

INLINE void NAME(back_butterfly)(__m256i *x, __m256i *y, struct factor f, const struct ring *r)
{
	__m256i sum = NAME(sum)(*x, *y, r);

	*y = NAME(mul)(NAME(difference)(*x, *y, r), f, r);
	*x = sum;
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
		NAME(back_butterfly)(&v[2 * g], &v[2 * g + 1], factor_all(t, 4 * i + g), r);
	UNROLL
	for (int g = 0; count > 1 && g < 2; g++) {
		struct factor f = factor_all(t, 2 * i + g);

		UNROLL
		for (int k = g * half; k < g * half + half / 2; k++)
			NAME(back_butterfly)(&v[k], &v[k + half / 2], f, r);
	}
	NAME(back_last_stage)(v, half, factor_all(t, i), scales, r);
}

/* 1 to 3 stages of the whole array, which ends as `groups` groups. */
INLINE void NAME(back_pass)(uint32_t *x, size_t groups, int count, const struct twiddles *t,
	const struct factor *scales, const struct ring *r)
{
	const size_t stride = t->n / groups >> count;

	for (size_t g = 0; g < groups; g++, x += stride << count) {
		for (size_t j = 0; j < stride; j += 8) {
			__m256i v[8];

			load_rows(v, 1 << count, x + j, stride);
			NAME(back_stages)(v, count, t, groups + g, scales, r);
			store_rows(v, 1 << count, x + j, stride);
		}
	}
}

INLINE void NAME(back_inner)(__m256i v[8], const struct twiddles *t, size_t i, const struct ring *r)
{
	EACH_PAIR(k) exchange_halves(&v[k], &v[k + 1]);
	EACH_PAIR(k) part_words(&v[k], &v[k + 1]);
	EACH_PAIR(k) NAME(back_butterfly)(&v[k], &v[k + 1], factor_each(t, t->n / 2 + 32 * i + 4 * k), r);
	EACH_PAIR(k) part_words(&v[k], &v[k + 1]);
	EACH_PAIR(k) NAME(back_butterfly)(&v[k], &v[k + 1], factor_quarters(t, t->n / 4 + 16 * i + 2 * k), r);
	EACH_PAIR(k) part_words(&v[k], &v[k + 1]);
	EACH_PAIR(k) NAME(back_butterfly)(&v[k], &v[k + 1], factor_halves(t, t->n / 8 + 8 * i + k), r);
	EACH_PAIR(k) v[k] = NAME(settle)(v[k], r);
	EACH_PAIR(k) exchange_halves(&v[k], &v[k + 1]);
}

INLINE void NAME(back_first_pass)(
	uint32_t *x, const struct twiddles *t, const struct factor *scales, const struct ring *r)
{
	for (size_t i = 0; i < t->n / 64; i++, x += 64) {
		__m256i v[8];

		load_rows(v, 8, x, 8);
		NAME(back_inner)(v, t, i, r);
		NAME(back_stages)(v, 3, t, t->n / 64 + i, scales, r);
		store_rows(v, 8, x, 8);
	}
}

static void NAME(inverse)(void *a, const void *table, enum kernels_scale scale)
{
	const struct ring r = ring_of(table);
	const struct twiddles t = twiddles_of(table, true);
	struct factor scales[2];
	unsigned left = ((const struct table *)table)->log_n - 6;

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
	const uint32_t q = (uint32_t)p->q;
	uint32_t *forward = t->twiddles, *inverse = forward + 2 * n;

	*t = (struct table){.q = q, .log_n = log_n, .inverse_q = 1.0f / (float)q};
	kernels_twiddles_w4(forward, inverse, p, log_n, root);
	for (enum kernels_scale s = KERNELS_PLAIN; s <= KERNELS_MONTGOMERY; s++) {
		uint64_t sum = kernels_ntt_scale(p, log_n, s), difference = sum * inverse[1] % q;

		t->last[s][0] = NAME(encode)(sum, q);
		t->last[s][1] = NAME(encode)(difference, q);
	}
	for (size_t i = 0; i < n; i++) {
		struct constant to = NAME(encode)(forward[i], q), back = NAME(encode)(inverse[i], q);

		forward[i] = to.w;
		forward[n + i] = to.quotient;
		inverse[i] = back.w;
		inverse[n + i] = back.quotient;
	}
}
