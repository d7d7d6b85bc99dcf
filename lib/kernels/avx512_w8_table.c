/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/require.h"
#include "base/u128.h"
#include "kernels/avx512_w8_ntt.h"
#include "kernels/avx512_w8_order.h"
#include "kernels/forms.h"

size_t avx512_w8_table_bytes(unsigned log_n)
{
	return sizeof(struct table) + at_forward_outer(log_n) * sizeof(struct factors) +
	       (sizeof(struct factor) << log_n) / WORDS;
}

/* S of the quotients, and what they divide by. */
struct scaling {
	unsigned shift;
	uint64_t q;
};

static uint64_t quotient_of(uint64_t w, struct scaling s)
{
	return (uint64_t)(((uint128)w << s.shift) / s.q);
}

static void put(struct factors *c, size_t word, uint64_t w, struct scaling s)
{
	c->w[word] = w;
	c->quotient[word] = quotient_of(w, s);
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
	*x = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
	*y = _mm512_add_epi64(*x, _mm512_set1_epi64(WORDS));
}

/* twiddles[i] = root^brv(i) */
static void fill_forward(struct table *t, struct scaling s, const uint64_t *twiddles)
{
	const size_t n = (size_t)1 << t->log_n;
	struct factor *outer = (struct factor *)&t->factors[at_forward_outer(t->log_n)];
	__m512i x, y;

	for (size_t i = 0; i < n / WORDS; i++)
		outer[i] = (struct factor){.w = twiddles[i], .quotient = quotient_of(twiddles[i], s)};
	number(&x, &y);
	for (int stage = 0; stage < INNER_STAGES; stage++) {
		const size_t pair = (size_t)8 >> stage; /* words of a group */
		uint64_t element[WORDS];

		forward_exchange(&x, &y, stage);
		_mm512_storeu_si512(element, x);
		for (size_t i = 0; i < n; i += 16)
			for (size_t word = 0; word < WORDS; word++)
				put(&t->factors[i / 16 * INNER_STAGES + (size_t)stage], word,
					twiddles[(n + i + element[word]) / pair], s);
	}
}

/* twiddles[i] = root^-brv(i) */
static void fill_inverse(struct table *t, struct scaling s, const uint64_t *twiddles)
{
	struct factors *inner = t->factors + at_inverse_inner(t->log_n),
		       *outer = t->factors + at_inverse_outer(t->log_n);
	__m512i x, y;

	number(&x, &y);
	inverse_order(&x, &y);
	for (unsigned stage = 0; stage < INNER_STAGES; stage++) {
		uint64_t element[WORDS];

		_mm512_storeu_si512(element, x);
		for (size_t word = 0; word < WORDS; word++) {
			size_t power = (element[word] & ((1u << stage) - 1)) << (t->log_n - stage);

			put(&inner[stage], word, twiddles[reverse(power, t->log_n)], s);
		}
		inverse_exchange(&x, &y, (int)stage);
	}
	for (unsigned stage = INNER_STAGES; stage < t->log_n; stage++)
		for (size_t i = 0; i < (size_t)1 << stage; i++)
			put(&outer[(((size_t)1 << stage) + i) / WORDS], i % WORDS,
				twiddles[reverse(i << (t->log_n - stage), t->log_n)], s);
}

/* The factors behind the last stage, scaled. twiddles[i] = root^-brv(i), in the place of the second array. */
static void fill_last(
	struct table *t, const struct kernels_prime *p, struct scaling s, const uint64_t *twiddles)
{
	const size_t n = (size_t)1 << t->log_n;
	const uint64_t scale = kernels_ntt_scale(p, t->log_n, KERNELS_PLAIN);
	struct factors *plain = t->factors + at_last(t->log_n, KERNELS_PLAIN),
		       *montgomery = t->factors + at_last(t->log_n, KERNELS_MONTGOMERY);

	for (size_t i = 0; i < n; i++)
		put(&plain[i / WORDS], i % WORDS,
			(uint64_t)((uint128)twiddles[reverse(i, t->log_n)] * scale % p->q), s);
	for (size_t i = 0; i < n; i++)
		put(&montgomery[i / WORDS], i % WORDS,
			(uint64_t)((uint128)plain[i / WORDS].w[i % WORDS] * p->mont_one % p->q), s);
}

static void init(
	struct table *t, const struct kernels_prime *p, unsigned log_n, uint64_t root, unsigned shift)
{
	const size_t n = (size_t)1 << log_n;
	const struct scaling s = {.shift = shift, .q = p->q};
	uint64_t *forward, *inverse; /* for a while, where the last factors will be */

	REQUIRE(log_n >= AVX512_W8_MIN_LOG_N && log_n <= AVX512_W8_MAX_LOG_N);
	memset(t, 0, avx512_w8_table_bytes(log_n));
	t->q = p->q;
	t->log_n = log_n;
	forward = (uint64_t *)&t->factors[at_last(log_n, KERNELS_MONTGOMERY)];
	inverse = forward + n;
	kernels_twiddles_w8(forward, inverse, p, log_n, root);
	fill_forward(t, s, forward);
	fill_inverse(t, s, inverse);
	fill_last(t, p, s, inverse);
}

void avx512_w52_table_init(void *table, const struct kernels_prime *p, unsigned log_n, uint64_t root)
{
	REQUIRE(p->bits > 31 && p->bits <= 50); /* 4q <= 2^52 */
	init(table, p, log_n, root, 52);
}

void avx512_w64_table_init(void *table, const struct kernels_prime *p, unsigned log_n, uint64_t root)
{
	REQUIRE(p->bits > 31 && p->bits <= 62); /* 4q <= 2^64 */
	init(table, p, log_n, root, 64);
}
