/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/avx2.h"
#include "kernels/forms.h"

/* Residues of 32 bits to and from bytes, eight at a time: eight values of b bits are b bytes. Each function
 * does the groups that it may read or write 16 bytes at a time; the generic form does the rest. */

static struct kernels generic(void)
{
	struct kernels k;

	kernels_generic_w4(&k);
	return k;
}

/* Four values come from either half: value j starts `position` bits into its 16 bytes and spans five bytes at
 * most, of which the fifth is inside the half where it is needed. */
static bool unpack(
	void *dst, const uint8_t *src, size_t n, unsigned bits, unsigned shift, const struct kernels_prime *p)
{
	const size_t size = (n * bits + 7) / 8, half = bits / 2;
	const __m256i q = _mm256_set1_epi32((int)p->q);
	const __m128i down = _mm_cvtsi32_si128((int)(32 - bits)), up = _mm_cvtsi32_si128((int)shift);
	_Alignas(32) uint8_t order[32], fifth[32];
	_Alignas(32) uint32_t skip[8], left[8];
	__m256i below = _mm256_set1_epi32(-1);
	uint32_t *z = dst;
	size_t i = 0, at = 0;

	for (unsigned j = 0; j < 8; j++) {
		unsigned position = j * bits - (j < 4 ? 0 : 8 * (unsigned)half);

		for (unsigned k = 0; k < 4; k++) {
			order[4 * j + k] = (uint8_t)(position / 8 + 3 - k);
			fifth[4 * j + k] = 0x80; /* zero */
		}
		skip[j] = position % 8;
		left[j] = 8 - skip[j];
		if (skip[j] + bits > 32)
			fifth[4 * j] = (uint8_t)(position / 8 + 4);
	}
	for (; i + 8 <= n && at + half + 16 <= size; i += 8, at += bits) {
		const __m256i bytes = load_halves(src + at, src + at + half);
		__m256i v = _mm256_sllv_epi32(_mm256_shuffle_epi8(bytes, load(order)), load(skip));

		v = _mm256_or_si256(
			v, _mm256_srlv_epi32(_mm256_shuffle_epi8(bytes, load(fifth)), load(left)));
		v = _mm256_sll_epi32(_mm256_srl_epi32(v, down), up);
		below = _mm256_and_si256(below, _mm256_cmpgt_epi32(q, v));
		store_any(z + i, v);
	}
	/* no branch: of a secret key's residues even whether they are residues is secret
	 * (secret/key_message.c) */
	return (int)generic().unpack(z + i, src + at, n - i, bits, shift, p) &
	       (_mm256_movemask_epi8(below) == -1);
}

/* Pairs of values side by side in 64 bits, aligned to the top, the bytes turned round: where b is a multiple
 * of 4 a pair has whole bytes. The bytes after a half are zero and written over by what follows. */
static void pack(uint8_t *dst, const void *src, size_t n, unsigned bits)
{
	const size_t size = (n * bits + 7) / 8, half = bits / 2, pair = bits / 4;
	const __m128i by = _mm_cvtsi32_si128((int)bits), top = _mm_cvtsi32_si128((int)(64 - 2 * bits));
	_Alignas(32) uint8_t order[32];
	const uint32_t *x = src;
	size_t i = 0, at = 0;

	if (bits % 4 || bits > 28) {
		generic().pack(dst, src, n, bits);
		return;
	}
	for (size_t j = 0; j < 16; j++) {
		order[j] = j < pair ? (uint8_t)(7 - j) : j < half ? (uint8_t)(15 + pair - j) : 0x80;
		order[16 + j] = order[j];
	}
	for (; i + 8 <= n && at + half + 16 <= size; i += 8, at += bits) {
		__m256i v = load_any(x + i);
		__m256i first = _mm256_blend_epi32(v, _mm256_setzero_si256(), 0xaa);

		v = _mm256_or_si256(_mm256_sll_epi64(first, by), odd_lanes(v));
		v = _mm256_shuffle_epi8(_mm256_sll_epi64(v, top), load(order));
		_mm_storeu_si128((__m128i *)(dst + at), _mm256_castsi256_si128(v));
		_mm_storeu_si128((__m128i *)(dst + at + half), _mm256_extracti128_si256(v, 1));
	}
	generic().pack(dst + at, x + i, n - i, bits);
}

/* The quotient by the generic form's multiplication. For q < 2^30 its estimate is less than 1/2 + 1 low, so
 * that what it leaves is below 2q and a signed lane holds it. */
