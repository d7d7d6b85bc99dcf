/* SPDX-License-Identifier: Apache-2.0 */
#include <stdalign.h>

#include "kernels/avx512_w32.h"

/* The multiply-accumulate. The shard is read once and in order, which is what the hardware's prefetcher
 * likes; even and odd words multiply into sums of their own. The search engine's usual shape, 16 terms and
 * one or two vectors (a query's two halves), keeps the first vector in registers and the odd words of both in
 * a copy: 5 operations per 16 coefficients, or 9 for two vectors. Others shift the odd words each time: 6 and
 * 11, which memory hides. */

#define TERMS 16

struct mac {
	void *const *out;
	const uint32_t *w;
	const void *const *x;
	unsigned vectors;
	size_t n, outputs, terms;
	struct redc redc;
};

INLINE __m512i mul_add(__m512i sum, __m512i a, __m512i b)
{
	return _mm512_add_epi64(sum, _mm512_mul_epu32(a, b));
}

INLINE void put(const struct mac *m, unsigned v, size_t o, size_t i, __m512i even, __m512i odd, struct redc r)
{
	_mm512_storeu_si512((uint32_t *)m->out[v] + o * m->n + i, redc(even, odd, r));
}

/* 16 terms, small sums. */
INLINE void mac_16(const struct mac *m, int vectors)
{
	const struct redc r = {.q = m->redc.q, .neg_inv = m->redc.neg_inv, .small = true};
	const __m512i zero = _mm512_setzero_si512();
	alignas(64) uint32_t odd_copy[2][TERMS * WORDS];
	const uint32_t *w = m->w;

	for (size_t i = 0; i < m->n; i += WORDS) {
		const uint32_t *x0 = (const uint32_t *)m->x[0] + i * TERMS;
		const uint32_t *x1 = (const uint32_t *)m->x[vectors - 1] + i * TERMS;
		__m512i x[TERMS];

		for (int t = 0; t < TERMS * WORDS; t += WORDS) {
			_mm512_store_si512(odd_copy[0] + t, odd_words(_mm512_loadu_si512(x0 + t)));
			if (vectors > 1)
				_mm512_store_si512(odd_copy[1] + t, odd_words(_mm512_loadu_si512(x1 + t)));
		}
		UNROLL
		for (int t = 0; t < TERMS; t++)
			x[t] = _mm512_loadu_si512(x0 + t * WORDS);
		for (size_t o = 0; o < m->outputs; o++, w += TERMS * WORDS) {
			const uint32_t *x0_odd = odd_copy[0], *x1_odd = odd_copy[1];
			__m512i even0 = zero, odd0 = zero, even1 = zero, odd1 = zero;

			KEEP_IN_MEMORY(x0_odd);
			KEEP_IN_MEMORY(x1_odd);
			KEEP_IN_MEMORY(x1);
			UNROLL
			for (int t = 0; t < TERMS; t++) {
				const __m512i a = _mm512_loadu_si512(w + t * WORDS), a_odd = odd_words(a);

				even0 = mul_add(even0, a, x[t]);
				odd0 = mul_add(odd0, a_odd, _mm512_load_si512(x0_odd + t * WORDS));
				if (vectors > 1) {
					even1 = mul_add(even1, a, _mm512_loadu_si512(x1 + t * WORDS));
					odd1 = mul_add(odd1, a_odd, _mm512_load_si512(x1_odd + t * WORDS));
				}
			}
			put(m, 0, o, i, even0, odd0, r);
			if (vectors > 1)
				put(m, 1, o, i, even1, odd1, r);
		}
	}
}

static NOINLINE void mac_16_one(const struct mac *m)
{
	mac_16(m, 1);
}

static NOINLINE void mac_16_two(const struct mac *m)
{
	mac_16(m, 2);
}

/* One block of one output, and the vectors v and, of two, v + 1. */
INLINE void row(const struct mac *m, const uint32_t *w, unsigned v, size_t o, size_t i, int vectors)
{
	const uint32_t *x0 = (const uint32_t *)m->x[v] + i * m->terms;
	const uint32_t *x1 = vectors > 1 ? (const uint32_t *)m->x[v + 1] + i * m->terms : NULL;
	const __m512i zero = _mm512_setzero_si512();
	__m512i even0 = zero, odd0 = zero, even1 = zero, odd1 = zero;

	UNROLL_BY_4
	for (size_t t = 0; t < m->terms * WORDS; t += WORDS) {
		const __m512i a = _mm512_loadu_si512(w + t), a_odd = odd_words(a);
		const __m512i b = _mm512_loadu_si512(x0 + t);

		even0 = mul_add(even0, a, b);
		odd0 = mul_add(odd0, a_odd, odd_words(b));
		if (vectors > 1) {
			const __m512i c = _mm512_loadu_si512(x1 + t);

			even1 = mul_add(even1, a, c);
			odd1 = mul_add(odd1, a_odd, odd_words(c));
		}
	}
	put(m, v, o, i, even0, odd0, m->redc);
	if (vectors > 1)
		put(m, v + 1, o, i, even1, odd1, m->redc);
}

static NOINLINE void mac_any(const struct mac *m)
{
	const uint32_t *w = m->w;

	for (size_t i = 0; i < m->n; i += WORDS) {
		for (size_t o = 0; o < m->outputs; o++, w += m->terms * WORDS) {
			unsigned v = 0;

			for (; v + 2 <= m->vectors; v += 2)
				row(m, w, v, o, i, 2);
			if (v < m->vectors)
				row(m, w, v, o, i, 1);
		}
	}
}

static void mac(void *const *out, const void *w, const void *const *x, unsigned vectors, size_t n,
	size_t outputs, size_t terms, const struct kernels_prime *p)
{
	const uint64_t largest = p->q - 1;
	const bool small = terms * largest * largest < p->q << 32;
	const struct mac m = {
		.out = out,
		.w = w,
		.x = x,
		.vectors = vectors,
		.n = n,
		.outputs = outputs,
		.terms = terms,
		.redc = redc_of(p, small),
	};

	if (terms == TERMS && small && vectors == 1)
		mac_16_one(&m);
	else if (terms == TERMS && small && vectors == 2)
		mac_16_two(&m);
	else
		mac_any(&m);
}

void avx512_w32_select_mac(struct kernels *k)
{
	k->mac = mac;
}
