/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx2_apply.h"
#include "kernels/avx2_w64_fma.h"

/* 2^31 < q < 2^50: products of arrays, on doubles. */

/* --- mul */

struct constants {
	__m256d q, inverse_q;
	__m256i integer_q;
};

/* A product of two residues: as in avx2_w64_fma.h, but RN(b RN(1/q)) is within 2^-52 of b/q, so the result is
 * below 3q/4 for q < 2^50. */
INLINE void mul_chains(__m256i *a, const __m256i *b, int count, const void *constants)
{
	const struct constants *c = constants;
	__m256d x[CHAINS], y[CHAINS], h[CHAINS];

	UNROLL
	for (int k = 0; k < count; k++) {
		x[k] = fma_enter(a[k]);
		y[k] = fma_enter(b[k]);
	}
	UNROLL
	for (int k = 0; k < count; k++) {
		h[k] = _mm256_mul_pd(y[k], c->inverse_q);
	}
	UNROLL
	for (int k = 0; k < count; k++) {
		h[k] = fma_nearest(x[k], h[k]);
	}
	UNROLL
	for (int k = 0; k < count; k++) {
		const __m256d top = _mm256_mul_pd(x[k], y[k]);

		y[k] = _mm256_fmsub_pd(x[k], y[k], top);
		x[k] = top;
	}
	UNROLL
	for (int k = 0; k < count; k++)
		x[k] = _mm256_fnmadd_pd(h[k], c->q, x[k]);
	UNROLL
	for (int k = 0; k < count; k++)
		a[k] = fma_leave(_mm256_add_pd(x[k], y[k]), c->integer_q);
}

static void mul(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	const struct constants c = {
		_mm256_set1_pd((double)p->q), _mm256_set1_pd(1.0 / (double)p->q), all(p->q)};

	apply_chains(mul_chains, 4, dst, a, b, 2 * n, &c);
}

/* --- mul for 2^50 < q < 2^56: a b - c q modulo 2^64, the quotient c by doubles
 *
 * With a and b as doubles without their last four bits, c' is 1/16 of the quotient, low by 30/16 for what
 * they lack, and off by 1/2 for the rounding to an integer and by 2^-52 c' < 1 for those of doubles: a b - 16
 * q c' is in (-24q, 55q). With 24q added it is below 2^63, and its quotient as a double is right to the
 * nearest. */

#define MIDDLE_BITS 56
#define LOST 4 /* bits */
#define REST 11 /* bits that the rest loses to be a double: 79q < 2^63 */

struct middle {
	__m256d inverse, rest_inverse; /* 2^LOST / q, 2^REST / q */
	__m256i q, q_high;
	__m256i times, times_swapped; /* q 2^LOST, its halves exchanged */
	__m256i bias;
};

INLINE __m256d enter_without(__m256i x, int bits)
{
	return fma_enter(_mm256_srli_epi64(x, bits));
}

/* The integer nearest to a b, below 2^52, in the low bits of what begins with 0x433. */
INLINE __m256i nearest_bits(__m256d a, __m256d b)
{
	return _mm256_castpd_si256(_mm256_fmadd_pd(a, b, _mm256_set1_pd(0x1p52)));
}

/* The high halves of products modulo 2^64 lack those of halves: lanes of 32 bits, to be added. */
INLINE __m256i add_crossed(__m256i x, __m256i crossed)
{
	const __m256i high = _mm256_blend_epi32(_mm256_setzero_si256(), crossed, 0xaa);

	return _mm256_add_epi64(x, _mm256_add_epi64(high, _mm256_slli_epi64(crossed, 32)));
}