static void round_to_bits(void *dst, const void *a, size_t n, unsigned bits, const struct kernels_prime *p)
{
	const __m256i scale = _mm256_set1_epi32((int)(uint32_t)(((uint64_t)1 << (bits + 31)) / p->q));
	const __m256i q = _mm256_set1_epi32((int)p->q), largest = _mm256_set1_epi32((int)p->q - 1);
	const __m256i half = _mm256_set1_epi32((int)(p->q / 2)),
		      mask = _mm256_set1_epi32((int)((1u << bits) - 1));
	const __m128i by = _mm_cvtsi32_si128((int)bits);
	const uint32_t *x = a;
	uint32_t *z = dst;
	size_t i = 0;

	for (; i + 8 <= n && p->bits <= 30; i += 8) {
		__m256i v = load_any(x + i);
		__m256i even = _mm256_srli_epi64(_mm256_mul_epu32(v, scale), 31);
		__m256i odd = _mm256_slli_epi64(_mm256_mul_epu32(odd_lanes(v), scale), 1);
		__m256i quotient = _mm256_blend_epi32(even, odd, 0xaa);
		__m256i rest = _mm256_sub_epi32(
			_mm256_add_epi32(_mm256_sll_epi32(v, by), half), _mm256_mullo_epi32(quotient, q));

		/* a comparison that holds is -1 */
		quotient = _mm256_sub_epi32(quotient, _mm256_cmpgt_epi32(rest, largest));
		store_any(z + i, _mm256_and_si256(quotient, mask));
	}
	generic().round(z + i, x + i, n - i, bits, p);
}

/* Eight candidates at once where all are below q; primes that are just below a power of two make that the
 * rule. */
static void uniform(void *dst, size_t n, size_t *filled, const uint8_t *bytes, size_t words,
	const struct kernels_prime *p)
{
	const __m256i mask = _mm256_set1_epi32((int)(((uint64_t)1 << p->bits) - 1)),
		      q = _mm256_set1_epi32((int)p->q);
	const struct kernels one = generic();
	size_t count = *filled, i = 0;

	for (; i + 8 <= words && count + 8 <= n; i += 8) {
		__m256i v = load_any(bytes + 4 * i);

		v = _mm256_and_si256(v, mask);
		if (_mm256_movemask_epi8(_mm256_cmpgt_epi32(q, v)) == -1) {
			store_any((uint32_t *)dst + count, v);
			count += 8;
		} else {
			one.uniform(dst, n, &count, bytes + 4 * i, 8, p);
		}
	}
	one.uniform(dst, n, &count, bytes + 4 * i, words - i, p);
	*filled = count;
}

struct remainder {
	__m256i powers; /* 2^32, 2^64, 2^96, 2^128 mod q, twice */
	__m256i one, q, q_high, neg_inv;
};

/* Two numbers of four words each: the sum of the words times their powers, as two halves, each below 2^32 q.
 */
static inline __m256i fold_words(__m256i words, const struct remainder *r)
{
	__m256i sum = _mm256_add_epi64(
		_mm256_mul_epu32(words, r->powers), _mm256_mul_epu32(odd_lanes(words), odd_lanes(r->powers)));
	__m256i low = _mm256_blend_epi32(sum, _mm256_setzero_si256(), 0xaa);

	return _mm256_add_epi64(_mm256_mul_epu32(odd_lanes(sum), r->one), low);
}

/* Numbers 0 to 3, as residues in the high words, in the order 0 2 1 3: the powers carry a factor of 2^32 that
 * the Montgomery reduction takes off. */
static inline __m256i remainders(const uint8_t *bytes, const struct remainder *r)
{
	__m256i a = fold_words(load_any(bytes), r), b = fold_words(load_any(bytes + 32), r);
	__m256i sum = _mm256_add_epi64(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));

	/* below 2^33 q; where the high word is below q, so is the rest below 2^32 q */
	sum = _mm256_min_epu32(sum, _mm256_sub_epi32(sum, r->q_high));
	sum = _mm256_add_epi64(sum, _mm256_mul_epu32(_mm256_mul_epu32(sum, r->neg_inv), r->q));
	return reduce(sum, r->q);
}

static void remainder_of_wide(void *dst, const uint8_t *bytes, size_t n, const struct kernels_prime *p)
{
	const uint32_t one = (uint32_t)p->mont_one, two = (uint32_t)p->mont_two,
		       three = (uint32_t)((uint64_t)one * two % p->q),
		       four = (uint32_t)((uint64_t)two * two % p->q);
	const struct remainder r = {
		.powers = _mm256_setr_epi32(
			(int)one, (int)two, (int)three, (int)four, (int)one, (int)two, (int)three, (int)four),
		.one = _mm256_set1_epi64x(one),
		.q = _mm256_set1_epi32((int)p->q),
		.q_high = _mm256_set1_epi64x((int64_t)(p->q << 32)),
		.neg_inv = _mm256_set1_epi32((int)p->neg_inv),
	};
	const __m256i order = _mm256_setr_epi32(0, 4, 2, 6, 1, 5, 3, 7);
	uint32_t *z = dst;
	size_t i = 0;

	for (; i + 8 <= n; i += 8, bytes += 128) {
		__m256i v = _mm256_blend_epi32(
			odd_lanes(remainders(bytes, &r)), remainders(bytes + 64, &r), 0xaa);

		store_any(z + i, _mm256_permutevar8x32_epi32(v, order));
	}
	generic().remainder(z + i, bytes, n - i, p);
}

void kernels_avx2_bytes(struct kernels *k)
{
	k->unpack = unpack;
	k->pack = pack;
	k->round = round_to_bits;
	k->uniform = uniform;
	k->remainder = remainder_of_wide;
}
