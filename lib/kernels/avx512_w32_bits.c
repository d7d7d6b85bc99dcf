/* SPDX-License-Identifier: Apache-2.0 */
#include <stdalign.h>

#include "kernels/avx512_w32.h"

/* Sixteen values of b bits are 2b bytes: a group never shares a byte with the next. As the stream is
 * big-endian, its 32-bit words are turned round, and then bit 0 of the stream is the top bit of word 0. */

INLINE __m512i turn_words(__m512i x)
{
	const __m512i order = _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);

	return _mm512_shuffle_epi8(x, order);
}

/* A mask of the bytes of n <= 16 values. */
INLINE __mmask64 value_bytes(size_t n, unsigned bits)
{
	size_t bytes = (n * bits + 7) / 8;

	return bytes >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << bytes) - 1;
}

static bool unpack(
	void *dst, const uint8_t *src, size_t n, unsigned bits, unsigned shift, const struct kernels_prime *p)
{
	const __m512i number = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	const __m512i at = _mm512_mullo_epi32(number, _mm512_set1_epi32((int)bits));
	/* a value begins in one word and may end in the next */
	const __m512i word = _mm512_srli_epi32(at, 5), next = _mm512_add_epi32(word, _mm512_set1_epi32(1));
	const __m512i left = _mm512_and_si512(at, _mm512_set1_epi32(31));
	const __m512i right = _mm512_sub_epi32(_mm512_set1_epi32(32), left);
	const __m128i drop = _mm_cvtsi32_si128(32 - (int)bits), up = _mm_cvtsi32_si128((int)shift);
	__m512i largest = _mm512_setzero_si512();
	uint32_t *z = dst;

	for (size_t i = 0; i < n; i += WORDS, src += 2 * bits) {
		const size_t count = n - i < WORDS ? n - i : WORDS;
		const __m512i bytes = turn_words(_mm512_maskz_loadu_epi8(value_bytes(count, bits), src));
		__m512i high = _mm512_sllv_epi32(_mm512_permutexvar_epi32(word, bytes), left);
		__m512i low = _mm512_srlv_epi32(_mm512_permutexvar_epi32(next, bytes), right);
		__m512i x = _mm512_srl_epi32(_mm512_or_si512(high, low), drop);

		x = _mm512_maskz_mov_epi32(first_words(count), _mm512_sll_epi32(x, up));
		largest = _mm512_max_epu32(largest, x);
		store_words(z + i, count, x);
	}
	return _mm512_cmpge_epu32_mask(largest, _mm512_set1_epi32((int)p->q)) == 0;
}

/* Where the words of a packed group come from: word j has parts of the values index[c][j], moved left or
 * right; a part that is not there is moved by 32, which leaves nothing. */
struct parts {
	alignas(64) uint32_t index[WORDS][WORDS], left[WORDS][WORDS], right[WORDS][WORDS];
	unsigned count;
};

static void find_parts(struct parts *parts, unsigned bits)
{
	parts->count = (bits + 30) / bits + 1; /* a word begins inside a value: bits - 1 of it before */
	if (parts->count > WORDS)
		parts->count = WORDS;
	for (unsigned j = 0; j < WORDS; j++) {
		const unsigned first = 32 * j / bits;

		for (unsigned c = 0; c < parts->count; c++) {
			const unsigned value = first + c;
			/* how far the value's last bit is from the word's */
			const int distance = (int)(32 * (j + 1)) - (int)((value + 1) * bits);
			const bool here = value < WORDS && distance > -32 && distance < 32;

			parts->index[c][j] = value % WORDS;
			parts->left[c][j] = here && distance >= 0 ? (uint32_t)distance : 32;
			parts->right[c][j] = here && distance < 0 ? (uint32_t)-distance : 32;
		}
	}
}

static void pack(uint8_t *dst, const void *src, size_t n, unsigned bits)
{
	const size_t group = 2 * bits, size = (n * bits + 7) / 8;
	const uint32_t *from = src;
	struct parts parts;

	find_parts(&parts, bits);
	for (size_t i = 0, at = 0; i < n; i += WORDS, at += group) {
		const __m512i x = load_words(from + i, n - i);
		__m512i word = _mm512_setzero_si512();

		for (unsigned c = 0; c < parts.count; c++) {
			const __m512i value = _mm512_permutexvar_epi32(_mm512_load_si512(parts.index[c]), x);

			word = _mm512_or_si512(
				word, _mm512_sllv_epi32(value, _mm512_load_si512(parts.left[c])));
			word = _mm512_or_si512(
				word, _mm512_srlv_epi32(value, _mm512_load_si512(parts.right[c])));
		}
		/* what a whole vector writes too much, the next groups overwrite */
		if (size - at >= 64)
			_mm512_storeu_si512(dst + at, turn_words(word));
		else
			_mm512_mask_storeu_epi8(dst + at,
				size - at < group ? ((__mmask64)1 << (size - at)) - 1
						  : value_bytes(WORDS, bits),
				turn_words(word));
	}
}

/* floor((a 2^bits + half) / q) with half = (q-1)/2. (a scale + offset) / 2^31, with scale and offset rounded
 * down, is less than 1 below, so the quotient is right or 1 too small, and what is left is below 2q. */