INLINE void middle_chains(__m256i *a, const __m256i *b, int count, const void *constants)
{
	const struct middle *m = constants;
	__m256i c[CHAINS], crossed[CHAINS];

	UNROLL
	for (int k = 0; k < count; k++)
		c[k] = nearest_bits(
			enter_without(a[k], LOST), _mm256_mul_pd(enter_without(b[k], LOST), m->inverse));
	UNROLL
	for (int k = 0; k < count; k++) {
		crossed[k] = _mm256_sub_epi32(_mm256_mullo_epi32(a[k], _mm256_shuffle_epi32(b[k], 0xb1)),
			_mm256_mullo_epi32(c[k], m->times_swapped));
		a[k] = _mm256_add_epi64(_mm256_mul_epu32(a[k], b[k]), m->bias);
		a[k] = _mm256_sub_epi64(a[k], _mm256_mul_epu32(c[k], m->times));
		a[k] = add_crossed(a[k], crossed[k]);
	}
	UNROLL
	for (int k = 0; k < count; k++)
		c[k] = nearest_bits(enter_without(a[k], REST), m->rest_inverse);
	UNROLL
	for (int k = 0; k < count; k++) {
		a[k] = _mm256_sub_epi64(a[k], _mm256_mul_epu32(c[k], m->q));
		a[k] = _mm256_sub_epi64(a[k], _mm256_slli_epi64(_mm256_mul_epu32(c[k], m->q_high), 32));
		a[k] = by_sign(a[k], a[k], _mm256_add_epi64(a[k], m->q));
	}
}

static void mul_middle(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	const uint64_t times = p->q << LOST, exponent = (uint64_t)0x43300000;
	const struct middle m = {
		.inverse = _mm256_set1_pd(0x1p4 / (double)p->q),
		.rest_inverse = _mm256_set1_pd(0x1p11 / (double)p->q),
		.q = all(p->q),
		.q_high = all(p->q >> 32),
		.times = all(times),
		.times_swapped = all(times >> 32 | times << 32),
		/* c begins with an exponent, which its halves' products take for a part of it */
		.bias = all(24 * p->q + (exponent * times << 32)),
	};

	REQUIRE(p->bits <= MIDDLE_BITS);
	apply_chains(middle_chains, 2, dst, a, b, 2 * n, &m);
}

/* --- multiply-accumulate
 *
 * A product w x < 2^100 in two parts: added to 2^103, whose last place is worth 2^51, it is rounded to h
 * 2^51, with h <= 2^49; what is left, |l| <= 2^50, is exact beside 1.5 2^52. The bits of both doubles are
 * added as integers, where they count h and l above what the bits of the two constants are: 4096 products
 * make h's sum at most 2^61 and l's at most 2^62. */

#define CHUNK 256

#define HIGH 0x1p103
#define LOW 0x1.8p52

static uint64_t bits_of(double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof bits);
	return bits;
}

/* What brings sums to a residue times 2^-64: with sums H, L + 2^62 of digits of 32 bits,
 * H1 2^19 + H0 2^-13 + L1 2^-32 + L0 2^-64 - 2^-2. */
struct reduction {
	struct constants c;
	__m256d w[4], quotient[4];
	__m256d bias;
};

/* x 2^-count mod q */
static uint64_t halve(uint64_t x, unsigned count, uint64_t q)
{
	for (unsigned i = 0; i < count; i++)
		x = (x >> 1) + (x & 1) * (q / 2 + 1);
	return x;
}

static struct reduction reduction_of(const struct kernels_prime *p)
{
	const uint64_t q = p->q;
	const uint64_t w[4] = {(uint64_t)1 << 19, halve(1, 13, q), halve(1, 32, q), halve(1, 64, q)};
	struct reduction r = {
		.c = {_mm256_set1_pd((double)q), _mm256_set1_pd(1.0 / (double)q), all(q)},
		.bias = _mm256_set1_pd((double)halve(1, 2, q)),
	};

	for (int k = 0; k < 4; k++) {
		double centred = w[k] > q / 2 ? -(double)(q - w[k]) : (double)w[k];

		r.w[k] = _mm256_set1_pd(centred);
		r.quotient[k] = _mm256_set1_pd(centred / (double)q);
	}
	return r;
}

INLINE __m256d part(__m256i digit, int k, const struct reduction *r)
{
	return fma_product(fma_enter(digit), r->w[k], r->quotient[k], r->c.q);
}

