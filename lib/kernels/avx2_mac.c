/* SPDX-License-Identifier: Apache-2.0 */
#include "base/u128.h"
#include "kernels/avx2.h"
#include "kernels/forms.h"

/* The multiply-accumulate. Even and odd lanes multiply separately into sums of 64 bits: for 16 coefficients
 * of two vectors eight sums, which live in registers. The shard is read in its order, once; two outputs at a
 * time would save loads of x, but were slower, from DRAM by a third. */

#define COPY_TERMS 32 /* of all vectors together: the odd lanes of so many are moved down once a block */
#define AHEAD                                                                                              \
	4096 /* bytes: from DRAM a third faster than what the processor fetches by itself, elsewhere equal \
	      */

struct reduction {
	__m256i q, neg_inv, mont_one;
	bool small; /* sums are below q 2^32 */
};

/* Sums to 2^-32 times them mod q: generic_body.h, mac_block and redc. */
static inline __m256i redc(__m256i even, __m256i odd, const struct reduction *r)
{
	if (!r->small) {
		const __m256i zero = _mm256_setzero_si256();

		even = _mm256_add_epi64(
			_mm256_mul_epu32(odd_lanes(even), r->mont_one), _mm256_blend_epi32(even, zero, 0xaa));
		odd = _mm256_add_epi64(
			_mm256_mul_epu32(odd_lanes(odd), r->mont_one), _mm256_blend_epi32(odd, zero, 0xaa));
	}
	even = _mm256_add_epi64(even, _mm256_mul_epu32(_mm256_mul_epu32(even, r->neg_inv), r->q));
	odd = _mm256_add_epi64(odd, _mm256_mul_epu32(_mm256_mul_epu32(odd, r->neg_inv), r->q));
	return reduce(high_words(even, odd), r->q);
}

static inline __m256i mul_add(__m256i sum, __m256i a, __m256i b)
{
	return _mm256_add_epi64(sum, _mm256_mul_epu32(a, b));
}

/* Where the lanes of a vector are, and its odd lanes if they were copied: [terms][16] words. */
struct operand {
	const uint32_t *x, *odd;
};

/* One block of one output for one or two vectors. */
static inline __attribute__((always_inline)) void block(uint32_t *out0, uint32_t *out1, const uint32_t *w,
	struct operand x0, struct operand x1, size_t terms, bool two, bool copied, const struct reduction *r)
{
	const __m256i zero = _mm256_setzero_si256();
	__m256i even00 = zero, odd00 = zero, even01 = zero, odd01 = zero;
	__m256i even10 = zero, odd10 = zero, even11 = zero, odd11 = zero;

	for (size_t i = 0; i < terms * KERNELS_LANES; i += KERNELS_LANES) {
		__m256i a = load(w + i), a_odd = odd_lanes(a), b = load(w + i + 8), b_odd = odd_lanes(b), y;

		_mm_prefetch((const char *)(w + i) + AHEAD, _MM_HINT_T0);
		y = load(x0.x + i);
		even00 = mul_add(even00, a, y);
		odd00 = mul_add(odd00, a_odd, copied ? load(x0.odd + i) : odd_lanes(y));
		y = load(x0.x + i + 8);
		even01 = mul_add(even01, b, y);
		odd01 = mul_add(odd01, b_odd, copied ? load(x0.odd + i + 8) : odd_lanes(y));
		if (two) {
			y = load(x1.x + i);
			even10 = mul_add(even10, a, y);
			odd10 = mul_add(odd10, a_odd, copied ? load(x1.odd + i) : odd_lanes(y));
			y = load(x1.x + i + 8);
			even11 = mul_add(even11, b, y);
			odd11 = mul_add(odd11, b_odd, copied ? load(x1.odd + i + 8) : odd_lanes(y));
		}
	}
	store(out0, redc(even00, odd00, r));
	store(out0 + 8, redc(even01, odd01, r));
	if (two) {
		store(out1, redc(even10, odd10, r));
		store(out1 + 8, redc(even11, odd11, r));
	}
}

/* The same block of all outputs. */
static inline __attribute__((always_inline)) void blocks(uint32_t *const *out, const uint32_t *w,
	const struct operand *x, unsigned vectors, size_t n, size_t outputs, size_t terms, bool copied,
	const struct reduction *r)
{
	for (size_t o = 0; o < outputs; o++, w += terms * KERNELS_LANES) {
		unsigned v = 0;

		for (; v + 2 <= vectors; v += 2)
			block(out[v] + o * n, out[v + 1] + o * n, w, x[v], x[v + 1], terms, true, copied, r);
		if (v < vectors)
			block(out[v] + o * n, NULL, w, x[v], x[v], terms, false, copied, r);
	}
}