static void round_to_bits(void *dst, const void *a, size_t n, unsigned bits, const struct kernels_prime *p)
{
	const uint64_t half = (p->q - 1) / 2;
	const __m512i scale = _mm512_set1_epi32((int)(uint32_t)(((uint64_t)1 << (bits + 31)) / p->q));
	const __m512i offset = _mm512_set1_epi64((long long)((half << 31) / p->q));
	const __m512i q = _mm512_set1_epi32((int)p->q), halves = _mm512_set1_epi32((int)half);
	const __m512i below = _mm512_set1_epi32((int)(((uint64_t)1 << bits) - 1)), one = _mm512_set1_epi32(1);
	const __m128i up = _mm_cvtsi32_si128((int)bits);
	const uint32_t *from = a;
	uint32_t *z = dst;

	for (size_t i = 0; i < n; i += WORDS) {
		const __m512i x = load_words(from + i, n - i);
		__m512i even = _mm512_add_epi64(_mm512_mul_epu32(x, scale), offset);
		__m512i odd = _mm512_add_epi64(_mm512_mul_epu32(odd_words(x), scale), offset);
		__m512i quotient = _mm512_mask_blend_epi32(
			0xaaaa, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
		__m512i rest = _mm512_add_epi32(_mm512_sll_epi32(x, up), halves);

		rest = _mm512_sub_epi32(rest, _mm512_mullo_epi32(quotient, q));
		quotient = _mm512_mask_add_epi32(quotient, _mm512_cmpge_epu32_mask(rest, q), quotient, one);
		store_words(z + i, n - i, _mm512_and_si512(quotient, below));
	}
}

static void uniform(void *dst, size_t n, size_t *filled, const uint8_t *bytes, size_t words,
	const struct kernels_prime *p)
{
	const __m512i q = _mm512_set1_epi32((int)p->q);
	const __m512i below = _mm512_set1_epi32((int)(((uint64_t)1 << p->bits) - 1));
	size_t count = *filled;
	uint32_t *z = dst;

	for (size_t i = 0; i < words && count < n; i += WORDS, bytes += 4 * WORDS) {
		const __mmask16 mask = first_words(words - i);
		const __m512i x = _mm512_and_si512(_mm512_maskz_loadu_epi32(mask, bytes), below);
		const __mmask16 good = mask & (__mmask16)~_mm512_cmpge_epu32_mask(x, q);
		const size_t more = (size_t)__builtin_popcount(good), room = n - count;
		const __m512i kept = _mm512_maskz_compress_epi32(good, x);

		/* a whole vector where there is room: what is too much of it comes next */
		store_words(z + count, room >= WORDS || more > room ? room : more, kept);
		count += more < room ? more : room;
	}
	*filled = count;
}

struct remainder {
	__m512i powers, odd_powers; /* 2^32, 2^64, 2^96, 2^128 mod q, four times */
	__m512i one, q_high;
	struct redc redc;
};

/* Four numbers of four words each: the sum of the words times their powers, as two halves, each below 2^32 q.
 */
INLINE __m512i fold_words(__m512i words, const struct remainder *r)
{
	__m512i sum = _mm512_add_epi64(
		_mm512_mul_epu32(words, r->powers), _mm512_mul_epu32(odd_words(words), r->odd_powers));

	return redc_shrink(sum, r->one);
}

/* Numbers 0 to 7 as sums of 64 bits, below 2^32 q, in the order 0 4 1 5 2 6 3 7: the powers carry a factor of
 * 2^32 that the Montgomery reduction takes off. */
INLINE __m512i remainder_sums(const uint8_t *bytes, const struct remainder *r)
{
	__m512i a = fold_words(_mm512_loadu_si512(bytes), r),
		b = fold_words(_mm512_loadu_si512(bytes + 64), r);
	__m512i sum = _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));

	/* below 2^33 q; where the high word is below q, so is the rest below 2^32 q */
	return _mm512_min_epu64(sum, _mm512_sub_epi64(sum, r->q_high));
}

/* The last few numbers go through a buffer. */
static void remainder_of_wide(void *dst, const uint8_t *bytes, size_t n, const struct kernels_prime *p)
{
	const uint64_t one = p->mont_one, two = p->mont_two, three = one * two % p->q,
		       four = two * two % p->q;
	struct remainder r = {
		.powers = _mm512_set4_epi32((int)four, (int)three, (int)two, (int)one),
		.one = _mm512_set1_epi64((long long)one),
		.q_high = _mm512_set1_epi64((long long)(p->q << 32)),
		.redc = redc_of(p, true),
	};
	const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 2, 6, 10, 14, 1, 5, 9, 13, 3, 7, 11, 15);
	alignas(64) uint8_t rest[16 * WORDS] = {0};
	uint32_t *z = dst;

	r.odd_powers = odd_words(r.powers);
	for (size_t i = 0; i < n; i += WORDS, bytes += 16 * WORDS) {
		const uint8_t *from = bytes;
		__m512i x;

		if (n - i < WORDS) {
			for (size_t j = 0; j < 16 * (n - i); j++)
				rest[j] = bytes[j];
			from = rest;
		}
		x = redc(remainder_sums(from, &r), remainder_sums(from + 8 * WORDS, &r), r.redc);
		store_words(z + i, n - i, _mm512_permutexvar_epi32(order, x));
	}
}

void avx512_w32_select_bits(struct kernels *k)
{
	k->unpack = unpack;
	k->pack = pack;
	k->round = round_to_bits;
	k->uniform = uniform;
	k->remainder = remainder_of_wide;
}
