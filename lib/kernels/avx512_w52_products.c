/* SPDX-License-Identifier: Apache-2.0 */
#include "base/u128.h"
#include "kernels/avx512_w52.h"

struct constant {
	__m512i w, quotient;
};

static struct constant constant_of(uint64_t w, uint64_t q)
{
	return (struct constant){
		.w = _mm512_set1_epi64((long long)w),
		.quotient = _mm512_set1_epi64((long long)(uint64_t)(((uint128)w << WORD_BITS) / q)),
	};
}

INLINE __m512i mul_add_low(__m512i sum, __m512i a, __m512i b)
{
	return _mm512_madd52lo_epu64(sum, a, b);
}

INLINE __m512i mul_add_high(__m512i sum, __m512i a, __m512i b)
{
	return _mm512_madd52hi_epu64(sum, a, b);
}

/* Barrett. The product's bits from p->bits - 2 on, at most 52 of them, times floor(2^(bits+50) / q) / 2^52:
 * what was cut off the first factor takes less than 1/2 from the quotient, what was cut off the second and
 * off the result less than 1 each. */
struct barrett {
	__m512i q, q_2, neg_q, inverse;
	__m128i left, right;
};

INLINE __m512i product(__m512i a, __m512i b, struct barrett c)
{
	const __m512i zero = _mm512_setzero_si512();
	__m512i low = mul_add_low(zero, a, b), high = mul_add_high(zero, a, b);
	__m512i top = _mm512_or_si512(_mm512_sll_epi64(high, c.left), _mm512_srl_epi64(low, c.right));
	__m512i rest = low_bits(mul_add_low(low, mul_add_high(zero, top, c.inverse), c.neg_q));

	return reduce_down(reduce_down(rest, c.q_2), c.q);
}

static void mul(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	const struct barrett c = {
		.q = _mm512_set1_epi64((long long)p->q),
		.q_2 = _mm512_set1_epi64((long long)p->q * 2),
		.neg_q = negative(p->q),
		.inverse = _mm512_set1_epi64((long long)(uint64_t)(((uint128)1 << (p->bits + 50)) / p->q)),
		.left = _mm_cvtsi32_si128((int)(WORD_BITS + 2 - p->bits)),
		.right = _mm_cvtsi32_si128((int)p->bits - 2),
	};
	const uint64_t *x = a, *y = b;
	uint64_t *z = dst;

	for (size_t i = 0; i < n; i += WORDS)
		store_words(z + i, n - i, product(load_words(x + i, n - i), load_words(y + i, n - i), c));
}

/* --- multiply-accumulate: the sums of the low and of the high halves of the products, which is all that
 * reads the shard once can cost: memory gives it out more slowly. */

struct mac {
	void *const *out;
	const uint64_t *w;
	const void *const *x;
	size_t n, outputs, terms;
	size_t chunk; /* terms whose sum is below 2^104, and the low halves' below 2^64 */
	__m512i q, q_2, neg_q;
	struct constant low, high; /* c and c 2^52 mod q: the sum is multiplied by c */
};

/* low + high 2^52, times the constants: 2^-64 for mac, 1 for dot. */
INLINE __m512i redc(__m512i low, __m512i high, const struct mac *m)
{
	__m512i x;

	high = _mm512_add_epi64(high, _mm512_srli_epi64(low, WORD_BITS));
	x = add_shoup(_mm512_setzero_si512(), low, m->low.w, m->low.quotient, m->neg_q);
	x = low_bits(add_shoup(x, high, m->high.w, m->high.quotient, m->neg_q));
	return reduce_down(reduce_down(x, m->q_2), m->q);
}

