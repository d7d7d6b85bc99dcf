/* SPDX-License-Identifier: Apache-2.0 */
#include "base/u128.h"
#include "kernels/avx2.h"
#include "kernels/forms.h"

/* The multiply-accumulate. A block of 16 coefficients is two halves of eight lanes; even and odd lanes
 * multiply separately into sums of 64 bits. Two outputs and two vectors at a time: eight sums live in
 * registers, each x is loaded for two outputs, each w for two vectors. The odd lanes of x are moved down once
 * a block, into a copy; a shift each time would cost a fifth. */

#define COPY_TERMS 256 /* of all vectors together; 16 KiB. Beyond, odd lanes are shifted each time. */

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

/* What eight lanes of up to two vectors are multiplied with: [terms][16] words each, and their odd lanes. */
struct operand {
	const uint32_t *x0, *x1, *odd0, *odd1;
};

/* Eight lanes of up to two outputs (w0, w1) and two vectors; out[2 * output + vector]. */
static inline __attribute__((always_inline)) void half_block(uint32_t *const out[4], const uint32_t *w0,
	const uint32_t *w1, struct operand x, size_t terms, int outputs, int vectors, bool copied,
	const struct reduction *r)
{
	const __m256i zero = _mm256_setzero_si256();
	__m256i even00 = zero, odd00 = zero, even01 = zero, odd01 = zero;
	__m256i even10 = zero, odd10 = zero, even11 = zero, odd11 = zero;

	for (size_t i = 0; i < terms * KERNELS_LANES; i += KERNELS_LANES) {
		const __m256i a = load(w0 + i), a_odd = odd_lanes(a);
		const __m256i b = outputs > 1 ? load(w1 + i) : zero, b_odd = odd_lanes(b);
		const __m256i y0 = load(x.x0 + i), y0_odd = copied ? load(x.odd0 + i) : odd_lanes(y0);

		even00 = mul_add(even00, a, y0);
		odd00 = mul_add(odd00, a_odd, y0_odd);
		if (outputs > 1) {
			even10 = mul_add(even10, b, y0);
			odd10 = mul_add(odd10, b_odd, y0_odd);
		}
		if (vectors > 1) {
			const __m256i y1 = load(x.x1 + i), y1_odd = copied ? load(x.odd1 + i) : odd_lanes(y1);

			even01 = mul_add(even01, a, y1);
			odd01 = mul_add(odd01, a_odd, y1_odd);
			if (outputs > 1) {
				even11 = mul_add(even11, b, y1);
				odd11 = mul_add(odd11, b_odd, y1_odd);
			}
		}
	}
	store(out[0], redc(even00, odd00, r));
	if (vectors > 1)
		store(out[1], redc(even01, odd01, r));
	if (outputs > 1)
		store(out[2], redc(even10, odd10, r));
	if (outputs > 1 && vectors > 1)
		store(out[3], redc(even11, odd11, r));
}

/* The arguments of one call, and where it stands. */
struct mac {
	void *const *out;
	const void *const *x;
	unsigned vectors;
	size_t n, outputs, terms, block; /* block: index of the first coefficient */
	uint32_t *odd; /* [vectors][terms][16], or NULL */
	struct reduction r;
};

/* Outputs o and o + 1, vectors v and v + 1 of this block. */
static inline __attribute__((always_inline)) void tile(
	const struct mac *m, const uint32_t *w, size_t o, unsigned v, int outputs, int vectors, bool copied)
{
	const size_t words = m->terms * KERNELS_LANES;
	const unsigned v1 = v + (unsigned)vectors - 1;
	const size_t o1 = o + (size_t)outputs - 1;

	for (size_t half = 0; half < KERNELS_LANES; half += 8) {
		const size_t at = m->block * m->terms + half;
		const struct operand x = {
			.x0 = (const uint32_t *)m->x[v] + at,
			.x1 = (const uint32_t *)m->x[v1] + at,
			.odd0 = copied ? m->odd + v * words + half : NULL,
			.odd1 = copied ? m->odd + v1 * words + half : NULL,
		};
		uint32_t *const out[4] = {
			(uint32_t *)m->out[v] + o * m->n + m->block + half,
			(uint32_t *)m->out[v1] + o * m->n + m->block + half,
			(uint32_t *)m->out[v] + o1 * m->n + m->block + half,
			(uint32_t *)m->out[v1] + o1 * m->n + m->block + half,
		};

		half_block(out, w + half, w + words + half, x, m->terms, outputs, vectors, copied, &m->r);
	}
}

static inline __attribute__((always_inline)) void block(const struct mac *m, const uint32_t *w, bool copied)
{
	const size_t words = m->terms * KERNELS_LANES;
	size_t o = 0;
	unsigned v;

	for (; o + 2 <= m->outputs; o += 2, w += 2 * words) {
		for (v = 0; v + 2 <= m->vectors; v += 2)
			tile(m, w, o, v, 2, 2, copied);
		if (v < m->vectors)
			tile(m, w, o, v, 2, 1, copied);
	}
	if (o < m->outputs) {
		for (v = 0; v + 2 <= m->vectors; v += 2)
			tile(m, w, o, v, 1, 2, copied);
		if (v < m->vectors)
			tile(m, w, o, v, 1, 1, copied);
	}
}

static void mac(void *const *out, const void *w, const void *const *x, unsigned vectors, size_t n,
	size_t outputs, size_t terms, const struct kernels_prime *p)
{
	_Alignas(64) uint32_t odd[COPY_TERMS * KERNELS_LANES];
	const size_t words = terms * KERNELS_LANES;
	const bool copied = terms * vectors <= COPY_TERMS;
	struct mac m = {.out = out,
		.x = x,
		.vectors = vectors,
		.n = n,
		.outputs = outputs,
		.terms = terms,
		.odd = odd};
	const uint32_t *shard = w;

	m.r.q = _mm256_set1_epi32((int)p->q);
	m.r.neg_inv = _mm256_set1_epi32((int)p->neg_inv);
	m.r.mont_one = _mm256_set1_epi32((int)p->mont_one);
	m.r.small = (uint128)terms * (p->q - 1) * (p->q - 1) < (uint128)p->q << 32;
	for (m.block = 0; m.block < n; m.block += KERNELS_LANES, shard += outputs * words) {
		if (copied) {
			for (unsigned v = 0; v < vectors; v++)
				for (size_t i = 0; i < words; i += 8)
					store(odd + v * words + i, odd_lanes(load((const uint32_t *)x[v] +
										  m.block * terms + i)));
			block(&m, shard, true);
		} else {
			block(&m, shard, false);
		}
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
