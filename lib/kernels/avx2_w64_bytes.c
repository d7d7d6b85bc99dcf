/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx2_w64.h"

/* Words of 8 bytes from bytes. Each function does whole groups of the widths that it knows; the generic form
 * does the rest. */

static struct kernels generic(void)
{
	struct kernels k;

	kernels_generic_w8(&k);
	return k;
}

#define UNPACK_BITS 57 /* of a value at most: from any bit of a byte on it is in 8 bytes */

/* Eight values of b bits are b bytes. Two values come from either half: the second one's 8 bytes begin 8
 * bytes behind the first one's or before, so 16 hold them. */
static bool unpack(
	void *dst, const uint8_t *src, size_t n, unsigned bits, unsigned shift, const struct kernels_prime *p)
{
	const size_t size = (n * bits + 7) / 8, last = 6 * bits / 8 + 16;
	const __m256i q = all(p->q);
	const __m128i down = _mm_cvtsi32_si128((int)(64 - bits)), up = _mm_cvtsi32_si128((int)shift);
	_Alignas(32) uint8_t order[64];
	_Alignas(32) uint64_t skip[8];
	__m256i below = _mm256_set1_epi32(-1);
	uint64_t *z = dst;
	size_t i = 0, at = 0;

	for (unsigned j = 0; j < 8; j++) {
		const unsigned from = j * bits / 8 - j / 2 * 2 * bits / 8;

		for (unsigned k = 0; k < 8; k++)
			order[8 * j + k] = (uint8_t)(from + 7 - k);
		skip[j] = j * bits % 8;
	}
	for (; i + 8 <= n && at + last <= size && bits <= UNPACK_BITS; i += 8, at += bits) {
		UNROLL
		for (unsigned half = 0; half < 2; half++) {
			const uint8_t *low = src + at + 4 * half * bits / 8;
			const uint8_t *high = src + at + (4 * half + 2) * bits / 8;
			__m256i v = _mm256_shuffle_epi8(load_halves(low, high), load(order + 32 * half));

			v = _mm256_srl_epi64(_mm256_sllv_epi64(v, load(skip + 4 * half)), down);
			v = _mm256_sll_epi64(v, up);
			below = _mm256_and_si256(below, _mm256_cmpgt_epi64(q, v));
			store_any(z + i + 4 * half, v);
		}
	}
	/* no branch: of a secret key's residues even whether they are residues is secret
	 * (secret/key_message.c) */
	return (int)generic().unpack(z + i, src + at, n - i, bits, shift, p) &
	       (_mm256_movemask_epi8(below) == -1);
}

/* --- remainders of 128 bits, q < 2^56
 *
 * A number is four digits d of 32 bits; W = 2^(32 i) 2^29 mod q is L + H 2^29. The sum of the d L is below
 * 2^63, and a Montgomery step takes 29 zeros off it; with the sum of the d H, below 2^(bits+5), and what the
 * step adds, below 2^35 + 2^bits, that is less than 2^(bits+6), which is at most 128q. */

#define REMAINDER_BITS 56
#define DIGIT 29

struct remainder {
	__m256i even_low, even_high, odd_low, odd_high; /* digits 0, 2 and 1, 3 of two numbers */
	__m256i q_low, q_high, neg_inv, digit;
	__m256i multiples[7]; /* 64q to q */
};

INLINE __m256i two_products(__m256i even, __m256i odd, __m256i a, __m256i b)
{
	return _mm256_add_epi64(_mm256_mul_epu32(even, a), _mm256_mul_epu32(odd, b));
}

/* Sums of neighbours, in the order 0 2 1 3. */
INLINE __m256i add_neighbours(__m256i a, __m256i b)
{
	return _mm256_add_epi64(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
}

INLINE __m256i remainders(const uint8_t *bytes, const struct remainder *r)
{
	const __m256i a = load_any(bytes), b = load_any(bytes + 32), a1 = odd_lanes(a), b1 = odd_lanes(b);
	const __m256i low = add_neighbours(
		two_products(a, a1, r->even_low, r->odd_low), two_products(b, b1, r->even_low, r->odd_low));
	const __m256i high = add_neighbours(two_products(a, a1, r->even_high, r->odd_high),
		two_products(b, b1, r->even_high, r->odd_high));
	const __m256i m = _mm256_and_si256(_mm256_mul_epu32(low, r->neg_inv), r->digit);
	__m256i x = _mm256_srli_epi64(_mm256_add_epi64(low, _mm256_mul_epu32(m, r->q_low)), DIGIT);

	x = _mm256_add_epi64(_mm256_add_epi64(x, high), _mm256_mul_epu32(m, r->q_high));
	UNROLL
	for (int k = 0; k < 7; k++)
		x = less(x, r->multiples[k]);
	return _mm256_permute4x64_epi64(x, 0xd8);
}

static void remainder_of_wide(void *dst, const uint8_t *bytes, size_t n, const struct kernels_prime *p)
{
	const uint64_t digit = ((uint64_t)1 << DIGIT) - 1;
	struct remainder r = {.q_low = all(p->q & digit),
		.q_high = all(p->q >> DIGIT),
		.neg_inv = all(p->neg_inv & digit),
		.digit = all(digit)};
	uint64_t low[4], high[4], power = ((uint64_t)1 << DIGIT) % p->q, *z = dst;
	size_t i = 0;

	for (int k = 0; k < 4; k++) {
		low[k] = power & digit;
		high[k] = power >> DIGIT;
		power = (uint64_t)(((uint128)power << 32) % p->q);
	}
	r.even_low = _mm256_setr_epi64x((int64_t)low[0], (int64_t)low[2], (int64_t)low[0], (int64_t)low[2]);
	r.odd_low = _mm256_setr_epi64x((int64_t)low[1], (int64_t)low[3], (int64_t)low[1], (int64_t)low[3]);
	r.even_high =
		_mm256_setr_epi64x((int64_t)high[0], (int64_t)high[2], (int64_t)high[0], (int64_t)high[2]);
	r.odd_high =
		_mm256_setr_epi64x((int64_t)high[1], (int64_t)high[3], (int64_t)high[1], (int64_t)high[3]);
	for (unsigned k = 0; k < 7 && p->bits <= REMAINDER_BITS; k++)
		r.multiples[k] = all(p->q << (6 - k));
	for (; i + 4 <= n && p->bits <= REMAINDER_BITS; i += 4, bytes += 64)
		store_any(z + i, remainders(bytes, &r));
	generic().remainder(z + i, bytes, n - i, p);
}

void kernels_avx2_w64_bytes(struct kernels *k)
{
	k->unpack = unpack;
	k->remainder = remainder_of_wide;
}