/* The sums of `terms` products. Four parts of at most q/2 + 1 and the bias: below 3q + 4. */
static inline __m256i reduce_sums(__m256i high, __m256i low, size_t terms, const struct reduction *r)
{
	const __m256i digit = all(UINT32_MAX);
	__m256d x, y;

	high = _mm256_sub_epi64(high, all(terms * bits_of(HIGH)));
	low = _mm256_sub_epi64(low, all(terms * bits_of(LOW) - ((uint64_t)1 << 62)));
	x = _mm256_add_pd(part(_mm256_srli_epi64(high, 32), 0, r), part(_mm256_and_si256(high, digit), 1, r));
	y = _mm256_add_pd(part(_mm256_srli_epi64(low, 32), 2, r), part(_mm256_and_si256(low, digit), 3, r));
	x = _mm256_sub_pd(_mm256_add_pd(x, y), r->bias);
	return fma_leave(fma_settle(x, r->c.inverse_q, r->c.q), r->c.integer_q);
}

/* Adds `terms` products of each of 16 lanes, at most CHUNK. */
INLINE void add_products(
	__m256i h[4], __m256i l[4], const uint64_t *w, const uint64_t *x, size_t terms, bool entered)
{
	const __m256d high = _mm256_set1_pd(HIGH), both = _mm256_set1_pd(HIGH + LOW);

	for (size_t t = 0; t < terms; t++, w += KERNELS_LANES, x += KERNELS_LANES) {
		UNROLL
		for (int k = 0; k < 4; k++) {
			const __m256i y = load(x + 4 * k);
			const __m256d a = fma_enter(load(w + 4 * k)),
				      b = entered ? _mm256_castsi256_pd(y) : fma_enter(y);
			const __m256d top = _mm256_fmadd_pd(a, b, high);
			const __m256d rest = _mm256_fmadd_pd(a, b, _mm256_sub_pd(both, top));

			h[k] = _mm256_add_epi64(h[k], _mm256_castpd_si256(top));
			l[k] = _mm256_add_epi64(l[k], _mm256_castpd_si256(rest));
		}
	}
}

/* One block of one output; more than CHUNK terms in several goes. x holds doubles if they were entered once
 * for all outputs. */
static void block(uint64_t *out, const uint64_t *w, const uint64_t *x, size_t terms, bool entered,
	const struct reduction *r)
{
	__m256i result[4] = {0};

	for (size_t done = 0, count; done < terms; done += count) {
		const size_t from = done * KERNELS_LANES;
		__m256i h[4] = {0}, l[4] = {0};

		count = terms - done < CHUNK ? terms - done : CHUNK;
		if (entered)
			add_products(h, l, w + from, x + from, count, true);
		else
			add_products(h, l, w + from, x + from, count, false);
		UNROLL
		for (int k = 0; k < 4; k++)
			result[k] = less(_mm256_add_epi64(result[k], reduce_sums(h[k], l[k], count, r)),
				r->c.integer_q);
	}
	UNROLL
	for (int k = 0; k < 4; k++)
		store(out + 4 * k, result[k]);
}

#define COPY_TERMS 64 /* of all vectors together */

static void mac(void *const *out, const void *w, const void *const *x, unsigned vectors, size_t n,
	size_t outputs, size_t terms, const struct kernels_prime *p)
{
	const struct reduction r = reduction_of(p);
	const size_t words = terms * KERNELS_LANES;
	const bool entered = terms * vectors <= COPY_TERMS;
	_Alignas(64) uint64_t copy[COPY_TERMS * KERNELS_LANES];
	const uint64_t *shard = w, *from[KERNELS_MAC_VECTORS];

	for (size_t i = 0; i < n; i += KERNELS_LANES) {
		for (unsigned v = 0; v < vectors; v++) {
			from[v] = (const uint64_t *)x[v] + i * terms;
			if (!entered)
				continue;
			for (size_t k = 0; k < words; k += 4)
				store(copy + v * words + k,
					_mm256_castpd_si256(fma_enter(load(from[v] + k))));
			from[v] = copy + v * words;
		}
		for (size_t o = 0; o < outputs; o++, shard += words)
			for (unsigned v = 0; v < vectors; v++)
				block((uint64_t *)out[v] + o * n + i, shard, from[v], terms, entered, &r);
	}
}

void kernels_avx2_w64_fma_arrays(struct kernels *k, unsigned q_bits)
{
	if (q_bits > 50) {
		k->mul = q_bits <= MIDDLE_BITS ? mul_middle : k->mul;
		return;
	}
	k->mul = mul;
	k->mac = mac;
}
