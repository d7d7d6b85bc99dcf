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
INLINE __m256i mul_lanes(__m256i a, __m256i b, const void *constants)
{
	const struct constants *c = constants;
	const __m256d x = fma_enter(a), y = fma_enter(b);

	return fma_leave(fma_product(x, y, _mm256_mul_pd(y, c->inverse_q), c->q), c->integer_q);
}

static void mul(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	const struct constants c = {
		_mm256_set1_pd((double)p->q), _mm256_set1_pd(1.0 / (double)p->q), all(p->q)};

	apply(mul_lanes, dst, a, b, 2 * n, &c);
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
	if (q_bits > 50)
		return;
	k->mul = mul;
	k->mac = mac;
}
