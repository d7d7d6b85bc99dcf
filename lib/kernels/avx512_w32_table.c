/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kernels/avx512_w32_ntt.h"
#include "kernels/avx512_w32_order.h"
#include "kernels/forms.h"

size_t avx512_w32_table_bytes(unsigned log_n)
{
	size_t outer = (sizeof(struct factor) << log_n) / WORDS;

	return sizeof(struct table) + at_forward_outer(log_n) * sizeof(struct factors) +
	       (outer + 63) / 64 * 64;
}

static bool is_wide(const struct kernels_prime *p)
{
	return p->bits > AVX512_W32_LAZY_BITS;
}

static struct factor plain_factor(uint32_t w, uint32_t q)
{
	return (struct factor){.w = w, .quotient = (uint32_t)(((uint64_t)w << 32) / q)};
}

/* Lazy: w in (-q/2, q/2) and w 2^32 / q to the nearest; q is odd, so there are no ties. */
static struct factor signed_factor(uint32_t w, uint32_t q)
{
	const bool negative = w > q / 2;
	const uint32_t size = negative ? q - w : w;
	const uint32_t quotient = (uint32_t)((((uint64_t)size << 33) + q) / (2 * (uint64_t)q));

	return (struct factor){.w = negative ? -size : size, .quotient = negative ? -quotient : quotient};
}

static struct factor stage_factor(uint32_t w, const struct kernels_prime *p)
{
	return is_wide(p) ? plain_factor(w, (uint32_t)p->q) : signed_factor(w, (uint32_t)p->q);
}

static void put(struct factors *c, size_t word, struct factor factor)
{
	c->w[word] = factor.w;
	c->quotient[word] = factor.quotient;
}

static size_t reverse(size_t x, unsigned bits)
{
	size_t y = 0;

	for (unsigned i = 0; i < bits; i++, x >>= 1)
		y = y << 1 | (x & 1);
	return y;
}

/* The element that each place of x holds, of a pair in natural order. */
static void number(__m512i *x, __m512i *y)
{
	*x = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	*y = _mm512_add_epi32(*x, _mm512_set1_epi32(WORDS));
}

/* twiddles[i] = root^brv(i) */
static void fill_forward(struct table *t, const struct kernels_prime *p, const uint32_t *twiddles)
{
	const size_t n = (size_t)1 << t->log_n;
	struct factor *outer = (struct factor *)&t->factors[at_forward_outer(t->log_n)];
	__m512i x, y;

	for (size_t i = 0; i < n / WORDS; i++)
		outer[i] = stage_factor(twiddles[i], p);
	number(&x, &y);
	for (int s = 0; s < INNER_STAGES; s++) {
		const size_t pair = (size_t)16 >> s; /* words of a group */
		uint32_t element[WORDS];

		forward_exchange(&x, &y, s);
		_mm512_storeu_si512(element, x);
		for (size_t i = 0; i < n; i += 32)
			for (size_t word = 0; word < WORDS; word++)
				put(&t->factors[i / 32 * INNER_STAGES + s], word,
					stage_factor(twiddles[(n + i + element[word]) / pair], p));
	}
}

/* twiddles[i] = root^-brv(i) */
static void fill_inverse(struct table *t, const struct kernels_prime *p, const uint32_t *twiddles)
{
	struct factors *inner = t->factors + at_inverse_inner(t->log_n),
		       *outer = t->factors + at_inverse_outer(t->log_n);
	__m512i x, y;

	number(&x, &y);
	inverse_order(&x, &y);
	for (unsigned s = 0; s < INNER_STAGES; s++) {
		uint32_t element[WORDS];

		_mm512_storeu_si512(element, x);
		for (size_t word = 0; word < WORDS; word++) {
			size_t power = (element[word] & ((1u << s) - 1)) << (t->log_n - s);

			put(&inner[s], word, stage_factor(twiddles[reverse(power, t->log_n)], p));
		}
		inverse_exchange(&x, &y, (int)s);
	}
	memset(outer, 0, sizeof *outer);
	for (unsigned s = INNER_STAGES; s < t->log_n; s++)
		for (size_t i = 0; i < (size_t)1 << s; i++)
			put(&outer[(((size_t)1 << s) + i) / WORDS], i % WORDS,
				stage_factor(twiddles[reverse(i << (t->log_n - s), t->log_n)], p));
}

/* The factors behind the last stage, scaled; these are never signed. twiddles[i] = root^-brv(i), in the place
 * of the second array. */
static void fill_last(struct table *t, const struct kernels_prime *p, const uint32_t *twiddles)
{
	const size_t n = (size_t)1 << t->log_n;
	const uint64_t scale = kernels_ntt_scale(p, t->log_n, KERNELS_PLAIN);
	struct factors *plain = t->factors + at_last(t->log_n, KERNELS_PLAIN),
		       *montgomery = t->factors + at_last(t->log_n, KERNELS_MONTGOMERY);

	for (size_t i = 0; i < n; i++)
		put(&plain[i / WORDS], i % WORDS,
			plain_factor((uint32_t)(twiddles[reverse(i, t->log_n)] * scale % t->q), t->q));
	for (size_t i = 0; i < n; i++)
		put(&montgomery[i / WORDS], i % WORDS,
			plain_factor((uint32_t)(plain[i / WORDS].w[i % WORDS] * p->mont_one % t->q), t->q));
}

void avx512_w32_table_init(void *table, const struct kernels_prime *p, unsigned log_n, uint64_t root)
{
	const size_t n = (size_t)1 << log_n;
	const uint32_t q = (uint32_t)p->q;
	struct table *t = table;
	uint32_t *forward, *inverse; /* for a while, where the last factors will be */

	memset(t, 0, avx512_w32_table_bytes(log_n));
	t->q = q;
	t->log_n = log_n;
	t->step_log = p->bits - 1;
	for (int i = 0; i < 2 * WORDS; i++) {
		/* the least x of this index: i steps, or i - 32 as a signed number */
		int64_t least = (int64_t)(i < WORDS ? i : i - 2 * WORDS) * ((int64_t)1 << t->step_log);
		int64_t times = (least >= 0 ? least : least - (int64_t)(q - 1)) / (int64_t)q;

		t->multiples[i] = (uint32_t)(-times * (int64_t)q);
	}
	forward = (uint32_t *)&t->factors[at_last(log_n, KERNELS_MONTGOMERY)];
	inverse = forward + n;
	kernels_twiddles_w4(forward, inverse, p, log_n, root);
	fill_forward(t, p, forward);
	fill_inverse(t, p, inverse);
	fill_last(t, p, inverse);
}