static void mac(void *const *out, const void *w, const void *const *x, unsigned vectors, size_t n,
	size_t outputs, size_t terms, const struct kernels_prime *p)
{
	const size_t words = terms * KERNELS_LANES;
	const bool copied = terms * vectors <= COPY_TERMS;
	const struct reduction r = {
		.q = _mm256_set1_epi32((int)p->q),
		.neg_inv = _mm256_set1_epi32((int)p->neg_inv),
		.mont_one = _mm256_set1_epi32((int)p->mont_one),
		.small = (uint128)terms * (p->q - 1) * (p->q - 1) < (uint128)p->q << 32,
	};
	_Alignas(64) uint32_t odd[COPY_TERMS * KERNELS_LANES];
	const uint32_t *shard = w;

	for (size_t i = 0; i < n; i += KERNELS_LANES, shard += outputs * words) {
		struct operand from[KERNELS_MAC_VECTORS];
		uint32_t *to[KERNELS_MAC_VECTORS];

		for (unsigned v = 0; v < vectors; v++) {
			to[v] = (uint32_t *)out[v] + i;
			from[v].x = (const uint32_t *)x[v] + i * terms;
			from[v].odd = copied ? odd + v * words : NULL;
			for (size_t k = 0; copied && k < words; k += 8)
				store(odd + v * words + k, odd_lanes(load(from[v].x + k)));
		}
		if (copied)
			blocks(to, shard, from, vectors, n, outputs, terms, true, &r);
		else
			blocks(to, shard, from, vectors, n, outputs, terms, false, &r);
	}
}

static void interleave(void *dst, const void *src, size_t n, size_t terms, size_t t)
{
	const uint32_t *from = src;
	uint32_t *to = (uint32_t *)dst + t * KERNELS_LANES;

	for (size_t i = 0; i < n; i += KERNELS_LANES, to += terms * KERNELS_LANES) {
		store(to, load(from + i));
		store(to + 8, load(from + i + 8));
	}
}

/* --- fold */

static inline __m256i add(__m256i a, __m256i b, __m256i q)
{
	return reduce(_mm256_add_epi32(a, b), q);
}

/* Sums of neighbours; in each half first those of a, then those of b. */
static inline __m256i add_neighbours(__m256i a, __m256i b, __m256i q)
{
	const __m256 x = _mm256_castsi256_ps(a), y = _mm256_castsi256_ps(b);

	return add(_mm256_castps_si256(_mm256_shuffle_ps(x, y, 0x88)),
		_mm256_castps_si256(_mm256_shuffle_ps(x, y, 0xdd)), q);
}

/* Each half: the sums of the halves of a, b, c, d. */
static inline __m256i add_fours(__m256i a, __m256i b, __m256i c, __m256i d, __m256i q)
{
	return add_neighbours(add_neighbours(a, b, q), add_neighbours(c, d, q), q);
}

/* The sum of `count` words as eight sums; count a multiple of 8. */
static inline __m256i add_vectors(const uint32_t *x, size_t count, __m256i q)
{
	__m256i sum = load(x);

	for (size_t i = 8; i < count; i += 8)
		sum = add(sum, load(x + i), q);
	return sum;
}

/* Eight results. */
static inline __m256i fold_eight(const uint32_t *x, size_t count, __m256i q)
{
	const __m256i spread = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
	__m256i low, high;

	if (count == 2)
		return _mm256_permute4x64_epi64(add_neighbours(load(x), load(x + 8), q), 0xd8);
	if (count == 4)
		return _mm256_permutevar8x32_epi32(
			add_fours(load(x), load(x + 8), load(x + 16), load(x + 24), q), spread);
	low = add_fours(add_vectors(x, count, q), add_vectors(x + count, count, q),
		add_vectors(x + 2 * count, count, q), add_vectors(x + 3 * count, count, q), q);
	x += 4 * count;
	high = add_fours(add_vectors(x, count, q), add_vectors(x + count, count, q),
		add_vectors(x + 2 * count, count, q), add_vectors(x + 3 * count, count, q), q);
	return add(_mm256_permute2x128_si256(low, high, 0x20), _mm256_permute2x128_si256(low, high, 0x31), q);
}

static void fold(void *dst, const void *src, size_t n, size_t count, const struct kernels_prime *p)
{
	const __m256i q = _mm256_set1_epi32((int)p->q);
	const uint32_t *x = src;
	uint32_t *z = dst;

	if (count == 1 || n / count < 8) {
		struct kernels generic;

		kernels_generic_w4(&generic);
		generic.fold(dst, src, n, count, p);
		return;
	}
	for (size_t i = 0; i < n / count; i += 8)
		store(z + i, fold_eight(x + i * count, count, q));
}

void kernels_avx2_mac(struct kernels *k)
{
	k->mac = mac;
	k->interleave = interleave;
	k->fold = fold;
}