/* 16 coefficients of one output, of `vectors` vectors (1 or 2) from v on. */
INLINE void row(const struct mac *m, const uint64_t *w, unsigned v, size_t o, size_t i, int vectors)
{
	const __m512i zero = _mm512_setzero_si512();
	__m512i sum[4] = {zero, zero, zero, zero};

	for (size_t begin = 0; begin < m->terms; begin += m->chunk) {
		const size_t end = m->terms - begin < m->chunk ? m->terms : begin + m->chunk;
		const uint64_t *x0 = (const uint64_t *)m->x[v] + i * m->terms;
		const uint64_t *x1 = (const uint64_t *)m->x[v + (unsigned)vectors - 1] + i * m->terms;
		__m512i low[4] = {zero, zero, zero, zero}, high[4] = {zero, zero, zero, zero};

		for (size_t t = begin * KERNELS_LANES; t < end * KERNELS_LANES; t += KERNELS_LANES) {
			UNROLL
			for (int half = 0; half < 2; half++) {
				const size_t at = t + (size_t)half * WORDS;
				const __m512i a = _mm512_loadu_si512(w + at), b = _mm512_loadu_si512(x0 + at);

				low[half] = mul_add_low(low[half], a, b);
				high[half] = mul_add_high(high[half], a, b);
				if (vectors > 1) {
					const __m512i c = _mm512_loadu_si512(x1 + at);

					low[2 + half] = mul_add_low(low[2 + half], a, c);
					high[2 + half] = mul_add_high(high[2 + half], a, c);
				}
			}
		}
		UNROLL
		for (int k = 0; k < 2 * vectors; k++)
			sum[k] = reduce_down(_mm512_add_epi64(sum[k], redc(low[k], high[k], m)), m->q);
	}
	UNROLL
	for (int k = 0; k < 2 * vectors; k++)
		_mm512_storeu_si512(
			(uint64_t *)m->out[v + (unsigned)k / 2] + o * m->n + i + k % 2 * WORDS, sum[k]);
}

/* How many products have a sum below 2^104, and the low halves' below 2^64. */
static size_t chunk_of(const struct kernels_prime *p)
{
	const uint128 square = (uint128)(p->q - 1) * (p->q - 1);
	const uint64_t fit = (uint64_t)((((uint128)1 << 104) - 1) / square), most = (uint64_t)1 << 12;

	return fit < most ? fit : most;
}

static void mac(void *const *out, const void *w, const void *const *x, unsigned vectors, size_t n,
	size_t outputs, size_t terms, const struct kernels_prime *p)
{
	/* R R^-1 = 1 + q (-q^-1 mod R) */
	const uint64_t inverse = u128_hi((uint128)p->q * p->neg_inv + 1);
	const uint64_t shifted = (uint64_t)(((uint128)inverse << WORD_BITS) % p->q);
	const struct mac m = {
		.out = out,
		.w = w,
		.x = x,
		.n = n,
		.outputs = outputs,
		.terms = terms,
		.chunk = chunk_of(p),
		.q = _mm512_set1_epi64((long long)p->q),
		.q_2 = _mm512_set1_epi64((long long)p->q * 2),
		.neg_q = negative(p->q),
		.low = constant_of(inverse, p->q),
		.high = constant_of(shifted, p->q),
	};
	const uint64_t *block = w;

	for (size_t i = 0; i < n; i += KERNELS_LANES) {
		for (size_t o = 0; o < outputs; o++, block += terms * KERNELS_LANES) {
			unsigned v = 0;

			for (; v + 2 <= vectors; v += 2)
				row(&m, block, v, o, i, 2);
			if (v < vectors)
				row(&m, block, v, o, i, 1);
		}
	}
}

/* --- sums of products of rows: the same sums, and the same reduction by other constants */

static void dot(void *dst, const void *const *a, const void *const *b, size_t terms, size_t n,
	const struct kernels_prime *p)
{
	const struct mac m = {
		.chunk = chunk_of(p),
		.q = _mm512_set1_epi64((long long)p->q),
		.q_2 = _mm512_set1_epi64((long long)p->q * 2),
		.neg_q = negative(p->q),
		.low = constant_of(1, p->q),
		.high = constant_of(((uint64_t)1 << WORD_BITS) % p->q, p->q),
	};

	for (size_t i = 0; i < n; i += WORDS) {
		__m512i sum = _mm512_setzero_si512();

		for (size_t t = 0; t < terms;) {
			const size_t end = terms - t < m.chunk ? terms : t + m.chunk;
			__m512i low = _mm512_setzero_si512(), high = low;

			for (; t < end; t++) {
				const __m512i x = load_words((const uint64_t *)a[t] + i, n - i);
				const __m512i y = load_words((const uint64_t *)b[t] + i, n - i);

				low = mul_add_low(low, x, y);
				high = mul_add_high(high, x, y);
			}
			sum = reduce_down(_mm512_add_epi64(sum, redc(low, high, &m)), m.q);
		}
		store_words((uint64_t *)dst + i, n - i, sum);
	}
}

void avx512_w52_select_products(struct kernels *k)
{
	k->mul = mul;
	k->mac = mac;
	k->dot = dot;
}
